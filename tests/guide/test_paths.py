"""Which objects a path names: case, wildcards, query strings, spellings."""

import pytest
from botocore.exceptions import ClientError

from clients import Cli
from website import make_website, query_string_behavior


def test_paths_are_case_sensitive(website):
    website.put("index.html", "small")
    website.put("Index.html", "capital")
    answers = website.warm("/index.html", "/Index.html")
    assert [answer.body for answer in answers] == [b"small", b"capital"]
    website.invalidate("/Index.html")
    assert website.get("/index.html").hit
    assert website.get("/Index.html").missed


@pytest.mark.parametrize("path", ["/assets/app.*.js", "/*/app.js", "/a*b", "/**", "/*.js"])
def test_a_wildcard_in_the_middle_is_refused_with_the_reason(cli, website, path):
    refused = cli.refused("cloudfront", "create-invalidation", "--distribution-id", website.id, "--paths", path)
    assert "InvalidArgument" in refused
    assert "*" in refused and ("last" in refused or "end" in refused), "the message says where a wildcard may stand"
    assert website.invalidations() == []


def test_a_subset_needs_a_directory_of_its_own(cli, website):
    for name in ("js/app.js", "js/vendor.js", "css/app.css"):
        website.put(f"assets/{name}", "x")
    website.warm("/assets/js/app.js", "/assets/js/vendor.js", "/assets/css/app.css")
    website.invalidate("/assets/js/*")
    assert website.get("/assets/css/app.css").hit
    assert website.get("/assets/js/app.js").missed
    assert website.get("/assets/js/vendor.js").missed
    website.invalidate("/assets/css/*")
    assert website.get("/assets/css/app.css").missed


@pytest.mark.parametrize("path", ["index.html", "", "https://example.com/index.html"])
def test_a_path_without_its_slash_is_refused(website, path):
    with pytest.raises(ClientError) as refused:
        website.create_invalidation(path)
    assert refused.value.response["Error"]["Code"] == "InvalidArgument"


@pytest.fixture(scope="module")
def variants(machine):
    website = make_website(machine, default=query_string_behavior)
    website.put("app.js", "app")
    website.put("other.js", "other")
    return website


def test_query_strings_make_objects_of_their_own(variants):
    variants.get("/app.js")
    assert variants.get("/app.js?v=1").missed
    assert variants.get("/app.js?v=2").missed
    assert variants.get("/app.js?v=1").hit


def test_a_path_without_query_clears_the_variant_without_query(variants):
    variants.warm("/app.js", "/app.js?v=1", "/app.js?v=2")
    variants.invalidate("/app.js")
    assert variants.get("/app.js").missed
    assert variants.get("/app.js?v=1").hit
    assert variants.get("/app.js?v=2").hit


def test_a_path_with_query_clears_that_variant(variants):
    variants.warm("/app.js", "/app.js?v=1", "/app.js?v=2")
    variants.invalidate("/app.js?v=1")
    assert variants.get("/app.js").hit
    assert variants.get("/app.js?v=1").missed
    assert variants.get("/app.js?v=2").hit


def test_a_wildcard_clears_every_variant(variants):
    variants.warm("/app.js", "/app.js?v=1", "/app.js?v=2", "/other.js")
    variants.invalidate("/app.js*")
    assert variants.get("/other.js").hit
    assert variants.get("/app.js").missed
    assert variants.get("/app.js?v=1").missed
    assert variants.get("/app.js?v=2").missed


def test_without_query_strings_in_the_key_they_change_nothing(website):
    website.put("app.js", "app")
    website.warm("/app.js")
    assert website.get("/app.js?v=1").hit
    website.invalidate("/app.js")
    assert website.get("/app.js?v=2").missed


@pytest.mark.parametrize(
    ("key", "request_path", "invalidated"),
    [
        ("a b.html", "/a b.html", "/a%20b.html"),
        ("über.html", "/über.html", "/%C3%BCber.html"),
        ("über.html", "/über.html", "/%c3%bcber.html"),
        ("~home.html", "/~home.html", "/%7Ehome.html"),
        ("it's.html", "/it's.html", "/it's.html"),
        ("日本/語.html", "/日本/語.html", "/%E6%97%A5%E6%9C%AC/*"),
    ],
)
def test_spellings_of_one_path_are_one_path(website, key, request_path, invalidated):
    website.put(key, "first")
    website.warm(request_path)
    website.put(key, "second")
    website.invalidate(invalidated)
    assert website.get(request_path).body == b"second"


def test_the_root_and_its_object_are_one(machine):
    website = make_website(machine, DefaultRootObject="index.html")
    website.put("index.html", "first")
    website.warm("/", "/index.html")
    website.invalidate("/index.html")
    assert website.get("/").missed


def test_ten_paths_and_a_wildcard_in_one_call(machine, version):
    website = make_website(machine)
    website.put("a/1", "x")
    website.put("b", "x")
    website.put("c", "x")
    website.warm("/a/1", "/b", "/c")
    cli = Cli(version, machine)
    created = cli.json(
        "cloudfront", "create-invalidation", "--distribution-id", website.id, "--paths", "/a/*", "/b",
        *[f"/none/{number}" for number in range(8)],
    )  # fmt: skip
    cli.run("cloudfront", "wait", "invalidation-completed", "--distribution-id", website.id,
            "--id", created["Invalidation"]["Id"])  # fmt: skip
    assert [website.get(path).hit for path in ("/a/1", "/b", "/c")] == [False, False, True]

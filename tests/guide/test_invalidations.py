"""Invalidating with the AWS CLI: one path, several, a prefix, everything."""

import re

import pytest

from website import make_website

PAGES = ["/index.html", "/manifest.json", "/robots.txt", "/sw.js", "/assets/app.js", "/assets/css/main.css"]


@pytest.fixture
def changed(website):
    """A website whose cache is warm with the first version of every page, and whose bucket holds the second."""
    for page in PAGES:
        website.put(page[1:], f"first {page}", CacheControl="max-age=3600")
    website.warm(*PAGES)
    for page in PAGES:
        website.put(page[1:], f"second {page}", CacheControl="max-age=3600")
    assert all(website.get(page).body.startswith(b"first") for page in PAGES), "the cache is not doing its work"
    return website


def invalidate(cli, website, *paths):
    created = cli.json("cloudfront", "create-invalidation", "--distribution-id", website.id, "--paths", *paths)
    identifier = created["Invalidation"]["Id"]
    cli.run("cloudfront", "wait", "invalidation-completed", "--distribution-id", website.id, "--id", identifier)
    return created


def stale(website):
    """The pages that still come from the cache, in their first version."""
    answers = {page: website.get(page) for page in PAGES}
    for page, answer in answers.items():
        kept = answer.body.startswith(b"first")
        assert answer.hit == kept and answer.missed != kept, f"{page}: {answer.x_cache} with {answer.body!r}"
    return [page for page, answer in answers.items() if answer.body.startswith(b"first")]


def test_a_single_path_clears_that_page_alone(cli, changed):
    invalidate(cli, changed, "/index.html")
    assert stale(changed) == PAGES[1:]


def test_a_trailing_wildcard_clears_everything_below(cli, changed):
    invalidate(cli, changed, "/assets/*")
    assert stale(changed) == ["/index.html", "/manifest.json", "/robots.txt", "/sw.js"]


def test_a_wildcard_is_a_prefix_of_names_too(cli, changed):
    invalidate(cli, changed, "/assets/a*")
    assert stale(changed) == [page for page in PAGES if page != "/assets/app.js"]


def test_the_sweep_clears_everything(cli, changed):
    invalidate(cli, changed, "/*")
    assert stale(changed) == []


def test_the_sweep_leaves_other_distributions_alone(cli, changed, machine):
    other = make_website(machine)
    other.put("index.html", "first")
    other.warm("/index.html")
    invalidate(cli, changed, "/*")
    assert other.get("/index.html").hit


def test_several_paths_in_one_call(cli, changed):
    created = invalidate(cli, changed, "/index.html", "/manifest.json", "/robots.txt", "/sw.js")
    paths = created["Invalidation"]["InvalidationBatch"]["Paths"]
    assert paths["Quantity"] == 4
    assert sorted(paths["Items"]) == sorted(["/index.html", "/manifest.json", "/robots.txt", "/sw.js"])
    assert stale(changed) == ["/assets/app.js", "/assets/css/main.css"]


def test_a_new_invalidation_reads_in_progress_and_has_an_id(cli, website):
    created = cli.json("cloudfront", "create-invalidation", "--distribution-id", website.id, "--paths", "/index.html")
    invalidation = created["Invalidation"]
    assert invalidation["Status"] == "InProgress"
    assert re.fullmatch(r"I[0-9A-Z]{12,24}", invalidation["Id"])
    assert created["Location"].endswith(f"/distribution/{website.id}/invalidation/{invalidation['Id']}")
    assert re.fullmatch(r"cli-\d+-\d+", invalidation["InvalidationBatch"]["CallerReference"])


def test_status_by_id(cli, website):
    created = website.invalidate("/index.html")
    row = cli.json(
        "cloudfront", "get-invalidation", "--distribution-id", website.id, "--id", created["Id"],
        "--query", "Invalidation.{Status:Status,CreateTime:CreateTime}",
    )  # fmt: skip
    assert row["Status"] == "Completed"
    assert row["CreateTime"].startswith(created["CreateTime"].strftime("%Y-%m-%dT%H:%M:%S"))
    table = cli.run(
        "cloudfront", "get-invalidation", "--distribution-id", website.id, "--id", created["Id"],
        "--query", "Invalidation.{Status:Status,CreateTime:CreateTime}", "--output", "table",
    ).stdout  # fmt: skip
    assert re.search(r"\|\s+Completed\s+\|", table) and "GetInvalidation" in table


def test_the_list_shows_the_newest_first(cli, website):
    identifiers = [website.invalidate(f"/{number}")["Id"] for number in range(3)]
    rows = cli.json(
        "cloudfront", "list-invalidations", "--distribution-id", website.id,
        "--query", "InvalidationList.Items[*].{ID:Id,Status:Status,CreateTime:CreateTime}",
    )  # fmt: skip
    assert [row["ID"] for row in rows] == identifiers[::-1]
    assert {row["Status"] for row in rows} == {"Completed"}


def test_the_list_is_paged(cli, website):
    identifiers = [website.invalidate(f"/{number}")["Id"] for number in range(5)]
    listed = cli.json(
        "cloudfront", "list-invalidations", "--distribution-id", website.id, "--page-size", "2",
        "--query", "InvalidationList.Items[*].Id",
    )  # fmt: skip
    assert listed == identifiers[::-1]


IN_PROGRESS = "length(InvalidationList.Items[?Status=='InProgress'])"


def test_none_in_progress_counts_as_zero(cli, website):
    count = ["cloudfront", "list-invalidations", "--distribution-id", website.id, "--query", IN_PROGRESS]
    assert cli.text(*count) == "0", "before the first invalidation"
    website.invalidate("/index.html")
    assert cli.text(*count) == "0", "when the only one is Completed"


def test_one_path_may_match_many_objects(cli, website):
    """500 objects, one path."""
    pages = [f"/assets/{number}.js" for number in range(500)]
    for page in pages:
        website.put(page[1:], "first")
        website.get(page)
    assert all(website.get(page).hit for page in pages)
    created = invalidate(cli, website, "/assets/*")
    assert created["Invalidation"]["InvalidationBatch"]["Paths"]["Quantity"] == 1
    assert all(website.get(page).missed for page in pages)

"""What arrives at the viewer besides the bytes."""

import re

import pytest


@pytest.mark.parametrize(
    "cache_control", ["max-age=3600", "no-cache", "public, max-age=31536000, immutable", "Max-Age=60,must-revalidate"]
)
def test_the_origins_cache_control_reaches_the_viewer_untouched(website, cache_control):
    website.put("index.html", "page", CacheControl=cache_control)
    for _ in range(2):
        assert website.get("/index.html").headers["cache-control"] == cache_control


def test_a_response_without_cache_control_gets_none(website):
    website.put("index.html", "page")
    for _ in range(2):
        assert "cache-control" not in website.get("/index.html").headers


def test_every_answer_says_where_it_comes_from(website):
    website.put("index.html", "page", ContentType="text/html")
    miss, hit = website.get("/index.html"), website.get("/index.html")
    assert (miss.x_cache, miss.age) == ("Miss from cloudfront", 0)
    assert hit.hit and hit.age <= 5
    for answer in (miss, hit):
        assert re.fullmatch(r"1\.1 [0-9a-zA-Z]+\.cloudfront\.net \(CloudFront\)", answer.headers["via"])
        assert re.fullmatch(r"[A-Z]{3}\d+-[A-Z]\d+", answer.headers["x-amz-cf-pop"])
        assert re.fullmatch(r"[-_A-Za-z0-9]{50,60}==?", answer.headers["x-amz-cf-id"])
        assert answer.headers["content-type"] == "text/html"
        assert answer.headers["content-length"] == "4"
    assert miss.headers["x-amz-cf-id"] != hit.headers["x-amz-cf-id"]


def test_a_head_request_is_answered_from_what_a_get_left(website):
    website.put("index.html", "page")
    website.warm("/index.html")
    answer = website.get("/index.html", method="HEAD")
    assert answer.hit and answer.body == b"" and answer.headers["content-length"] == "4"


def test_a_conditional_request_is_answered_by_the_edge(website):
    website.put("index.html", "page")
    (answer,) = website.warm("/index.html")
    unchanged = website.get("/index.html", headers={"If-None-Match": answer.headers["etag"]})
    assert unchanged.status == 304 and unchanged.body == b""
    assert website.get("/index.html", headers={"If-None-Match": '"other"'}).status == 200


def test_a_viewers_condition_is_judged_after_the_invalidation(website):
    website.put("index.html", "first")
    (answer,) = website.warm("/index.html")
    website.put("index.html", "second")
    website.invalidate("/index.html")
    changed = website.get("/index.html", headers={"If-None-Match": answer.headers["etag"]})
    assert (changed.status, changed.body) == (200, b"second")


def test_a_viewer_cannot_go_past_the_cache(website):
    website.put("index.html", "page")
    website.warm("/index.html")
    assert website.get("/index.html", headers={"Cache-Control": "no-cache", "Pragma": "no-cache"}).hit


def test_methods_that_change_things_are_refused(website):
    answer = website.get("/index.html", method="POST")
    assert answer.status == 403
    assert b"not configured to allow the HTTP request method" in answer.body

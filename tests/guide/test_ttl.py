"""How long the edge keeps a response, by a clock that moves only when told."""

import re

import pytest

from clients import curl
from website import behavior, make_website

YEAR_SECS = 31_536_000


def ttl(least, default, most, pattern=None):
    """A function from the origin's id to a behavior with these TTLs."""
    members = {"PathPattern": pattern} if pattern else {}
    return lambda origin: behavior(origin, ttl=(least, default, most), **members)


@pytest.fixture
def per_path(manual):
    """The guide's two behaviors: assets for a year, the page for a minute, everything else for a day."""
    return make_website(
        manual,
        default=ttl(0, 86400, YEAR_SECS),
        behaviors=[ttl(0, YEAR_SECS, YEAR_SECS, "/assets/*"), ttl(0, 60, 300, "/index.html")],
    )


def test_the_page_is_fresh_after_a_minute_without_any_invalidation(per_path):
    per_path.put("index.html", "first")
    per_path.warm("/index.html")
    per_path.put("index.html", "second")
    per_path.machine.advance("59s")
    answer = per_path.get("/index.html")
    assert answer.hit and answer.body == b"first" and answer.age == 59
    per_path.machine.advance("60s")
    assert per_path.get("/index.html").body == b"second"
    assert per_path.invalidations() == []


def test_an_unchanged_page_is_revalidated_after_a_minute(per_path):
    per_path.put("index.html", "first")
    per_path.warm("/index.html")
    per_path.machine.advance("61s")
    answer = per_path.get("/index.html")
    assert answer.x_cache == "RefreshHit from cloudfront" and answer.body == b"first"
    assert per_path.get("/index.html").hit


def test_assets_stay_when_the_page_expires(per_path):
    per_path.put("index.html", "page")
    per_path.put("assets/app.js", "asset")
    per_path.put("other.txt", "other")
    per_path.warm("/index.html", "/assets/app.js", "/other.txt")
    per_path.machine.advance("3600s")
    assert not per_path.get("/index.html").hit
    assert per_path.get("/assets/app.js").hit
    assert per_path.get("/other.txt").hit


def test_what_falls_under_no_pattern_stays_for_a_day(per_path):
    per_path.put("other.txt", "first")
    per_path.warm("/other.txt")
    per_path.put("other.txt", "second")
    per_path.machine.advance("86399s")
    assert per_path.get("/other.txt").body == b"first"
    per_path.machine.advance("2s")
    assert per_path.get("/other.txt").body == b"second"


def test_the_origins_max_age_rules_when_the_minimum_is_zero(manual):
    website = make_website(manual, default=ttl(0, 86400, YEAR_SECS))
    website.put("a.html", "first", CacheControl="max-age=5")
    website.warm("/a.html")
    website.put("a.html", "second", CacheControl="max-age=5")
    manual.advance("4s")
    assert website.get("/a.html").hit
    manual.advance("2s")
    assert website.get("/a.html").body == b"second"


def test_expires_rules_when_there_is_no_max_age(manual):
    website = make_website(manual, default=ttl(0, 86400, YEAR_SECS))
    website.put("a.html", "first", Expires="Thu, 01 Jan 1970 00:00:00 GMT")
    website.get("/a.html")
    website.put("a.html", "second")
    assert website.get("/a.html").body == b"second", "what has expired already is not used again"


def test_the_maximum_caps_what_the_origin_asks_for(manual):
    website = make_website(manual, default=ttl(0, 60, 300))
    website.put("a.html", "first", CacheControl="max-age=99999999")
    website.warm("/a.html")
    website.put("a.html", "second")
    manual.advance("299s")
    assert website.get("/a.html").hit
    manual.advance("2s")
    assert website.get("/a.html").body == b"second"


@pytest.mark.parametrize("cache_control", ["max-age=0", "no-cache", "no-store", "private"])
def test_a_minimum_above_zero_overrides_the_origin(manual, cache_control):
    website = make_website(manual, default=ttl(30, 30, 300))
    website.put("a.html", "first", CacheControl=cache_control)
    website.warm("/a.html")
    website.put("a.html", "second", CacheControl=cache_control)
    manual.advance("29s")
    assert website.get("/a.html").body == b"first"
    manual.advance("2s")
    assert website.get("/a.html").body == b"second"


def test_with_a_minimum_above_zero_the_next_request_fills_the_cache_again(manual):
    website = make_website(manual, default=ttl(30, 30, 300))
    website.put("a.html", "first", CacheControl="max-age=0")
    website.warm("/a.html")
    website.put("a.html", "second", CacheControl="max-age=0")
    website.invalidate("/a.html")
    assert website.get("/a.html").body == b"second"
    website.put("a.html", "third", CacheControl="max-age=0")
    manual.advance("29s")
    answer = website.get("/a.html")
    assert answer.hit and answer.body == b"second", "kept for MinTTL, whatever the origin says"
    website.invalidate("/a.html")
    assert website.get("/a.html").body == b"third", "invalidation is the way out"


@pytest.mark.parametrize("cache_control", ["no-cache", "no-store", "private", "max-age=0"])
def test_with_a_minimum_of_zero_the_origin_keeps_the_edge_from_caching(manual, cache_control):
    website = make_website(manual, default=ttl(0, 60, 300))
    website.put("a.html", "first", CacheControl=cache_control)
    assert website.get("/a.html").missed
    website.put("a.html", "second", CacheControl=cache_control)
    assert website.get("/a.html").body == b"second"


def test_zero_default_asks_the_origin_every_time(manual):
    website = make_website(manual, default=ttl(0, 0, YEAR_SECS))
    website.put("index.html", "first")
    website.get("/index.html")
    website.put("index.html", "second")
    assert website.get("/index.html").body == b"second"


def header_lines(website, path):
    """`curl -sI` piped through the guide's grep, as a dictionary."""
    host, port = website.host, website.machine.port("edge")
    printed = curl(website.machine, "-I", "--resolve", f"{host}:{port}:127.0.0.1", f"http://{host}:{port}{path}")
    lines = [line.split(": ", 1) for line in printed.stdout.decode().splitlines() if ": " in line]
    wanted = ("x-cache", "x-amz-cf-pop", "age", "cache-control")
    return {name.lower(): value for name, value in lines if name.lower() in wanted}


def test_curl_shows_miss_after_an_invalidation_then_hit_and_its_age(per_path):
    per_path.put("index.html", "first", CacheControl="max-age=60")
    per_path.warm("/index.html")
    per_path.invalidate("/index.html")
    first = header_lines(per_path, "/index.html")
    assert first["x-cache"] == "Miss from cloudfront"
    assert first["age"] == "0"
    assert first["cache-control"] == "max-age=60"
    assert re.fullmatch(r"[A-Z]{3}\d+-[A-Z]\d+", first["x-amz-cf-pop"])
    per_path.machine.advance("14s")
    second = header_lines(per_path, "/index.html")
    assert second["x-cache"] == "Hit from cloudfront"
    assert second["age"] == "14"
    assert second["cache-control"] == "max-age=60"

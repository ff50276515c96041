"""Releasing and rolling back, with fingerprinted names and without."""

import hashlib

from website import behavior, make_website


def fingerprinted(body):
    return f"assets/app.{hashlib.sha256(body.encode()).hexdigest()[:8]}.js"


def release(website, asset_body):
    """Puts an asset under a name made of its content, and a page that refers to it."""
    name = fingerprinted(asset_body)
    website.put(name, asset_body, CacheControl="public, max-age=31536000, immutable")
    website.put("index.html", f'<script src="/{name}"></script>', CacheControl="max-age=60")
    return f"/{name}"


def test_a_fingerprinted_asset_needs_no_invalidation(website):
    old = release(website, "first")
    website.warm(old)
    new = release(website, "second")
    assert new != old
    answer = website.get(new)
    assert answer.missed and answer.body == b"second"
    assert website.get(new).hit
    answer = website.get(old)
    assert answer.hit and answer.body == b"first", "who has the old page still gets what it refers to"
    assert website.invalidations() == []


def test_a_fingerprinted_asset_stays_for_a_year(manual):
    website = make_website(manual, default=lambda origin: behavior(origin))
    path = release(website, "first")
    website.warm(path)
    manual.advance(f"{364 * 86400}s")
    assert website.get(path).hit


def test_only_the_page_is_invalidated_when_a_release_is_fingerprinted(website):
    old = release(website, "first")
    website.warm(old, "/index.html")
    new = release(website, "second")
    website.invalidate("/index.html")
    assert new.encode() in website.get("/index.html").body
    assert website.get(new).body == b"second"
    assert website.get(old).hit


def test_rolling_back_a_file_that_kept_its_name(website):
    website.put("assets/app.js", "good")
    website.warm("/assets/app.js")
    website.put("assets/app.js", "broken")
    website.invalidate("/assets/app.js")
    (answer,) = website.warm("/assets/app.js")
    assert answer.body == b"broken"
    website.put("assets/app.js", "good")
    assert website.get("/assets/app.js").body == b"broken", "restoring the bucket alone does not help"
    website.invalidate("/assets/app.js")
    answer = website.get("/assets/app.js")
    assert answer.missed and answer.body == b"good"


def test_rolling_back_a_fingerprinted_release_takes_one_path(website):
    good = release(website, "good")
    bad = release(website, "broken")
    website.warm("/index.html", good, bad)
    website.put("index.html", f'<script src="/{good[1:]}"></script>', CacheControl="max-age=60")
    created = website.invalidate("/index.html")
    assert created["InvalidationBatch"]["Paths"]["Quantity"] == 1
    assert good.encode() in website.get("/index.html").body
    assert website.get(good).hit, "the good asset was in the cache all the time"


def test_a_write_that_was_acknowledged_is_what_the_edge_fetches(website):
    """PutObject, then CreateInvalidation, then the new bytes: every time."""
    for number in range(30):
        website.put("index.html", f"{number}")
        website.create_invalidation("/index.html")
        website.invalidate("/index.html")
        assert website.get("/index.html").body == f"{number}".encode()

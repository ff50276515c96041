use http::Method;
use warmfront_model::KeyPart;

use super::*;
use crate::NotStored;
use crate::testing::{NOW, asked, headers, lines, rules};

const MODIFIED: &str = "last-modified: Sun, 06 Nov 1994 08:49:37 GMT";
const MODIFIED_LATER: &str = "last-modified: Sun, 06 Nov 1994 08:49:38 GMT";

fn check_conditions(stored: &str, expected: Option<&[&str]>) {
    let conditions = revalidation_headers(&headers(stored), &rules()).map(|headers| lines(&headers));
    assert_eq!(
        conditions.as_deref(),
        expected
            .map(|lines| lines.iter().map(|&line| line.to_owned()).collect::<Vec<_>>())
            .as_deref(),
        "{stored}"
    );
}

#[test]
fn the_stored_validators_are_sent() {
    check_conditions("etag: \"v1\"", Some(&["if-none-match: \"v1\""]));
    check_conditions("etag: W/\"v1\"", Some(&["if-none-match: W/\"v1\""]));
    check_conditions(MODIFIED, Some(&["if-modified-since: Sun, 06 Nov 1994 08:49:37 GMT"]));
    check_conditions(
        &format!("etag: \"v1\"\n{MODIFIED}"),
        Some(&[
            "if-modified-since: Sun, 06 Nov 1994 08:49:37 GMT",
            "if-none-match: \"v1\"",
        ]),
    );
}

#[test]
fn what_is_no_validator_is_not_sent() {
    check_conditions("date: Sun, 06 Nov 1994 08:49:37 GMT", None);
    check_conditions("etag: v1\nlast-modified: yesterday", None);
    check_conditions(
        &format!("etag: v1\n{MODIFIED}"),
        Some(&["if-modified-since: Sun, 06 Nov 1994 08:49:37 GMT"]),
    );
}

#[test]
fn no_conditions_where_cookies_are_forwarded() {
    let rules = Rules {
        cookies: &KeyPart::All,
        ..rules()
    };
    assert_eq!(revalidation_headers(&headers("etag: \"v1\""), &rules), None);
}

/// RFC 9111 section 4.3.5.
#[test]
fn a_head_speaks_of_what_has_its_validators_and_length() {
    let stored = format!("etag: \"v1\"\n{MODIFIED}");
    let check = |from_head: &str, expected| {
        let is_match = is_match_head(&headers(&stored), Some(3), &headers(from_head));
        assert_eq!(is_match, expected, "{from_head}");
    };
    check("", true);
    check("etag: \"v1\"", true);
    check("etag: W/\"v1\"", false);
    check("etag: \"v2\"", false);
    check(MODIFIED, true);
    check(&format!("etag: \"v1\"\n{MODIFIED_LATER}"), false);
    check("content-length: 3", true);
    check("content-length: 4", false);
    check("content-length: three", false);
    assert!(
        !is_match_head(&headers(""), Some(3), &headers("etag: \"v1\"")),
        "a validator that is not stored"
    );
}

fn check_match(stored: &str, from_304: &str, expected: bool) {
    assert_eq!(
        is_match_304(&headers(stored), &headers(from_304)),
        expected,
        "{stored} {from_304}"
    );
}

#[test]
fn a_strong_validator_must_be_the_same() {
    check_match("etag: \"v1\"", "etag: \"v1\"", true);
    check_match("etag: \"v1\"", "etag: \"v2\"", false);
    check_match("etag: W/\"v1\"", "etag: \"v1\"", false);
    check_match(MODIFIED, "etag: \"v1\"", false);
}

#[test]
fn a_weak_validator_must_match_weakly() {
    check_match("etag: W/\"v1\"", "etag: W/\"v1\"", true);
    check_match("etag: \"v1\"", "etag: W/\"v1\"", true);
    check_match("etag: W/\"v1\"", "etag: W/\"v2\"", false);
    check_match(MODIFIED, MODIFIED, true);
    check_match(MODIFIED, MODIFIED_LATER, false);
    check_match(&format!("etag: \"v1\"\n{MODIFIED}"), MODIFIED_LATER, false);
}

#[test]
fn a_304_without_validators_speaks_of_what_was_asked_for() {
    check_match("etag: \"v1\"", "cache-control: max-age=60", true);
    check_match(MODIFIED, "", true);
}

fn check_update(stored: &str, from_304: &str, expected: &[&str]) {
    assert_eq!(
        lines(&updated_headers(&headers(stored), &headers(from_304), &rules())),
        expected,
        "{from_304}"
    );
}

#[test]
fn the_304_replaces_fields_and_adds_new_ones() {
    check_update(
        "etag: \"v1\"\nx-a: 1",
        "etag: \"v1\"\nx-b: 2",
        &["etag: \"v1\"", "x-a: 1", "x-b: 2"],
    );
    check_update("x-a: 1\nx-a: 2", "x-a: 3", &["x-a: 3"]);
    check_update("x-a: 1", "x-a: 2\nx-a: 3", &["x-a: 2", "x-a: 3"]);
    check_update(
        "content-type: text/html",
        "content-type: text/css",
        &["content-type: text/css"],
    );
}

#[test]
fn what_describes_the_stored_bytes_stays() {
    check_update("content-length: 5", "content-length: 0", &["content-length: 5"]);
    check_update(
        "x-a: 1",
        "content-encoding: gzip\ncontent-range: bytes 0-1/2",
        &["x-a: 1"],
    );
}

#[test]
fn what_is_not_stored_is_not_taken_over() {
    let from_304 = "connection: x-b\nx-b: 1\nkeep-alive: 5\nage: 7\nvia: 1.1 x\nset-cookie: a=1\nx-c: 1";
    check_update("x-a: 1", from_304, &["x-a: 1", "x-c: 1"]);
}

fn freshen(stored: &str, from_304: &str) -> Freshened {
    freshened(
        asked(&Method::GET),
        StatusCode::OK,
        &headers(stored),
        &headers(from_304),
        &rules(),
        NOW,
    )
}

#[test]
fn a_304_gives_a_new_lifetime() {
    let Freshened { headers, storability } =
        freshen("etag: \"v1\"\ncache-control: max-age=60", "cache-control: max-age=90");
    assert_eq!(
        lines(&headers),
        [
            "cache-control: max-age=90",
            "date: Sun, 06 Nov 1994 08:49:37 GMT",
            "etag: \"v1\""
        ]
    );
    let Storability::Store(lifetime) = storability else {
        panic!("{storability:?}")
    };
    assert_eq!(lifetime.fresh_secs, 90);
}

#[test]
fn a_304_that_says_nothing_renews_the_old_lifetime() {
    let freshened = freshen("etag: \"v1\"\ncache-control: max-age=60", "etag: \"v1\"");
    let Storability::Store(lifetime) = freshened.storability else {
        panic!("{freshened:?}")
    };
    assert_eq!((lifetime.fresh_secs, lifetime.initial_age_secs), (60, 0));
}

#[test]
fn the_age_of_a_304_counts() {
    let freshened = freshen("etag: \"v1\"\ncache-control: max-age=60", "age: 20");
    let Storability::Store(lifetime) = freshened.storability else {
        panic!("{freshened:?}")
    };
    assert_eq!((lifetime.fresh_secs, lifetime.initial_age_secs), (40, 20));
    assert!(!freshened.headers.contains_key("age"));
}

#[test]
fn a_304_can_end_a_stored_response() {
    let judged = |from_304: &str| freshen("etag: \"v1\"\ncache-control: max-age=60", from_304).storability;
    assert_eq!(
        judged("cache-control: no-store"),
        Storability::DoNotStore(NotStored::NoStore)
    );
    assert_eq!(judged("vary: *"), Storability::DoNotStore(NotStored::Vary));
}

#[test]
fn a_digest_stays_with_the_bytes_it_is_of() {
    let freshened = freshen(
        "etag: \"v1\"\ncontent-md5: old\ncontent-digest: old",
        "content-md5: new\ncontent-digest: new\nx-a: new",
    );
    assert_eq!(freshened.headers["content-md5"], "old");
    assert_eq!(freshened.headers["content-digest"], "old");
    assert_eq!(freshened.headers["x-a"], "new");
}

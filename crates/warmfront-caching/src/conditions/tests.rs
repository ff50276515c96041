use super::*;
use crate::testing::{headers, lines};

const STORED: &str = "etag: \"v1\"\nlast-modified: Sun, 06 Nov 1994 08:49:37 GMT\ndate: Mon, 07 Nov 1994 00:00:00 GMT";

fn evaluate(method: Method, request: &str, status: u16, stored: &str) -> Precondition {
    viewer_conditions(
        &method,
        &headers(request),
        StatusCode::from_u16(status).unwrap(),
        &headers(stored),
    )
}

fn check(request: &str, stored: &str, expected: Precondition) {
    assert_eq!(evaluate(Method::GET, request, 200, stored), expected, "{request}");
    assert_eq!(evaluate(Method::HEAD, request, 200, stored), expected, "HEAD {request}");
}

#[test]
fn without_conditions_everything_is_sent() {
    check("accept: */*", STORED, Precondition::None);
}

#[test]
fn if_none_match_is_compared_weakly() {
    check("if-none-match: \"v1\"", STORED, Precondition::NotModified);
    check("if-none-match: W/\"v1\"", STORED, Precondition::NotModified);
    check("if-none-match: \"v1\"", "etag: W/\"v1\"", Precondition::NotModified);
    check("if-none-match: \"v0\", \"v1\"", STORED, Precondition::NotModified);
    check("if-none-match: \"v2\"", STORED, Precondition::None);
    check("if-none-match: v1", STORED, Precondition::None);
    check("if-none-match: *", "", Precondition::NotModified);
    check("if-none-match: \"v1\"", "", Precondition::None);
}

#[test]
fn if_modified_since_is_compared_with_last_modified() {
    check(
        "if-modified-since: Sun, 06 Nov 1994 08:49:37 GMT",
        STORED,
        Precondition::NotModified,
    );
    check(
        "if-modified-since: Sun, 06 Nov 1994 08:49:38 GMT",
        STORED,
        Precondition::NotModified,
    );
    check(
        "if-modified-since: Sun, 06 Nov 1994 08:49:36 GMT",
        STORED,
        Precondition::None,
    );
    check(
        "if-modified-since: Sunday, 06-Nov-94 08:49:37 GMT",
        STORED,
        Precondition::NotModified,
    );
}

#[test]
fn if_modified_since_falls_back_to_date() {
    let stored = "date: Sun, 06 Nov 1994 08:49:37 GMT";
    check(
        "if-modified-since: Sun, 06 Nov 1994 08:49:37 GMT",
        stored,
        Precondition::NotModified,
    );
    check(
        "if-modified-since: Sun, 06 Nov 1994 08:49:36 GMT",
        stored,
        Precondition::None,
    );
    check(
        "if-modified-since: Sun, 06 Nov 1994 08:49:37 GMT",
        "",
        Precondition::None,
    );
}

#[test]
fn a_date_that_cannot_be_read_is_no_condition() {
    check("if-modified-since: tomorrow", STORED, Precondition::None);
    let twice = "if-modified-since: Sun, 06 Nov 1994 08:49:37 GMT\nif-modified-since: Sun, 06 Nov 1994 08:49:37 GMT";
    check(twice, STORED, Precondition::None);
}

#[test]
fn if_none_match_comes_before_if_modified_since() {
    let date = "if-modified-since: Sun, 06 Nov 1994 08:49:37 GMT";
    check(&format!("if-none-match: \"v2\"\n{date}"), STORED, Precondition::None);
    let earlier = "if-modified-since: Sun, 06 Nov 1994 08:49:36 GMT";
    check(
        &format!("if-none-match: \"v1\"\n{earlier}"),
        STORED,
        Precondition::NotModified,
    );
}

#[test]
fn conditions_for_the_origin_are_not_evaluated() {
    check("if-match: \"v2\"", STORED, Precondition::None);
    check(
        "if-unmodified-since: Sun, 06 Nov 1994 08:49:36 GMT",
        STORED,
        Precondition::None,
    );
}

#[test]
fn only_reading_a_200_can_be_answered_with_304() {
    let request = "if-none-match: \"v1\"";
    assert_eq!(evaluate(Method::OPTIONS, request, 200, STORED), Precondition::None);
    for status in [203, 301, 404, 500] {
        assert_eq!(evaluate(Method::GET, request, status, STORED), Precondition::None);
    }
}

#[test]
fn a_304_carries_what_guides_caches() {
    let stored = headers(
        "cache-control: max-age=60\ncontent-location: /a\ndate: Sun, 06 Nov 1994 08:49:37 GMT\netag: \"v1\"\n\
         expires: Sun, 06 Nov 1994 08:50:37 GMT\nvary: origin\nx-a: 1\nlast-modified: Sun, 06 Nov 1994 08:49:37 GMT\n\
         content-type: text/css\ncontent-length: 5\ncontent-encoding: gzip\ncontent-language: en",
    );
    let expected = [
        "cache-control: max-age=60",
        "content-location: /a",
        "date: Sun, 06 Nov 1994 08:49:37 GMT",
        "etag: \"v1\"",
        "expires: Sun, 06 Nov 1994 08:50:37 GMT",
        "vary: origin",
        "x-a: 1",
    ];
    assert_eq!(lines(&not_modified_headers(&stored)), expected);
    let without_etag = headers("last-modified: Sun, 06 Nov 1994 08:49:37 GMT\ncontent-length: 5");
    assert_eq!(
        lines(&not_modified_headers(&without_etag)),
        ["last-modified: Sun, 06 Nov 1994 08:49:37 GMT"]
    );
}

use super::*;

const ETAG: &str = "9bb58f26192e4ba00f01e2e7b136bbd8";
const OTHER: &str = "\"00000000000000000000000000000000\"";
const MODIFIED: i64 = 784_111_777;

fn check(conditions: Conditions<'_>, expected: Outcome) {
    assert_eq!(conditions.evaluate(ETAG, MODIFIED), expected, "{conditions:?}");
}

/// The table in S3's API reference, GetObject: If-Match true and If-Unmodified-Since false gives 200;
/// If-None-Match false and If-Modified-Since true gives 304; the rest from RFC 9110 section 13.2.2.
#[test]
fn conditions_take_precedence_as_the_documents_say() {
    use Outcome::{NotModified, PreconditionFailed, Proceed};
    let quoted = format!("\"{ETAG}\"");
    let (same, before, after) = (Some(quoted.as_str()), Some(MODIFIED - 1), Some(MODIFIED));
    let none = Conditions::default();
    check(none.clone(), Proceed);
    check(
        Conditions {
            if_match: same,
            if_unmodified_since: before,
            ..none.clone()
        },
        Proceed,
    );
    check(
        Conditions {
            if_match: Some(OTHER),
            if_unmodified_since: after,
            ..none.clone()
        },
        PreconditionFailed,
    );
    check(
        Conditions {
            if_unmodified_since: before,
            ..none.clone()
        },
        PreconditionFailed,
    );
    check(
        Conditions {
            if_unmodified_since: after,
            ..none.clone()
        },
        Proceed,
    );
    check(
        Conditions {
            if_none_match: same,
            if_modified_since: before,
            ..none.clone()
        },
        NotModified,
    );
    check(
        Conditions {
            if_none_match: Some(OTHER),
            if_modified_since: after,
            ..none.clone()
        },
        Proceed,
    );
    check(
        Conditions {
            if_modified_since: after,
            ..none.clone()
        },
        NotModified,
    );
    check(
        Conditions {
            if_modified_since: before,
            ..none.clone()
        },
        Proceed,
    );
    check(
        Conditions {
            if_match: Some(OTHER),
            if_none_match: same,
            ..none.clone()
        },
        PreconditionFailed,
    );
    check(
        Conditions {
            if_match: Some("*"),
            ..none.clone()
        },
        Proceed,
    );
    check(
        Conditions {
            if_none_match: Some("*"),
            ..none
        },
        NotModified,
    );
}

#[test]
fn etags_are_compared_strongly_or_weakly_and_come_in_lists() {
    use Outcome::{NotModified, PreconditionFailed};
    let weak = format!("W/\"{ETAG}\"");
    let list = format!("{OTHER}, \"{ETAG}\"");
    check(
        Conditions {
            if_match: Some(&weak),
            ..Conditions::default()
        },
        PreconditionFailed,
    );
    check(
        Conditions {
            if_none_match: Some(&weak),
            ..Conditions::default()
        },
        NotModified,
    );
    check(
        Conditions {
            if_none_match: Some(&list),
            ..Conditions::default()
        },
        NotModified,
    );
    check(
        Conditions {
            if_none_match: Some(ETAG),
            ..Conditions::default()
        },
        NotModified,
    );
}

#[test]
fn a_date_that_cannot_be_read_is_no_condition() {
    let mut headers = HeaderMap::new();
    headers.insert("if-modified-since", http::HeaderValue::from_static("tomorrow"));
    check(Conditions::from_headers(&headers, ""), Outcome::Proceed);
    headers.insert(
        "if-modified-since",
        http::HeaderValue::from_static("Sun, 06 Nov 1994 08:49:37 GMT"),
    );
    check(Conditions::from_headers(&headers, ""), Outcome::NotModified);
}

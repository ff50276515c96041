use warmfront_model::KeyPart;

use super::*;
use crate::testing::{headers, only};

fn check(viewer: &str, part: &KeyPart, expected: Option<&str>) {
    let cookies = forwarded_cookies(&headers(viewer), part);
    assert_eq!(
        cookies.as_ref().map(|value| value.to_str().unwrap()),
        expected,
        "{viewer} {part:?}"
    );
}

#[test]
fn cookies_are_sorted_by_name() {
    check("cookie: b=2; a=1; c=3", &KeyPart::All, Some("a=1; b=2; c=3"));
    check("cookie: b=2\ncookie: a=1", &KeyPart::All, Some("a=1; b=2"));
    check("cookie: ab=1; a=2; a=1", &KeyPart::All, Some("a=1; a=2; ab=1"));
}

#[test]
fn only_those_configured_are_sent() {
    check("cookie: a=1; b=2", &KeyPart::None, None);
    check("cookie: a=1; b=2", &only(&["b"]), Some("b=2"));
    check("cookie: a=1; b=2", &only(&["c"]), None);
    check("cookie: a=1; b=2", &KeyPart::AllExcept(vec!["b".into()]), Some("a=1"));
    check("", &KeyPart::All, None);
}

#[test]
fn names_are_case_sensitive_and_stand_for_themselves() {
    check("cookie: A=1; a=2", &only(&["a"]), Some("a=2"));
    check("cookie: a =1", &only(&["a"]), None);
    check("cookie: abc=1; a*=2", &only(&["a*"]), Some("a*=2"));
}

#[test]
fn odd_pairs_keep_their_form() {
    check("cookie: ;; a=b=c;flag ; ", &KeyPart::All, Some("a=b=c; flag"));
}

use http::StatusCode;
use warmfront_model::{KeyPart, MethodSet};

use super::*;
use crate::storability::storability;
use crate::testing::{NOW, headers, rules, ttl};

fn check(response: &str, rules: &Rules<'_>, expected: bool) {
    let response = headers(response);
    let storability = storability(&Method::GET, StatusCode::OK, &response, rules, NOW);
    assert_eq!(may_share(&storability, &response, rules), expected, "{response:?}");
}

#[test]
fn requests_wait_only_where_something_is_cached() {
    let disabled = Rules {
        ttl: ttl(0, 0, 0),
        ..rules()
    };
    let options = Rules {
        cached_methods: MethodSet::GetHeadOptions,
        ..rules()
    };
    assert!(may_collapse(&Method::GET, &rules()));
    assert!(may_collapse(&Method::HEAD, &rules()));
    assert!(!may_collapse(&Method::POST, &rules()));
    assert!(!may_collapse(&Method::OPTIONS, &rules()));
    assert!(may_collapse(&Method::OPTIONS, &options));
    assert!(!may_collapse(&Method::GET, &disabled));
    assert!(!may_collapse(
        &Method::GET,
        &Rules {
            headers: &KeyPart::All,
            ..rules()
        }
    ));
}

#[test]
fn with_min_ttl_0_what_must_not_be_reused_is_not_shared() {
    for directive in [
        "private",
        "no-store",
        "no-cache",
        "max-age=0",
        "s-maxage=0",
        "max-age=60, s-maxage=0",
    ] {
        check(&format!("etag: \"a\"\ncache-control: {directive}"), &rules(), false);
    }
    for directive in [
        "max-age=60",
        "max-age=0, s-maxage=60",
        "no-cache=\"set-cookie\"",
        "public",
    ] {
        check(&format!("etag: \"a\"\ncache-control: {directive}"), &rules(), true);
    }
}

#[test]
fn with_a_min_ttl_it_is_shared() {
    let rules = Rules {
        ttl: ttl(1, 60, 1000),
        ..rules()
    };
    for directive in ["private", "no-store", "no-cache", "max-age=0"] {
        check(&format!("cache-control: {directive}"), &rules, true);
    }
}

#[test]
fn what_is_not_stored_is_not_shared() {
    check("vary: x-a\ncache-control: max-age=60", &rules(), false);
}

use http::{Method, StatusCode};

use super::*;
use crate::storability::storability;
use crate::testing::{NOW, asked, edge_rules, headers, rules, ttl};

fn check(response: &str, rules: &Rules<'_>, expected: bool) {
    let response = headers(response);
    let storability = storability(asked(&Method::GET), StatusCode::OK, &response, rules, NOW);
    assert_eq!(may_share(&storability, &response, rules), expected, "{response:?}");
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
    check("vary: *\ncache-control: max-age=60", &rules(), false);
}

#[test]
fn a_min_ttl_that_overrules_nothing_shares_nothing_either() {
    let rules = Rules {
        ttl: ttl(1, 60, 1000),
        ..edge_rules()
    };
    check("etag: \"a\"\ncache-control: no-cache", &rules, false);
    check("cdn-cache-control: max-age=60\ncache-control: no-cache", &rules, true);
}

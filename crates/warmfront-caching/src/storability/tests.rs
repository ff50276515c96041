use warmfront_model::{KeyPart, MethodSet};

use super::*;
use crate::testing::{NOW, asked, edge_rules, headers, rules, ttl};

mod rfc;

fn judge(status: u16, response: &str, rules: &Rules<'_>) -> Storability {
    let status = StatusCode::from_u16(status).unwrap();
    storability(asked(&Method::GET), status, &headers(response), rules, NOW)
}

/// `expected` is the time of freshness and the rule behind it, or the reason for not storing.
fn check(status: u16, response: &str, rules: &Rules<'_>, expected: Result<(u64, &str), &str>) {
    let got = match judge(status, response, rules) {
        Storability::Store(lifetime) => Ok((lifetime.fresh_secs, lifetime.rule.as_str())),
        Storability::DoNotStore(reason) => Err(reason.as_str()),
    };
    assert_eq!(got, expected, "{status} {response} {:?}", rules.ttl);
}

/// A 200 under MinTTL 0, DefaultTTL 100, MaxTTL 1000, and under MinTTL 60.
fn check_both(response: &str, min_0: Result<(u64, &str), &str>, min_60: Result<(u64, &str), &str>) {
    check(
        200,
        response,
        &Rules {
            ttl: ttl(0, 100, 1000),
            ..rules()
        },
        min_0,
    );
    check(
        200,
        response,
        &Rules {
            ttl: ttl(60, 100, 1000),
            ..rules()
        },
        min_60,
    );
}

fn check_error(status: u16, response: &str, expected: Result<(u64, &str), &str>) {
    check(
        status,
        response,
        &Rules {
            ttl: ttl(0, 100, 1000),
            ..rules()
        },
        expected,
    );
}

#[test]
fn max_age_is_clamped() {
    check_both("cache-control: max-age=300", Ok((300, "max-age")), Ok((300, "max-age")));
    check_both(
        "cache-control: max-age=1000",
        Ok((1000, "max-age")),
        Ok((1000, "max-age")),
    );
    check_both(
        "cache-control: max-age=1001",
        Ok((1000, "max-ttl")),
        Ok((1000, "max-ttl")),
    );
    check_both("cache-control: max-age=60", Ok((60, "max-age")), Ok((60, "max-age")));
    check_both("cache-control: max-age=59", Ok((59, "max-age")), Ok((60, "min-ttl")));
}

#[test]
fn s_maxage_beats_max_age() {
    check_both(
        "cache-control: max-age=300, s-maxage=400",
        Ok((400, "s-maxage")),
        Ok((400, "s-maxage")),
    );
    check_both(
        "cache-control: s-maxage=5, max-age=300",
        Ok((5, "s-maxage")),
        Ok((60, "min-ttl")),
    );
}

#[test]
fn max_age_beats_expires() {
    let response =
        "cache-control: max-age=300\ndate: Sun, 06 Nov 1994 08:49:37 GMT\nexpires: Sun, 06 Nov 1994 08:59:37 GMT";
    check_both(response, Ok((300, "max-age")), Ok((300, "max-age")));
}

#[test]
fn expires_counts_from_date() {
    check_both(
        "expires: Sun, 06 Nov 1994 08:59:37 GMT",
        Ok((600, "expires")),
        Ok((600, "expires")),
    );
    let other_clock = "date: Sun, 06 Nov 1994 07:00:00 GMT\nexpires: Sun, 06 Nov 1994 07:05:00 GMT";
    check_both(other_clock, Ok((300, "expires")), Ok((300, "expires")));
}

#[test]
fn an_expires_in_the_past_or_without_a_date_is_stale() {
    for expires in [
        "0",
        "-1",
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:36 GMT",
    ] {
        check_both(
            &format!("etag: \"a\"\nexpires: {expires}"),
            Ok((0, "expires")),
            Ok((60, "min-ttl")),
        );
    }
}

#[test]
fn without_any_of_them_the_default_ttl_counts() {
    check_both("", Ok((100, "default-ttl")), Ok((100, "default-ttl")));
    check_both(
        "cache-control: public",
        Ok((100, "default-ttl")),
        Ok((100, "default-ttl")),
    );
    check_both("pragma: no-cache", Ok((100, "default-ttl")), Ok((100, "default-ttl")));
    check_both(
        "last-modified: Sun, 06 Nov 1904 08:49:37 GMT",
        Ok((100, "default-ttl")),
        Ok((100, "default-ttl")),
    );
}

#[test]
fn a_min_ttl_overrules_what_forbids_reuse() {
    check_both("cache-control: no-store", Err("no-store"), Ok((60, "min-ttl")));
    check_both("cache-control: private", Err("private"), Ok((60, "min-ttl")));
    check_both(
        "etag: \"a\"\ncache-control: no-cache",
        Ok((0, "no-cache")),
        Ok((60, "min-ttl")),
    );
    check_both(
        "cache-control: max-age=300, no-store",
        Err("no-store"),
        Ok((60, "min-ttl")),
    );
    check_both(
        "cache-control: s-maxage=300, private",
        Err("private"),
        Ok((60, "min-ttl")),
    );
    check_both(
        "etag: \"a\"\ncache-control: no-cache, max-age=300",
        Ok((0, "no-cache")),
        Ok((60, "min-ttl")),
    );
}

#[test]
fn a_directive_about_some_fields_forbids_nothing_else() {
    check_both(
        "cache-control: no-cache=\"set-cookie\", max-age=300",
        Ok((300, "max-age")),
        Ok((300, "max-age")),
    );
    check_both(
        "cache-control: private=\"x-a\", max-age=300",
        Ok((300, "max-age")),
        Ok((300, "max-age")),
    );
}

#[test]
fn what_is_never_fresh_is_kept_if_it_can_be_revalidated() {
    for fresh in ["no-cache", "max-age=0"] {
        let kept = |validator: &str| {
            let response = format!("cache-control: {fresh}\n{validator}");
            matches!(
                judge(200, &response, &rules()),
                Storability::Store(Lifetime { fresh_secs: 0, .. })
            )
        };
        assert!(kept("etag: W/\"a\""), "{fresh}");
        assert!(kept("last-modified: Sun, 06 Nov 1994 08:49:37 GMT"), "{fresh}");
        assert!(!kept("x-a: 1"), "{fresh}");
        assert!(!kept("etag: unquoted"), "{fresh}");
    }
    check_both("cache-control: max-age=0", Err("never-usable"), Ok((60, "min-ttl")));
    check_both(
        "cache-control: max-age=0, stale-while-revalidate=5",
        Ok((0, "max-age")),
        Ok((60, "min-ttl")),
    );
    check_both(
        "cache-control: max-age=0, stale-if-error=5",
        Ok((0, "max-age")),
        Ok((60, "min-ttl")),
    );
}

#[test]
fn nothing_is_revalidated_where_cookies_are_forwarded() {
    let rules = Rules {
        cookies: &KeyPart::All,
        ..rules()
    };
    check(200, "etag: \"a\"\ncache-control: no-cache", &rules, Err("never-usable"));
}

#[test]
fn the_time_in_other_caches_is_taken_off() {
    check_both(
        "cache-control: max-age=300\nage: 100",
        Ok((200, "max-age")),
        Ok((200, "max-age")),
    );
    check_both(
        "etag: \"a\"\ncache-control: max-age=300\nage: 300",
        Ok((0, "max-age")),
        Ok((60, "min-ttl")),
    );
    check_both(
        "etag: \"a\"\ncache-control: max-age=300\nage: 301",
        Ok((0, "max-age")),
        Ok((60, "min-ttl")),
    );
    check_both("age: 50", Ok((100, "default-ttl")), Ok((100, "default-ttl")));
}

#[test]
fn a_zero_default_ttl_means_asking_each_time() {
    let rules = Rules {
        ttl: ttl(0, 0, 1000),
        ..rules()
    };
    check(200, "etag: \"a\"", &rules, Ok((0, "default-ttl")));
    check(200, "", &rules, Err("never-usable"));
    check(200, "cache-control: max-age=300", &rules, Ok((300, "max-age")));
}

#[test]
fn caching_disabled_stores_nothing_errors_neither() {
    let rules = Rules {
        ttl: ttl(0, 0, 0),
        ..rules()
    };
    check(200, "cache-control: max-age=300", &rules, Err("caching-disabled"));
    check(404, "", &rules, Err("caching-disabled"));
}

#[test]
fn forwarding_all_headers_stores_nothing() {
    let rules = Rules {
        headers: &KeyPart::All,
        ..rules()
    };
    check(200, "cache-control: max-age=300", &rules, Err("all-headers-forwarded"));
}

#[test]
fn methods_are_stored_as_configured() {
    let judge = |method: Method, cached_methods| {
        let rules = Rules {
            cached_methods,
            ..rules()
        };
        storability(asked(&method), StatusCode::OK, &HeaderMap::new(), &rules, NOW)
    };
    let not_stored = Storability::DoNotStore(NotStored::Method);
    assert!(matches!(judge(Method::GET, MethodSet::GetHead), Storability::Store(_)));
    assert_eq!(judge(Method::HEAD, MethodSet::GetHead), not_stored);
    assert_eq!(judge(Method::OPTIONS, MethodSet::GetHead), not_stored);
    assert!(matches!(
        judge(Method::OPTIONS, MethodSet::GetHeadOptions),
        Storability::Store(_)
    ));
    assert_eq!(judge(Method::POST, MethodSet::GetHeadOptions), not_stored);
    assert_eq!(judge(Method::TRACE, MethodSet::GetHeadOptions), not_stored);
}

#[test]
fn a_vary_is_no_reason_not_to_store() {
    let kept = Ok((60, "max-age"));
    for vary in ["Origin", "Origin, X-A", "Cookie", "Accept-Encoding"] {
        let response = format!("cache-control: max-age=60\nvary: {vary}");
        check(200, &response, &rules(), kept);
        check(200, &response, &edge_rules(), kept);
    }
}

#[test]
fn a_vary_on_everything_is_not_stored_unless_a_min_ttl_drops_it() {
    let response = "cache-control: max-age=90\nvary: Origin, *";
    check_both(response, Err("vary"), Ok((90, "max-age")));
    let strict = Rules {
        ttl: ttl(60, 100, 1000),
        ..edge_rules()
    };
    check(200, response, &strict, Err("vary"));
    check(404, "vary: *", &rules(), Err("vary"));
}

#[test]
fn success_and_redirects_go_by_the_table() {
    for status in [200, 203, 204, 301, 302, 303] {
        check_error(status, "", Ok((100, "default-ttl")));
    }
    check_error(300, "", Err("status"));
    check_error(300, "cache-control: max-age=5", Ok((5, "max-age")));
    check_error(206, "cache-control: max-age=300", Err("partial-content"));
}

#[test]
fn temporary_redirects_need_cache_control() {
    for status in [307, 308] {
        check_error(status, "", Err("status"));
        check_error(status, "expires: Sun, 06 Nov 1994 08:59:37 GMT", Err("status"));
        check_error(status, "cache-control: public", Ok((100, "default-ttl")));
        check_error(status, "cache-control: max-age=300", Ok((300, "max-age")));
        check_error(status, "cache-control: no-store", Err("no-store"));
    }
}

#[test]
fn some_errors_are_always_kept_for_a_while() {
    for status in [404, 414, 500, 501, 502, 503, 504] {
        check_error(status, "", Ok((10, "error-caching-min-ttl")));
        check_error(status, "cache-control: no-store", Ok((10, "error-caching-min-ttl")));
        check_error(status, "cache-control: max-age=9", Ok((10, "error-caching-min-ttl")));
        check_error(status, "cache-control: max-age=11", Ok((11, "max-age")));
        check_error(status, "expires: Sun, 06 Nov 1994 08:50:37 GMT", Ok((60, "expires")));
        check_error(status, "cache-control: s-maxage=1001", Ok((1000, "max-ttl")));
    }
}

#[test]
fn some_errors_are_kept_with_max_age_alone() {
    for status in [400, 405, 412, 415] {
        check_error(status, "", Err("status"));
        check_error(status, "expires: Sun, 06 Nov 1994 08:50:37 GMT", Err("status"));
        check_error(status, "cache-control: max-age=0", Ok((10, "error-caching-min-ttl")));
        check_error(status, "cache-control: s-maxage=60", Ok((60, "s-maxage")));
        check_error(status, "cache-control: max-age=60, no-store", Err("no-store"));
    }
}

#[test]
fn a_403_is_kept_briefly_unless_it_forbids_it() {
    check_error(403, "", Ok((10, "error-caching-min-ttl")));
    check_error(403, "cache-control: max-age=60", Ok((60, "max-age")));
    check_error(403, "cache-control: no-store", Err("no-store"));
    check_error(403, "cache-control: private", Err("private"));
}

#[test]
fn other_errors_need_freshness_of_their_own() {
    for status in [401, 409, 410, 429, 505] {
        check_error(status, "", Err("status"));
        check_error(status, "cache-control: max-age=5", Ok((5, "max-age")));
        check_error(status, "cache-control: max-age=5, private", Err("private"));
        check_error(status, "cache-control: max-age=0", Err("never-usable"));
    }
    check_error(416, "cache-control: max-age=300", Err("status"));
    check_error(304, "cache-control: max-age=300", Err("status"));
}

#[test]
fn min_ttl_and_default_ttl_do_not_apply_to_errors() {
    let long = Rules {
        ttl: ttl(60, 100, 1000),
        ..rules()
    };
    check(404, "", &long, Ok((10, "error-caching-min-ttl")));
    check(503, "cache-control: max-age=20", &long, Ok((20, "max-age")));
    check(410, "cache-control: max-age=5", &long, Ok((5, "max-age")));
}

#[test]
fn max_ttl_limits_the_error_minimum_and_zero_stores_nothing() {
    check(
        404,
        "",
        &Rules {
            ttl: ttl(0, 5, 5),
            ..rules()
        },
        Ok((5, "max-ttl")),
    );
    check(
        404,
        "",
        &Rules {
            error_caching_min_ttl_secs: 0,
            ..rules()
        },
        Err("never-usable"),
    );
    check(
        404,
        "",
        &Rules {
            error_caching_min_ttl_secs: 300,
            ..rules()
        },
        Ok((300, "error-caching-min-ttl")),
    );
}

#[test]
fn a_501_from_s3_that_forbids_reuse_is_not_stored() {
    let s3 = Rules {
        ttl: ttl(60, 100, 1000),
        s3_origin: true,
        ..rules()
    };
    check(501, "", &s3, Ok((10, "error-caching-min-ttl")));
    for (directive, reason) in [
        ("no-store", "no-store"),
        ("private", "private"),
        ("no-cache", "never-usable"),
    ] {
        check(501, &format!("cache-control: {directive}"), &s3, Err(reason));
    }
    check(500, "cache-control: no-store", &s3, Ok((10, "error-caching-min-ttl")));
}

#[test]
fn an_error_is_never_used_stale() {
    let response = "cache-control: max-age=60, stale-while-revalidate=60, stale-if-error=60";
    let Storability::Store(lifetime) = judge(404, response, &rules()) else {
        panic!("not stored")
    };
    assert_eq!(
        (lifetime.stale_while_revalidate_secs, lifetime.stale_if_error_secs),
        (0, 0)
    );
}

//! The rules of the profile `edge`.

use super::*;
use crate::Switches;

/// Under RFC 9111: MinTTL 0, DefaultTTL 100, MaxTTL 1000.
fn check_edge(status: u16, response: &str, expected: Result<(u64, &str), &str>) {
    let rules = Rules {
        ttl: ttl(0, 100, 1000),
        ..edge_rules()
    };
    check(status, response, &rules, expected);
}

/// A minute, ten minutes and ten days before the moment of the tests.
const MINUTE_AGO: &str = "last-modified: Sun, 06 Nov 1994 08:48:37 GMT";
const TEN_MINUTES_AGO: &str = "last-modified: Sun, 06 Nov 1994 08:39:37 GMT";
const TEN_DAYS_AGO: &str = "last-modified: Thu, 27 Oct 1994 08:49:37 GMT";

#[test]
fn a_tenth_of_the_time_since_its_modification_is_guessed() {
    check_edge(200, MINUTE_AGO, Ok((6, "heuristic")));
    check_edge(200, TEN_MINUTES_AGO, Ok((60, "heuristic")));
    check_edge(200, TEN_DAYS_AGO, Ok((100, "heuristic")));
    check_edge(200, &format!("{TEN_MINUTES_AGO}\nage: 20"), Ok((40, "heuristic")));
    let other_clock = "date: Sun, 06 Nov 1994 07:10:00 GMT\nlast-modified: Sun, 06 Nov 1994 07:00:00 GMT";
    let rules = Rules {
        switches: Switches {
            date_counts_as_age: false,
            ..Switches::EDGE
        },
        ..edge_rules()
    };
    check(200, other_clock, &rules, Ok((60, "heuristic")));
}

#[test]
fn without_a_modification_nothing_is_guessed() {
    check_edge(200, "", Err("never-usable"));
    check_edge(200, "etag: \"a\"", Ok((0, "min-ttl")));
    check_edge(200, "last-modified: yesterday", Err("never-usable"));
    let min_60 = Rules {
        ttl: ttl(60, 100, 1000),
        ..edge_rules()
    };
    check(200, "", &min_60, Ok((60, "min-ttl")));
}

#[test]
fn nothing_is_guessed_where_a_cookie_is_set() {
    let response = format!("{TEN_DAYS_AGO}\nset-cookie: a=b");
    check_edge(200, &response, Ok((0, "min-ttl")));
    check_edge(200, "cache-control: max-age=60\nset-cookie: a=b", Ok((60, "max-age")));
}

#[test]
fn only_some_statuses_are_guessed_for() {
    for status in [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501] {
        check_edge(status, TEN_MINUTES_AGO, Ok((60, "heuristic")));
    }
    for status in [201, 202, 302, 303, 307, 400, 403, 500, 502, 503, 504, 599] {
        check_edge(status, TEN_MINUTES_AGO, Err("status"));
        let public = format!("{TEN_MINUTES_AGO}\ncache-control: public");
        check_edge(status, &public, Ok((60, "heuristic")));
    }
    for status in [404, 405, 410, 414, 501] {
        check_edge(status, "", Ok((10, "error-caching-min-ttl")));
    }
}

#[test]
fn any_final_status_may_state_its_freshness() {
    for status in [
        200, 201, 299, 302, 307, 308, 400, 403, 404, 410, 429, 499, 500, 503, 599,
    ] {
        check_edge(status, "cache-control: max-age=5", Ok((5, "max-age")));
        check_edge(status, "expires: Sun, 06 Nov 1994 08:50:37 GMT", Ok((60, "expires")));
        check_edge(status, "cache-control: max-age=0", Err("never-usable"));
        check_edge(status, "expires: 0", Err("never-usable"));
        check_edge(status, "cache-control: max-age=5, no-store", Err("no-store"));
        check_edge(status, "cache-control: max-age=5, private", Err("private"));
    }
    for status in [101, 304, 416] {
        check_edge(status, "cache-control: max-age=5", Err("status"));
    }
    check_edge(206, "cache-control: max-age=5", Err("partial-content"));
}

#[test]
fn an_error_by_the_rfc_does_not_stand_in_either() {
    let response = "cache-control: max-age=60, stale-while-revalidate=60, stale-if-error=60";
    let Storability::Store(lifetime) = judge(503, response, &edge_rules()) else {
        panic!("not stored")
    };
    assert_eq!(
        (lifetime.stale_while_revalidate_secs, lifetime.stale_if_error_secs),
        (0, 0)
    );
}

#[test]
fn under_the_rfc_a_min_ttl_overrules_nothing_that_is_stated() {
    let rules = Rules {
        ttl: ttl(60, 100, 1000),
        ..edge_rules()
    };
    check(200, "cache-control: no-store", &rules, Err("no-store"));
    check(200, "cache-control: private", &rules, Err("private"));
    check(200, "etag: \"a\"\ncache-control: no-cache", &rules, Ok((0, "no-cache")));
    check(200, "cache-control: max-age=5", &rules, Ok((5, "max-age")));
    check(200, "cache-control: max-age=2000", &rules, Ok((1000, "max-ttl")));
    check(200, MINUTE_AGO, &rules, Ok((60, "min-ttl")));
}

#[test]
fn whoever_knows_the_status_stores_despite_no_store() {
    let understood = "cache-control: no-store, must-understand, max-age=60";
    for status in [200, 301, 404, 503] {
        check_edge(status, understood, Ok((60, "max-age")));
    }
    check_edge(
        599,
        "cache-control: must-understand, max-age=60",
        Err("must-understand"),
    );
    check_edge(299, understood, Err("must-understand"));
    check(200, understood, &rules(), Err("no-store"));
    check(
        299,
        "cache-control: must-understand, max-age=60",
        &rules(),
        Ok((60, "max-age")),
    );
}

#[test]
fn a_response_to_authorization_is_stored_only_if_marked_for_sharing() {
    let check = |cache_control: &str, rules: &Rules<'_>, expected: Result<(), &str>| {
        let asked = Asked {
            authorization: true,
            ..asked(&Method::GET)
        };
        let response = headers(&format!("cache-control: {cache_control}"));
        let got = match storability(asked, StatusCode::OK, &response, rules, NOW) {
            Storability::Store(_) => Ok(()),
            Storability::DoNotStore(reason) => Err(reason.as_str()),
        };
        assert_eq!(got, expected, "{cache_control}");
    };
    for marked in ["max-age=60, public", "max-age=60, must-revalidate", "s-maxage=60"] {
        check(marked, &edge_rules(), Ok(()));
        check(marked, &rules(), Ok(()));
    }
    check("max-age=60", &edge_rules(), Err("authorization"));
    check("max-age=60, proxy-revalidate", &edge_rules(), Err("authorization"));
    check("max-age=60", &rules(), Ok(()));
}

#[test]
fn nothing_is_stored_for_a_request_that_forbids_it() {
    let viewer = headers("cache-control: no-store");
    let method = Method::GET;
    let judge = |switches: Switches| {
        let asked = Asked::new(&method, &viewer, &switches);
        let response = headers("cache-control: max-age=60");
        storability(asked, StatusCode::OK, &response, &Rules { switches, ..rules() }, NOW)
    };
    assert_eq!(
        judge(Switches::EDGE),
        Storability::DoNotStore(NotStored::RequestNoStore)
    );
    assert!(matches!(judge(Switches::AWS), Storability::Store(_)));
}

#[test]
fn cdn_cache_control_takes_the_place_of_cache_control_and_expires() {
    check_edge(
        200,
        "cdn-cache-control: max-age=60\ncache-control: max-age=5",
        Ok((60, "max-age")),
    );
    check_edge(
        200,
        "cdn-cache-control: max-age=60\ncache-control: no-store",
        Ok((60, "max-age")),
    );
    check_edge(
        200,
        "cdn-cache-control: no-store\ncache-control: max-age=60",
        Err("no-store"),
    );
    check_edge(
        200,
        "cdn-cache-control: private\ncache-control: max-age=60",
        Err("private"),
    );
    let later = "expires: Sun, 06 Nov 1994 08:50:37 GMT";
    check_edge(
        200,
        &format!("cdn-cache-control: max-age=5\n{later}"),
        Ok((5, "max-age")),
    );
    check_edge(200, &format!("cdn-cache-control: public\n{later}"), Err("never-usable"));
    check_edge(
        200,
        "cdn-cache-control: max-age=60\nage: 20\ncache-control: max-age=5",
        Ok((40, "max-age")),
    );
}

#[test]
fn a_cdn_cache_control_that_is_no_dictionary_is_not_there() {
    for field in ["max-age=60, &&", "max-age=\"60\"", ""] {
        let response = format!("cdn-cache-control: {field}\ncache-control: max-age=5");
        check_edge(200, &response, Ok((5, "max-age")));
    }
    check(
        200,
        "cdn-cache-control: max-age=60\ncache-control: max-age=5",
        &rules(),
        Ok((5, "max-age")),
    );
}

#[test]
fn options_are_not_cached_under_the_rfc() {
    let rules = Rules {
        cached_methods: MethodSet::GetHeadOptions,
        ..edge_rules()
    };
    let judged = storability(asked(&Method::OPTIONS), StatusCode::OK, &HeaderMap::new(), &rules, NOW);
    assert_eq!(judged, Storability::DoNotStore(NotStored::Method));
    assert!(!rules.may_answer_from_cache(&Method::OPTIONS));
}

#[test]
fn conditions_go_along_with_cookies_under_the_rfc() {
    let rules = Rules {
        cookies: &KeyPart::All,
        ..edge_rules()
    };
    check(200, "etag: \"a\"\ncache-control: no-cache", &rules, Ok((0, "no-cache")));
}

use http::Method;
use proptest::prelude::*;

use super::*;
use crate::testing::{NOW, after_secs, asked, edge_rules, headers, rules, ttl};
use crate::{Rules, Storability, storability};

fn lifetime(cache_control: &str, ttl: TtlBounds) -> Lifetime {
    let response = headers(&format!("etag: \"a\"\ncache-control: {cache_control}"));
    match storability(
        asked(&Method::GET),
        StatusCode::OK,
        &response,
        &Rules { ttl, ..rules() },
        NOW,
    ) {
        Storability::Store(lifetime) => lifetime,
        Storability::DoNotStore(reason) => panic!("{cache_control}: {reason:?}"),
    }
}

/// The windows for stale-while-revalidate and stale-if-error under MinTTL 0 and MaxTTL 1000.
fn check_windows(cache_control: &str, while_revalidate: u64, if_error: u64) {
    let lifetime = lifetime(cache_control, ttl(0, 100, 1000));
    let windows = (lifetime.stale_while_revalidate_secs, lifetime.stale_if_error_secs);
    assert_eq!(windows, (while_revalidate, if_error), "{cache_control}");
}

fn check_copy(cache_control: &str, age_ms: i64, expected: StoredCopy) {
    let now = Timestamp(NOW.0 + age_ms);
    assert_eq!(
        stored_copy(&lifetime(cache_control, ttl(0, 100, 1000)), NOW, now),
        expected,
        "{cache_control} {age_ms}"
    );
}

#[test]
fn fresh_for_n_seconds_is_not_fresh_when_n_have_passed() {
    check_copy("max-age=60", 0, StoredCopy::Fresh);
    check_copy("max-age=60", 59_999, StoredCopy::Fresh);
    check_copy("max-age=60", 60_000, StoredCopy::Stale);
    check_copy("no-cache", 0, StoredCopy::Stale);
    check_copy("max-age=0", 0, StoredCopy::Stale);
}

#[test]
fn a_stale_copy_answers_while_it_is_refreshed() {
    check_copy(
        "max-age=60, stale-while-revalidate=30",
        60_000,
        StoredCopy::StaleWhileRevalidate,
    );
    check_copy(
        "max-age=60, stale-while-revalidate=30",
        89_999,
        StoredCopy::StaleWhileRevalidate,
    );
    check_copy("max-age=60, stale-while-revalidate=30", 90_000, StoredCopy::Stale);
}

#[test]
fn a_clock_that_went_back_ages_nothing() {
    check_copy("max-age=60", -5_000, StoredCopy::Fresh);
    assert_eq!(age_secs(3, NOW, after_secs(-5)), 3);
}

#[test]
fn max_ttl_ends_every_window() {
    check_windows("max-age=60, stale-while-revalidate=30, stale-if-error=40", 30, 40);
    check_windows("max-age=900, stale-while-revalidate=300, stale-if-error=400", 100, 100);
    check_windows("max-age=1000, stale-while-revalidate=300, stale-if-error=400", 0, 0);
    check_windows("max-age=2000, stale-while-revalidate=300", 0, 0);
}

#[test]
fn without_a_directive_a_copy_stands_in_up_to_max_ttl() {
    check_windows("max-age=60", 0, 940);
    check_windows("public", 0, 900);
    check_windows("max-age=60, stale-if-error=0", 0, 0);
}

#[test]
fn directives_that_demand_revalidation_forbid_stale_answers() {
    check_windows(
        "max-age=60, must-revalidate, stale-while-revalidate=30, stale-if-error=40",
        0,
        0,
    );
    check_windows("max-age=60, proxy-revalidate, stale-while-revalidate=30", 0, 0);
    check_windows("no-cache, stale-while-revalidate=30", 0, 0);
    check_windows("s-maxage=60, stale-while-revalidate=30", 30, 940);
}

#[test]
fn a_min_ttl_that_overrules_no_cache_lets_the_copy_stand_in() {
    assert_eq!(lifetime("no-cache", ttl(60, 100, 1000)).stale_if_error_secs, 940);
}

fn check_failure(failure: OriginFailure, cache_control: &str, age_secs: i64, expected: bool) {
    let lifetime = lifetime(cache_control, ttl(0, 100, 1000));
    let stored = headers(&format!("cache-control: {cache_control}"));
    let times = (NOW, after_secs(age_secs));
    let may = may_serve_stale_on_error(failure, &lifetime, || stored.clone(), &Switches::AWS, times);
    assert_eq!(may, expected, "{failure:?} {cache_control} {age_secs}");
}

#[test]
fn a_failing_origin_is_stood_in_for() {
    for failure in [
        OriginFailure::Unreachable,
        OriginFailure::Status(StatusCode::SERVICE_UNAVAILABLE),
    ] {
        check_failure(failure, "max-age=60", 60, true);
        check_failure(failure, "max-age=60", 999, true);
        check_failure(failure, "max-age=60", 1000, false);
        check_failure(failure, "max-age=60, stale-if-error=40", 99, true);
        check_failure(failure, "max-age=60, stale-if-error=40", 100, false);
        check_failure(failure, "max-age=60, stale-if-error=0", 60, false);
        check_failure(failure, "max-age=60, must-revalidate", 60, false);
    }
}

#[test]
fn the_origins_own_4xx_is_not_stood_in_for() {
    check_failure(OriginFailure::Status(StatusCode::NOT_FOUND), "max-age=60", 60, false);
    check_failure(
        OriginFailure::Status(StatusCode::FORBIDDEN),
        "max-age=60, stale-if-error=40",
        60,
        false,
    );
}

fn check_age(response: &str, expected: u64) {
    assert_eq!(
        initial_age_secs(&headers(response), NOW, &Switches::AWS),
        expected,
        "{response}"
    );
}

#[test]
fn a_response_straight_from_its_origin_has_no_age() {
    check_age("", 0);
    check_age("date: Sun, 06 Nov 1994 08:49:37 GMT", 0);
    check_age("date: Sun, 06 Nov 1994 07:49:37 GMT", 0);
}

#[test]
fn a_response_from_another_cache_is_as_old_as_the_larger_of_age_and_date() {
    check_age("age: 30", 30);
    check_age("age: 30\ndate: Sun, 06 Nov 1994 08:48:37 GMT", 60);
    check_age("age: 90\ndate: Sun, 06 Nov 1994 08:48:37 GMT", 90);
    check_age("age: 30\ndate: Sun, 06 Nov 1994 09:49:37 GMT", 30);
    check_age("age: x\ndate: Sun, 06 Nov 1994 07:49:37 GMT", 0);
}

#[test]
fn date_counts_without_an_age_where_the_switch_says_so() {
    let age = |response: &str| initial_age_secs(&headers(response), NOW, &Switches::EDGE);
    assert_eq!(age("date: Sun, 06 Nov 1994 08:48:37 GMT"), 60);
    assert_eq!(age("date: Sun, 06 Nov 1994 09:49:37 GMT"), 0);
    assert_eq!(age(""), 0);
}

/// Whether a copy stands in for a failure in the profile `edge`, a second after it expired.
fn check_edge_failure(failure: OriginFailure, cache_control: &str, expected: bool) {
    let response = headers(&format!("etag: \"a\"\ncache-control: {cache_control}"));
    let Storability::Store(lifetime) = storability(asked(&Method::GET), StatusCode::OK, &response, &edge_rules(), NOW)
    else {
        panic!("{cache_control} is not stored")
    };
    let times = (NOW, after_secs(61));
    let may = may_serve_stale_on_error(failure, &lifetime, || response.clone(), &Switches::EDGE, times);
    assert_eq!(may, expected, "{failure:?} {cache_control}");
}

#[test]
fn under_the_rfc_a_5xx_is_stood_in_for_only_by_permission() {
    let status = OriginFailure::Status(StatusCode::SERVICE_UNAVAILABLE);
    check_edge_failure(status, "max-age=60", false);
    check_edge_failure(status, "max-age=60, stale-if-error=5", true);
    check_edge_failure(OriginFailure::Unreachable, "max-age=60", true);
    check_edge_failure(OriginFailure::Unreachable, "max-age=60, stale-if-error=0", false);
    check_edge_failure(OriginFailure::Unreachable, "max-age=60, must-revalidate", false);
}

#[test]
fn under_the_rfc_s_maxage_forbids_what_it_does_not_allow_itself() {
    for failure in [
        OriginFailure::Unreachable,
        OriginFailure::Status(StatusCode::SERVICE_UNAVAILABLE),
    ] {
        check_edge_failure(failure, "s-maxage=60", false);
        check_edge_failure(failure, "s-maxage=60, stale-if-error=5", true);
    }
}

#[test]
fn age_counts_whole_seconds_since_the_response() {
    assert_eq!(age_secs(0, NOW, NOW), 0);
    assert_eq!(age_secs(0, NOW, Timestamp(NOW.0 + 14_999)), 14);
    assert_eq!(age_secs(30, NOW, after_secs(14)), 44);
    assert_eq!(age_secs(u64::MAX, NOW, after_secs(14)), u64::MAX);
}

proptest! {
    #[test]
    fn a_lifetime_keeps_within_the_bounds(
        cache_control in "(max-age|s-maxage|stale-if-error|stale-while-revalidate)=[0-9]{1,12}(, (no-cache|max-age=[0-9]{1,6}))?",
        min_secs in 0..500_u64, more in 1..100_000_u64,
    ) {
        let bounds = ttl(min_secs, min_secs, min_secs + more);
        let lifetime = lifetime(&cache_control, bounds);
        prop_assert!(lifetime.fresh_secs >= min_secs);
        prop_assert!(lifetime.fresh_secs + lifetime.stale_while_revalidate_secs <= bounds.max_secs);
        prop_assert!(lifetime.fresh_secs + lifetime.stale_if_error_secs <= bounds.max_secs);
    }
}

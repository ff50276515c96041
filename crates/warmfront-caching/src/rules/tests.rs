use warmfront_model::{Distribution, TtlBounds};

use super::*;
use crate::testing::{behavior, only, rules, ttl};

#[test]
fn rules_are_taken_from_the_behavior() {
    let behavior = Behavior {
        cached_methods: MethodSet::GetHeadOptions,
        ttl: TtlBounds {
            min_secs: 1,
            default_secs: 2,
            max_secs: 3,
        },
        headers: only(&["origin"]),
        cookies: only(&["a"]),
        ..behavior()
    };
    let rules = Rules::new(
        &behavior,
        true,
        Distribution::ERROR_CACHING_MIN_TTL_SECS_DEFAULT,
        Switches::AWS,
    );
    assert_eq!(rules.ttl, ttl(1, 2, 3));
    assert!(rules.s3_origin && rules.cookies_forwarded());
    assert_eq!(rules.error_caching_min_ttl_secs, 10);
    assert!(rules.is_in_key(&http::header::ORIGIN));
    assert!(rules.is_in_key(&COOKIE));
    assert!(rules.may_answer_from_cache(&Method::OPTIONS));
}

#[test]
fn only_cached_methods_look_into_the_cache() {
    for (method, expected) in [
        (Method::GET, true),
        (Method::HEAD, true),
        (Method::OPTIONS, false),
        (Method::POST, false),
    ] {
        assert_eq!(rules().may_answer_from_cache(&method), expected, "{method}");
    }
    assert!(
        !Rules {
            ttl: ttl(0, 0, 0),
            ..rules()
        }
        .may_answer_from_cache(&Method::GET)
    );
}

#[test]
fn user_agent_is_not_in_the_key_unless_named() {
    assert!(!rules().is_in_key(&http::header::USER_AGENT));
    assert!(
        Rules {
            headers: &only(&["User-Agent"]),
            ..rules()
        }
        .is_in_key(&http::header::USER_AGENT)
    );
}

use warmfront_model::Distribution;

use super::*;
use crate::convert::{distribution, samples};
use crate::types::{
    AllowedMethods, CachedMethods, CookieNames, CookiePreference, DefaultCacheBehavior, DistributionConfig, Headers,
    ItemSelection, QueryStringCacheKeys,
};

fn convert(config: &DistributionConfig) -> Result<Distribution, ConfigError> {
    let id = warmfront_model::DistributionId::parse("E1U5RQF7T870K0").unwrap();
    distribution(config, id, "d111111abcdef8.cloudfront.net")
}

fn default_behavior(config: &DistributionConfig) -> Behavior {
    convert(config).unwrap().behaviors.pop().unwrap()
}

/// Changes a valid default behavior with a cache policy, and expects this error.
fn check(change: impl FnOnce(&mut DefaultCacheBehavior), code: ErrorCode, message: &str) {
    let mut config = samples::config();
    change(&mut config.default_cache_behavior);
    let error = convert(&config).unwrap_err();
    assert_eq!((error.code, error.message.as_str()), (code, message));
}

/// The same with ForwardedValues.
fn check_legacy(change: impl FnOnce(&mut DefaultCacheBehavior, &mut ForwardedValues), code: ErrorCode) {
    let config = legacy(change);
    assert_eq!(convert(&config).unwrap_err().code, code);
}

fn legacy(change: impl FnOnce(&mut DefaultCacheBehavior, &mut ForwardedValues)) -> DistributionConfig {
    let mut config = samples::custom_config();
    let mut forwarded = config.default_cache_behavior.forwarded_values.take().unwrap();
    change(&mut config.default_cache_behavior, &mut forwarded);
    config.default_cache_behavior.forwarded_values = Some(forwarded);
    config
}

fn strings(items: &[&str]) -> (i32, Vec<String>) {
    (
        i32::try_from(items.len()).unwrap(),
        items.iter().map(|item| (*item).to_owned()).collect(),
    )
}

fn headers(items: &[&str]) -> Option<Headers> {
    let (quantity, items) = strings(items);
    Some(Headers { quantity, items })
}

fn cookies(forward: ItemSelection, items: &[&str]) -> CookiePreference {
    let (quantity, items) = strings(items);
    CookiePreference {
        forward,
        whitelisted_names: Some(CookieNames { quantity, items }),
    }
}

fn keys(items: &[&str]) -> Option<QueryStringCacheKeys> {
    let (quantity, items) = strings(items);
    Some(QueryStringCacheKeys { quantity, items })
}

fn names(items: &[&str]) -> KeyPart {
    KeyPart::Whitelist(items.iter().map(|item| (*item).into()).collect())
}

#[test]
fn a_cache_policy_and_forwarded_values_exclude_each_other() {
    let forwarded = samples::custom_config().default_cache_behavior.forwarded_values;
    check(
        |behavior| behavior.forwarded_values = forwarded,
        ErrorCode::InvalidArgument,
        "The parameter ForwardedValues cannot be used when a cache policy is associated to the cache behavior.",
    );
    check(
        |behavior| behavior.cache_policy_id = None,
        ErrorCode::InvalidArgument,
        "The parameter ForwardedValues is required.",
    );
    check(
        |behavior| behavior.cache_policy_id = Some(String::new()),
        ErrorCode::InvalidArgument,
        "The parameter ForwardedValues is required.",
    );
}

#[test]
fn policies_must_exist() {
    let unknown = || Some("00000000-0000-0000-0000-000000000000".to_owned());
    check(
        |behavior| behavior.cache_policy_id = unknown(),
        ErrorCode::NoSuchCachePolicy,
        "The cache policy 00000000-0000-0000-0000-000000000000 does not exist.",
    );
    check(
        |behavior| behavior.origin_request_policy_id = unknown(),
        ErrorCode::NoSuchOriginRequestPolicy,
        "The origin request policy 00000000-0000-0000-0000-000000000000 does not exist.",
    );
    check(
        |behavior| behavior.response_headers_policy_id = unknown(),
        ErrorCode::NoSuchResponseHeadersPolicy,
        "The response headers policy 00000000-0000-0000-0000-000000000000 does not exist.",
    );
    let mut config = samples::config();
    config.default_cache_behavior.origin_request_policy_id = Some("88a5eaf4-2fd4-4709-b370-b4c650ea3fcf".to_owned());
    config.default_cache_behavior.response_headers_policy_id = Some("60669652-455b-4ae9-85a4-c4c02393f86c".to_owned());
    assert!(convert(&config).is_ok());
}

#[test]
fn an_origin_request_policy_needs_a_cache_policy() {
    check_legacy(
        |behavior, _| behavior.origin_request_policy_id = Some("88a5eaf4-2fd4-4709-b370-b4c650ea3fcf".to_owned()),
        ErrorCode::InvalidArgument,
    );
}

#[test]
fn ttls_must_be_in_order() {
    let message = "MinTTL, MaxTTL and DefaultTTL should follow order MinTTL less than or equal to DefaultTTL less than or \
                   equal to MaxTTL";
    check(
        |behavior| behavior.min_ttl = Some(86_401),
        ErrorCode::InvalidTTLOrder,
        message,
    );
    check(
        |behavior| behavior.max_ttl = Some(60),
        ErrorCode::InvalidTTLOrder,
        message,
    );
    check_legacy(
        |behavior, _| (behavior.default_ttl, behavior.max_ttl) = (Some(61), Some(60)),
        ErrorCode::InvalidTTLOrder,
    );
    check_legacy(|behavior, _| behavior.min_ttl = None, ErrorCode::InvalidArgument);
    check_legacy(|behavior, _| behavior.min_ttl = Some(-1), ErrorCode::InvalidArgument);
}

#[test]
fn the_target_must_be_one_of_the_origins() {
    check(
        |behavior| behavior.target_origin_id = "nowhere".to_owned(),
        ErrorCode::NoSuchOrigin,
        "One or more of your origins or origin groups do not exist. (nowhere)",
    );
}

#[test]
fn methods_are_one_of_cloudfronts_lists() {
    let config = |allowed: &[Method], cached: Option<&[Method]>| {
        let mut config = samples::config();
        config.default_cache_behavior.allowed_methods = Some(AllowedMethods {
            quantity: i32::try_from(allowed.len()).unwrap(),
            items: allowed.to_vec(),
            cached_methods: cached.map(|cached| CachedMethods {
                quantity: i32::try_from(cached.len()).unwrap(),
                items: cached.to_vec(),
            }),
        });
        config
    };
    use Method::{Delete, Get, Head, Options, Patch, Post, Put};
    let all = [Get, Head, Options, Put, Post, Patch, Delete];
    let behavior = default_behavior(&config(&all, Some(&[Get, Head, Options])));
    assert_eq!(
        (behavior.allowed_methods, behavior.cached_methods),
        (MethodSet::All, MethodSet::GetHeadOptions)
    );
    let behavior = default_behavior(&config(&[Head, Get], None));
    assert_eq!(
        (behavior.allowed_methods, behavior.cached_methods),
        (MethodSet::GetHead, MethodSet::GetHead)
    );
    for (allowed, cached) in [
        (&[Get][..], None),
        (&[Get, Head, Post], None),
        (&[Get, Head], Some(&[Get, Head, Options][..])),
        (&all, Some(&all)),
        (&all, Some(&[Get])),
    ] {
        assert_eq!(
            convert(&config(allowed, cached)).unwrap_err().code,
            ErrorCode::InvalidArgument
        );
    }
}

#[test]
fn path_patterns_have_documented_characters() {
    for pattern in ["*.jpg", "/a?b/*", "images/*", "/~x\"y'@:+&z$-_.html", &"p".repeat(255)] {
        assert_eq!(check_path_pattern(pattern), Ok(()), "{pattern}");
    }
    for pattern in [
        "",
        "/a b",
        "/ä",
        "/a%20b",
        "/a#b",
        "/a,b",
        "/[a]",
        "/a\\b",
        &"p".repeat(256),
    ] {
        assert_eq!(
            check_path_pattern(pattern).unwrap_err().code,
            ErrorCode::InvalidArgument,
            "{pattern}"
        );
    }
}

#[test]
fn forwarded_values_become_the_key() {
    let behavior = default_behavior(&legacy(|_, forwarded| {
        forwarded.headers = headers(&["Origin", "X-Device"]);
        forwarded.cookies = cookies(ItemSelection::Whitelist, &["Session"]);
        forwarded.query_string = true;
        forwarded.query_string_cache_keys = keys(&["Page"]);
    }));
    assert_eq!(behavior.headers, names(&["origin", "x-device"]));
    assert_eq!(behavior.cookies, names(&["Session"]));
    assert_eq!(behavior.query_strings, names(&["Page"]));
    assert!(behavior.forward_whole_query && behavior.forward_other_headers);
    assert!(behavior.accept_encoding.gzip && !behavior.accept_encoding.brotli);

    let behavior = default_behavior(&legacy(|_, forwarded| {
        forwarded.headers = headers(&["*"]);
        forwarded.cookies = cookies(ItemSelection::All, &[]);
        forwarded.query_string = true;
    }));
    assert_eq!((behavior.headers, behavior.cookies), (KeyPart::All, KeyPart::All));
    assert_eq!(behavior.query_strings, KeyPart::All);
    assert!(!behavior.forward_whole_query);

    let behavior = default_behavior(&samples::custom_config());
    assert_eq!((behavior.headers, behavior.cookies), (KeyPart::None, KeyPart::None));
    assert_eq!(behavior.query_strings, KeyPart::None);
}

#[test]
fn forwarded_headers_keep_to_their_rules() {
    let many: Vec<String> = (0..11).map(|number| format!("x-{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    check_legacy(
        |_, forwarded| forwarded.headers = headers(&many),
        ErrorCode::TooManyHeadersInForwardedValues,
    );
    check_legacy(
        |behavior, forwarded| {
            behavior.min_ttl = Some(1);
            forwarded.headers = headers(&["*"]);
        },
        ErrorCode::InvalidArgument,
    );
    for name in ["Host", "*"] {
        let mut config = legacy(|_, forwarded| forwarded.headers = headers(&[name]));
        config.origins = samples::config().origins;
        config.default_cache_behavior.target_origin_id = "S3-my-site".to_owned();
        assert_eq!(convert(&config).unwrap_err().code, ErrorCode::InvalidHeadersForS3Origin);
    }
}

#[test]
fn forwarded_cookies_keep_to_their_rules() {
    let many: Vec<String> = (0..11).map(|number| format!("c{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for (cookies, code) in [
        (cookies(ItemSelection::Whitelist, &[]), ErrorCode::InvalidForwardCookies),
        (cookies(ItemSelection::None, &["a"]), ErrorCode::InvalidForwardCookies),
        (cookies(ItemSelection::All, &["a"]), ErrorCode::InvalidForwardCookies),
        (
            cookies(ItemSelection::Whitelist, &many),
            ErrorCode::TooManyCookieNamesInWhiteList,
        ),
        (
            cookies(ItemSelection::Whitelist, &[&"n".repeat(512)]),
            ErrorCode::InvalidForwardCookies,
        ),
    ] {
        check_legacy(|_, forwarded| forwarded.cookies = cookies, code);
    }
    assert!(
        convert(&legacy(
            |_, it| it.cookies = cookies(ItemSelection::Whitelist, &[&"n".repeat(511)])
        ))
        .is_ok()
    );
}

#[test]
fn query_string_keys_keep_to_their_rules() {
    let many: Vec<String> = (0..11).map(|number| format!("q{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    check_legacy(
        |_, it| it.query_string_cache_keys = keys(&["a"]),
        ErrorCode::InvalidQueryStringParameters,
    );
    check_legacy(
        |_, forwarded| {
            forwarded.query_string = true;
            forwarded.query_string_cache_keys = keys(&many);
        },
        ErrorCode::TooManyQueryStringParameters,
    );
}

use warmfront_model::{managed_cache_policies, managed_cache_policy};

use super::*;
use crate::types::CachePolicy as Document;
use crate::{from_xml, to_xml};

const FIXTURE: &[u8] = include_bytes!("../../../tests/fixtures/cache-policy.xml");

fn check(id: &str, expected: &str) {
    let policy = Document {
        id: id.to_owned(),
        last_modified_time: warmfront_model::Timestamp(1_598_486_400_000),
        cache_policy_config: cache_policy_config(managed_cache_policy(id).unwrap()),
    };
    let xml = String::from_utf8(to_xml(&policy)).unwrap();
    let body = xml.split_once("2020-05-31/\">").unwrap().1;
    assert_eq!(body, expected);
}

fn names(names: &[&str]) -> Vec<Arc<str>> {
    names.iter().map(|&name| name.into()).collect()
}

/// The configuration in the fixture, changed.
fn changed(
    change: impl FnOnce(&mut CachePolicyConfig, &mut ParametersInCacheKeyAndForwardedToOrigin),
) -> CachePolicyConfig {
    let mut config: CachePolicyConfig = from_xml(FIXTURE).unwrap();
    let mut parameters = config.parameters_in_cache_key_and_forwarded_to_origin.take().unwrap();
    change(&mut config, &mut parameters);
    config.parameters_in_cache_key_and_forwarded_to_origin = Some(parameters);
    config
}

#[track_caller]
fn refused(config: &CachePolicyConfig, code: ErrorCode, message: &str) {
    let error = cache_policy(config, "id").unwrap_err();
    assert_eq!(error.code, code, "{}", error.message);
    assert!(error.message.contains(message), "{}", error.message);
}

#[test]
fn a_managed_policy_is_written_as_cloudfront_documents_it() {
    check(
        "08627262-05a9-4f76-9ded-b50ca2e3a84f",
        "<Id>08627262-05a9-4f76-9ded-b50ca2e3a84f</Id><LastModifiedTime>2020-08-27T00:00:00.000Z</LastModifiedTime>\
         <CachePolicyConfig><Comment>For Elemental MediaPackage origins</Comment>\
         <Name>Managed-Elemental-MediaPackage</Name><DefaultTTL>86400</DefaultTTL><MaxTTL>31536000</MaxTTL>\
         <MinTTL>0</MinTTL><ParametersInCacheKeyAndForwardedToOrigin>\
         <EnableAcceptEncodingGzip>true</EnableAcceptEncodingGzip>\
         <EnableAcceptEncodingBrotli>false</EnableAcceptEncodingBrotli>\
         <HeadersConfig><HeaderBehavior>whitelist</HeaderBehavior><Headers><Quantity>1</Quantity>\
         <Items><Name>origin</Name></Items></Headers></HeadersConfig>\
         <CookiesConfig><CookieBehavior>none</CookieBehavior></CookiesConfig>\
         <QueryStringsConfig><QueryStringBehavior>whitelist</QueryStringBehavior><QueryStrings>\
         <Quantity>4</Quantity><Items><Name>aws.manifestfilter</Name><Name>start</Name><Name>end</Name>\
         <Name>m</Name></Items></QueryStrings></QueryStringsConfig></ParametersInCacheKeyAndForwardedToOrigin>\
         </CachePolicyConfig></CachePolicy>",
    );
}

#[test]
fn what_a_client_sends_is_the_policy() {
    let config: CachePolicyConfig = from_xml(FIXTURE).unwrap();
    let policy = cache_policy(&config, "5a6bd5c6-2c5e-4c4c-8a1f-2b7d3b0f9a10").unwrap();
    assert_eq!((&*policy.name, &*policy.comment), ("by-language_1", "By language"));
    assert_eq!(
        policy.ttl,
        TtlBounds {
            min_secs: 1,
            default_secs: 60,
            max_secs: 3_600
        }
    );
    assert_eq!(
        policy.headers,
        KeyPart::Whitelist(names(&["accept-language", "cloudfront-viewer-country"]))
    );
    assert_eq!(policy.cookies, KeyPart::AllExcept(names(&["_ga"])));
    assert_eq!(policy.query_strings, KeyPart::Whitelist(names(&["v", "Size"])));
    assert_eq!(
        policy.accept_encoding,
        AcceptEncoding {
            gzip: true,
            brotli: false
        }
    );
}

#[test]
fn managed_policies_are_read_as_they_are_written() {
    for policy in managed_cache_policies() {
        assert_eq!(&cache_policy(&cache_policy_config(policy), &policy.id).unwrap(), policy);
    }
}

#[test]
fn only_the_minimum_must_be_given() {
    let config = CachePolicyConfig {
        name: "least".to_owned(),
        min_ttl: 100_000,
        ..CachePolicyConfig::default()
    };
    let policy = cache_policy(&config, "id").unwrap();
    let filled = cache_policy_with_defaults(config, &policy);
    assert_eq!(
        (filled.min_ttl, filled.default_ttl, filled.max_ttl),
        (100_000, Some(100_000), Some(31_536_000))
    );
    let parameters = filled.parameters_in_cache_key_and_forwarded_to_origin.unwrap();
    assert_eq!(
        parameters.query_strings_config.query_string_behavior,
        CachePolicyQueryStringBehavior::None
    );
}

#[test]
fn names_have_letters_digits_hyphens_and_underscores() {
    for wrong in [
        String::new(),
        "a b".to_owned(),
        "a.b".to_owned(),
        "é".to_owned(),
        "x".repeat(129),
    ] {
        refused(
            &changed(|config, _| config.name = wrong),
            ErrorCode::InvalidArgument,
            "Name",
        );
    }
    let long = changed(|config, _| config.comment = Some("x".repeat(129)));
    refused(&long, ErrorCode::InvalidArgument, "Comment");
}

#[test]
fn ttls_keep_their_order() {
    refused(
        &changed(|config, _| config.min_ttl = 61),
        ErrorCode::InvalidArgument,
        "MinTTL",
    );
    refused(
        &changed(|config, _| config.max_ttl = Some(59)),
        ErrorCode::InvalidArgument,
        "MaxTTL",
    );
    refused(
        &changed(|config, _| config.min_ttl = -1),
        ErrorCode::InvalidArgument,
        "MinTTL",
    );
}

#[test]
fn lists_have_ten_names_at_most_and_none_twice() {
    let eleven: Vec<String> = (0..11).map(|number| format!("n{number}")).collect();
    let headers = changed(|_, parameters| parameters.headers_config.headers.as_mut().unwrap().items = eleven.clone());
    refused(&headers, ErrorCode::TooManyHeadersInCachePolicy, "10");
    let cookies = changed(|_, parameters| parameters.cookies_config.cookies.as_mut().unwrap().items = eleven.clone());
    refused(&cookies, ErrorCode::TooManyCookiesInCachePolicy, "10");
    let queries =
        changed(|_, parameters| parameters.query_strings_config.query_strings.as_mut().unwrap().items = eleven.clone());
    refused(&queries, ErrorCode::TooManyQueryStringsInCachePolicy, "10");
    let long = changed(|_, parameters| {
        parameters.cookies_config.cookies.as_mut().unwrap().items = vec!["c".repeat(1_024)];
    });
    refused(&long, ErrorCode::InvalidArgument, "1024");
    let twice = changed(|_, parameters| {
        parameters.cookies_config.cookies.as_mut().unwrap().items = vec!["a".to_owned(), "a".to_owned()];
    });
    refused(&twice, ErrorCode::InvalidArgument, "more than once");
}

#[test]
fn a_list_stands_where_its_behavior_needs_one() {
    let without = changed(|_, parameters| parameters.headers_config.headers = None);
    refused(&without, ErrorCode::InvalidArgument, "HeaderBehavior");
    let with = changed(|_, parameters| {
        parameters.cookies_config.cookie_behavior = CachePolicyCookieBehavior::All;
    });
    refused(&with, ErrorCode::InvalidArgument, "CookieBehavior");
}

#[test]
fn some_headers_cannot_be_in_a_key() {
    let naming = |name: &str| {
        changed(|_, parameters| parameters.headers_config.headers.as_mut().unwrap().items = vec![name.to_owned()])
    };
    for name in [
        "Cache-Control",
        "Cookie",
        "Proxy-Authorization",
        "X-Edge-Location",
        "X-Forwarded-Proto",
        "Accept-Encoding",
        "CloudFront-Viewer-Address",
        "not a name",
        "",
    ] {
        refused(&naming(name), ErrorCode::InvalidArgument, "Header");
    }
    for name in ["Host", "Authorization", "CloudFront-Forwarded-Proto", "User-Agent"] {
        assert!(cache_policy(&naming(name), "id").is_ok(), "{name}");
    }
    let without_encodings = changed(|_, parameters| {
        parameters.enable_accept_encoding_gzip = false;
        parameters.headers_config.headers.as_mut().unwrap().items = vec!["Accept-Encoding".to_owned()];
    });
    assert!(cache_policy(&without_encodings, "id").is_ok());
}

#[test]
fn without_caching_there_is_no_key() {
    let off = changed(|config, _| (config.min_ttl, config.default_ttl, config.max_ttl) = (0, Some(0), Some(0)));
    refused(
        &off,
        ErrorCode::InvalidArgument,
        "The parameter EnableAcceptEncodingGzip is invalid for policy with caching disabled.",
    );
}

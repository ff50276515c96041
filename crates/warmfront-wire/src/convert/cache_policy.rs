use std::sync::Arc;

use warmfront_model::{AcceptEncoding, CachePolicy, KeyPart, TtlBounds};

use super::ConfigError;
use super::names::{List, check_headers, check_name, check_total_length};
use super::ttl;
use crate::ErrorCode;
use crate::types::{
    CachePolicyConfig, CachePolicyCookieBehavior, CachePolicyCookiesConfig, CachePolicyHeaderBehavior,
    CachePolicyHeadersConfig, CachePolicyQueryStringBehavior, CachePolicyQueryStringsConfig, CookieNames, Headers,
    ParametersInCacheKeyAndForwardedToOrigin, QueryStringNames,
};

/// Headers that differ with almost every viewer, and so cannot be in a key.
///
/// Source: CloudFront Developer Guide, "Add CloudFront request headers".
const ORIGIN_REQUEST_POLICY_ONLY: [&str; 3] = [
    "cloudfront-viewer-address",
    "cloudfront-viewer-asn",
    "cloudfront-viewer-ja3-fingerprint",
];

/// Checks a cache policy. That its name is used once is for the caller to check.
///
/// # Errors
/// CloudFront's code for the first rule that is broken, and a message naming what broke it.
///
/// Source: CloudFront API Reference, CachePolicyConfig and the errors of CreateCachePolicy; CloudFront Developer Guide,
/// "Understand cache policies" and "Quotas".
pub fn cache_policy(config: &CachePolicyConfig, id: &str) -> Result<CachePolicy, ConfigError> {
    check_name(&config.name, config.comment.as_ref())?;
    let ttl = ttl_bounds(config)?;
    let Some(parameters) = &config.parameters_in_cache_key_and_forwarded_to_origin else {
        return Ok(CachePolicy {
            id: id.into(),
            name: config.name.as_str().into(),
            comment: config.comment.clone().unwrap_or_default().into(),
            ttl,
            headers: KeyPart::None,
            cookies: KeyPart::None,
            query_strings: KeyPart::None,
            accept_encoding: AcceptEncoding::default(),
        });
    };
    let accept_encoding = AcceptEncoding {
        gzip: parameters.enable_accept_encoding_gzip,
        brotli: parameters.enable_accept_encoding_brotli.unwrap_or(false),
    };
    if ttl.caching_disabled() {
        check_nothing_in_key(parameters)?;
    }
    let lists = Lists::of(parameters);
    check_total_length(&[lists.headers.names, lists.cookies.names, lists.query_strings.names])?;
    let names = lists.headers.headers()?;
    check_headers(&names, &ORIGIN_REQUEST_POLICY_ONLY)?;
    if accept_encoding.gzip || accept_encoding.brotli {
        check_headers(&names, &["accept-encoding"])?;
    }
    Ok(CachePolicy {
        id: id.into(),
        name: config.name.as_str().into(),
        comment: config.comment.clone().unwrap_or_default().into(),
        ttl,
        headers: if names.is_empty() {
            KeyPart::None
        } else {
            KeyPart::Whitelist(names)
        },
        cookies: lists.cookies.key_part()?,
        query_strings: lists.query_strings.key_part()?,
        accept_encoding,
    })
}

struct Lists<'a> {
    headers: List<'a>,
    cookies: List<'a>,
    query_strings: List<'a>,
}

impl<'a> Lists<'a> {
    fn of(parameters: &'a ParametersInCacheKeyAndForwardedToOrigin) -> Lists<'a> {
        let (headers, cookies) = (&parameters.headers_config, &parameters.cookies_config);
        let query_strings = &parameters.query_strings_config;
        Lists {
            headers: List {
                behavior: ("HeaderBehavior", headers.header_behavior.as_str()),
                names: headers.headers.as_ref().map_or(&[][..], |headers| &headers.items[..]),
                too_many: ErrorCode::TooManyHeadersInCachePolicy,
            },
            cookies: List {
                behavior: ("CookieBehavior", cookies.cookie_behavior.as_str()),
                names: cookies.cookies.as_ref().map_or(&[][..], |cookies| &cookies.items[..]),
                too_many: ErrorCode::TooManyCookiesInCachePolicy,
            },
            query_strings: List {
                behavior: ("QueryStringBehavior", query_strings.query_string_behavior.as_str()),
                names: query_strings
                    .query_strings
                    .as_ref()
                    .map_or(&[][..], |names| &names.items[..]),
                too_many: ErrorCode::TooManyQueryStringsInCachePolicy,
            },
        }
    }
}

/// Omitted TTLs follow the ones given.
fn ttl_bounds(config: &CachePolicyConfig) -> Result<TtlBounds, ConfigError> {
    let min_secs = ttl::secs("MinTTL", config.min_ttl)?;
    let default_secs = config.default_ttl.map(|ttl| ttl::secs("DefaultTTL", ttl)).transpose()?;
    let max_secs = config.max_ttl.map(|ttl| ttl::secs("MaxTTL", ttl)).transpose()?;
    TtlBounds::complete(min_secs, default_secs, max_secs).ok_or_else(|| {
        ConfigError::argument(
            "The parameters MinTTL, DefaultTTL and MaxTTL must follow the order MinTTL <= DefaultTTL <= MaxTTL.",
        )
    })
}

/// With every TTL at 0 there is no key, so nothing can be part of it.
///
/// Source: CloudFront Developer Guide, "Understand cache policies"; the message is the one clients have met.
fn check_nothing_in_key(parameters: &ParametersInCacheKeyAndForwardedToOrigin) -> Result<(), ConfigError> {
    let headers = parameters.headers_config.header_behavior != CachePolicyHeaderBehavior::None;
    let cookies = parameters.cookies_config.cookie_behavior != CachePolicyCookieBehavior::None;
    let query_strings = parameters.query_strings_config.query_string_behavior != CachePolicyQueryStringBehavior::None;
    let brotli = parameters.enable_accept_encoding_brotli.unwrap_or(false);
    let given = [
        ("EnableAcceptEncodingGzip", parameters.enable_accept_encoding_gzip),
        ("EnableAcceptEncodingBrotli", brotli),
        ("HeaderBehavior", headers),
        ("CookieBehavior", cookies),
        ("QueryStringBehavior", query_strings),
    ];
    match given.iter().find(|(_, given)| *given) {
        Some((member, _)) => Err(ConfigError::argument(format!(
            "The parameter {member} is invalid for policy with caching disabled."
        ))),
        None => Ok(()),
    }
}

/// The configuration that says what a cache policy says, with nothing left out.
pub fn cache_policy_config(policy: &CachePolicy) -> CachePolicyConfig {
    CachePolicyConfig {
        comment: Some(policy.comment.to_string()),
        name: policy.name.to_string(),
        default_ttl: Some(wire_secs(policy.ttl.default_secs)),
        max_ttl: Some(wire_secs(policy.ttl.max_secs)),
        min_ttl: wire_secs(policy.ttl.min_secs),
        parameters_in_cache_key_and_forwarded_to_origin: Some(parameters(policy)),
    }
}

/// A custom policy's configuration with CloudFront's defaults in place of what was left out. `policy` is what it says.
pub fn cache_policy_with_defaults(config: CachePolicyConfig, policy: &CachePolicy) -> CachePolicyConfig {
    let full = cache_policy_config(policy);
    CachePolicyConfig {
        default_ttl: full.default_ttl,
        max_ttl: full.max_ttl,
        parameters_in_cache_key_and_forwarded_to_origin: config
            .parameters_in_cache_key_and_forwarded_to_origin
            .or(full.parameters_in_cache_key_and_forwarded_to_origin),
        ..config
    }
}

fn parameters(policy: &CachePolicy) -> ParametersInCacheKeyAndForwardedToOrigin {
    ParametersInCacheKeyAndForwardedToOrigin {
        enable_accept_encoding_gzip: policy.accept_encoding.gzip,
        enable_accept_encoding_brotli: Some(policy.accept_encoding.brotli),
        headers_config: headers(&policy.headers),
        cookies_config: cookies(&policy.cookies),
        query_strings_config: query_strings(&policy.query_strings),
    }
}

fn headers(part: &KeyPart) -> CachePolicyHeadersConfig {
    match names(part) {
        Some((quantity, items)) => CachePolicyHeadersConfig {
            header_behavior: CachePolicyHeaderBehavior::Whitelist,
            headers: Some(Headers { quantity, items }),
        },
        None => CachePolicyHeadersConfig {
            header_behavior: CachePolicyHeaderBehavior::None,
            headers: None,
        },
    }
}

fn cookies(part: &KeyPart) -> CachePolicyCookiesConfig {
    let cookie_behavior = match part {
        KeyPart::None => CachePolicyCookieBehavior::None,
        KeyPart::Whitelist(_) => CachePolicyCookieBehavior::Whitelist,
        KeyPart::AllExcept(_) => CachePolicyCookieBehavior::AllExcept,
        KeyPart::All => CachePolicyCookieBehavior::All,
    };
    let cookies = names(part).map(|(quantity, items)| CookieNames { quantity, items });
    CachePolicyCookiesConfig {
        cookie_behavior,
        cookies,
    }
}

fn query_strings(part: &KeyPart) -> CachePolicyQueryStringsConfig {
    let query_string_behavior = match part {
        KeyPart::None => CachePolicyQueryStringBehavior::None,
        KeyPart::Whitelist(_) => CachePolicyQueryStringBehavior::Whitelist,
        KeyPart::AllExcept(_) => CachePolicyQueryStringBehavior::AllExcept,
        KeyPart::All => CachePolicyQueryStringBehavior::All,
    };
    let query_strings = names(part).map(|(quantity, items)| QueryStringNames { quantity, items });
    CachePolicyQueryStringsConfig {
        query_string_behavior,
        query_strings,
    }
}

/// The names that a part lists, and how many there are.
fn names(part: &KeyPart) -> Option<(i32, Vec<String>)> {
    match part {
        KeyPart::Whitelist(names) | KeyPart::AllExcept(names) => {
            let items: Vec<String> = names.iter().map(Arc::to_string).collect();
            Some((i32::try_from(items.len()).unwrap_or(i32::MAX), items))
        }
        KeyPart::None | KeyPart::All => None,
    }
}

/// A TTL is at most a hundred years, far within an i64.
fn wire_secs(secs: u64) -> i64 {
    i64::try_from(secs).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;

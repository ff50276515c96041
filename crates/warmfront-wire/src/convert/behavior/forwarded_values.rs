use std::sync::Arc;

use warmfront_model::{AcceptEncoding, KeyPart, Origin, OriginKind};

use super::CacheKey;
use crate::ErrorCode;
use crate::convert::distribution::at_most;
use crate::convert::error::ensure;
use crate::convert::{ConfigError, ttl};
use crate::types::{CacheBehavior, CookiePreference, ForwardedValues, ItemSelection};

const COOKIES_MAX: usize = 10;
const COOKIE_NAMES_BYTES_MAX: usize = 512;
const HEADERS_MAX: usize = 10;
const QUERY_STRING_KEYS_MAX: usize = 10;

/// What the legacy members of a behavior decide. All headers that no list names are sent to the origin, and the only
/// encoding that is distinguished is gzip.
///
/// Source: CloudFront API Reference, ForwardedValues; CloudFront Developer Guide, "Cache behavior settings" and "Quotas".
pub(super) fn cache_key(
    wire: &CacheBehavior,
    forwarded: &ForwardedValues,
    origin: &Origin,
) -> Result<CacheKey, ConfigError> {
    let min_ttl = wire
        .min_ttl
        .ok_or_else(|| ConfigError::argument("The parameter MinTTL is required."))?;
    let ttl = ttl::legacy(min_ttl, wire.default_ttl, wire.max_ttl)?;
    let headers = headers(forwarded, origin)?;
    ensure(headers != KeyPart::All || ttl.min_secs == 0, || {
        ConfigError::argument("The parameter MinTTL must be 0 when all headers are forwarded.")
    })?;
    let query_strings = query_strings(forwarded)?;
    Ok(CacheKey {
        ttl,
        headers,
        cookies: cookies(&forwarded.cookies)?,
        forward_whole_query: matches!(query_strings, KeyPart::Whitelist(_)),
        query_strings,
        forward_other_headers: true,
        accept_encoding: AcceptEncoding {
            gzip: true,
            brotli: false,
        },
    })
}

fn headers(forwarded: &ForwardedValues, origin: &Origin) -> Result<KeyPart, ConfigError> {
    let given = forwarded.headers.iter().flat_map(|headers| &headers.items);
    let names: Vec<String> = given.map(|name| name.to_ascii_lowercase()).collect();
    at_most(
        HEADERS_MAX,
        names.len(),
        "headers to forward",
        ErrorCode::TooManyHeadersInForwardedValues,
    )?;
    let forbidden = names.iter().find(|name| matches!(name.as_str(), "*" | "host"));
    if let (OriginKind::S3(_), Some(name)) = (&origin.kind, forbidden) {
        let message = format!("The parameter Headers contains {name}, which is not allowed for an S3 origin.");
        return Err(ConfigError::new(ErrorCode::InvalidHeadersForS3Origin, message));
    }
    if names.iter().any(|name| name == "*") {
        return Ok(KeyPart::All);
    }
    Ok(whitelist(&names))
}

fn cookies(cookies: &CookiePreference) -> Result<KeyPart, ConfigError> {
    let names: Vec<String> = cookies
        .whitelisted_names
        .iter()
        .flat_map(|names| names.items.clone())
        .collect();
    let invalid = |message: String| ConfigError::new(ErrorCode::InvalidForwardCookies, message);
    let forward = cookies.forward.as_str();
    match cookies.forward {
        ItemSelection::Whitelist => {
            ensure(!names.is_empty(), || {
                invalid("The parameter WhitelistedNames is required when Forward is whitelist.".to_owned())
            })?;
            at_most(
                COOKIES_MAX,
                names.len(),
                "cookies to forward",
                ErrorCode::TooManyCookieNamesInWhiteList,
            )?;
            let bytes: usize = names.iter().map(String::len).sum();
            ensure(bytes + names.len() <= COOKIE_NAMES_BYTES_MAX, || {
                invalid(format!(
                    "The names of cookies to forward have {bytes} characters in all; the maximum is \
                     {COOKIE_NAMES_BYTES_MAX} minus the number of cookies."
                ))
            })?;
            Ok(whitelist(&names))
        }
        ItemSelection::None | ItemSelection::All => {
            ensure(names.is_empty(), || {
                invalid(format!(
                    "The parameter WhitelistedNames cannot be used when Forward is {forward}."
                ))
            })?;
            Ok(if cookies.forward == ItemSelection::All {
                KeyPart::All
            } else {
                KeyPart::None
            })
        }
    }
}

fn query_strings(forwarded: &ForwardedValues) -> Result<KeyPart, ConfigError> {
    let keys: Vec<String> = forwarded
        .query_string_cache_keys
        .iter()
        .flat_map(|keys| keys.items.clone())
        .collect();
    at_most(
        QUERY_STRING_KEYS_MAX,
        keys.len(),
        "query string cache keys",
        ErrorCode::TooManyQueryStringParameters,
    )?;
    ensure(forwarded.query_string || keys.is_empty(), || {
        let message = "The parameter QueryStringCacheKeys cannot be used when QueryString is false.";
        ConfigError::new(ErrorCode::InvalidQueryStringParameters, message)
    })?;
    Ok(match (forwarded.query_string, keys.is_empty()) {
        (false, _) => KeyPart::None,
        (true, true) => KeyPart::All,
        (true, false) => whitelist(&keys),
    })
}

fn whitelist(names: &[String]) -> KeyPart {
    if names.is_empty() {
        return KeyPart::None;
    }
    KeyPart::Whitelist(names.iter().map(|name| Arc::from(name.as_str())).collect())
}

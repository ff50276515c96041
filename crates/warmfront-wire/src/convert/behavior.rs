mod forwarded_values;

use warmfront_model::{
    AcceptEncoding, Behavior, CachePolicy, KeyPart, MethodSet, Origin, TtlBounds, ViewerProtocolPolicy,
    managed_cache_policy,
};

use self::forwarded_values::cache_key;
use super::ConfigError;
use super::error::{ensure, given};
use super::{origin, ttl};
use crate::ErrorCode;
use crate::types::{self, CacheBehavior, ForwardedValues, Method};

const PATH_PATTERN_CHARACTERS_MAX: usize = 255;

/// Checks one cache behavior. `groups` are the origin groups, each with the position of its first member, which stands
/// for the group.
pub(super) fn behavior(
    wire: &CacheBehavior,
    origins: &[Origin],
    groups: &[(String, usize)],
) -> Result<Behavior, ConfigError> {
    check_path_pattern(&wire.path_pattern)?;
    let (allowed_methods, cached_methods) = methods(wire)?;
    let group = groups.iter().find(|(id, _)| *id == wire.target_origin_id);
    let origin = match group {
        Some((_, primary)) => *primary,
        None => origin::position(&wire.target_origin_id, origins)?,
    };
    let key = match cached_by(wire)? {
        CachedBy::Policy(policy) => CacheKey::of_policy(policy, wire)?,
        CachedBy::Legacy(forwarded) => cache_key(wire, forwarded, &origins[origin])?,
    };
    check_policies(wire)?;
    Ok(Behavior {
        path_pattern: wire.path_pattern.as_str().into(),
        origin,
        viewer_protocol_policy: match wire.viewer_protocol_policy {
            types::ViewerProtocolPolicy::AllowAll => ViewerProtocolPolicy::AllowAll,
            types::ViewerProtocolPolicy::HttpsOnly => ViewerProtocolPolicy::HttpsOnly,
            types::ViewerProtocolPolicy::RedirectToHttps => ViewerProtocolPolicy::RedirectToHttps,
        },
        allowed_methods,
        cached_methods,
        compress: wire.compress.unwrap_or(false),
        ttl: key.ttl,
        headers: key.headers,
        cookies: key.cookies,
        query_strings: key.query_strings,
        forward_whole_query: key.forward_whole_query,
        forward_other_headers: key.forward_other_headers,
        accept_encoding: key.accept_encoding,
        origin_request_policy: None,
        response_headers_policy: None,
    })
}

/// What a behavior's cache policy or its legacy members decide.
struct CacheKey {
    ttl: TtlBounds,
    headers: KeyPart,
    cookies: KeyPart,
    query_strings: KeyPart,
    forward_whole_query: bool,
    forward_other_headers: bool,
    accept_encoding: AcceptEncoding,
}

impl CacheKey {
    fn of_policy(policy: &CachePolicy, wire: &CacheBehavior) -> Result<CacheKey, ConfigError> {
        Ok(CacheKey {
            ttl: ttl::with_policy(policy, wire.min_ttl, wire.default_ttl, wire.max_ttl)?,
            headers: policy.headers.clone(),
            cookies: policy.cookies.clone(),
            query_strings: policy.query_strings.clone(),
            forward_whole_query: false,
            forward_other_headers: false,
            accept_encoding: policy.accept_encoding,
        })
    }
}

enum CachedBy<'a> {
    Policy(&'static CachePolicy),
    Legacy(&'a ForwardedValues),
}

/// Exactly one of a cache policy and ForwardedValues.
fn cached_by(wire: &CacheBehavior) -> Result<CachedBy<'_>, ConfigError> {
    match (given(wire.cache_policy_id.as_ref()), &wire.forwarded_values) {
        (Some(_), Some(_)) => Err(ConfigError::argument(
            "The parameter ForwardedValues cannot be used when a cache policy is associated to the cache behavior.",
        )),
        (Some(id), None) => managed_cache_policy(id).map(CachedBy::Policy).ok_or_else(|| {
            ConfigError::new(
                ErrorCode::NoSuchCachePolicy,
                format!("The cache policy {id} does not exist."),
            )
        }),
        (None, Some(forwarded)) => {
            let policy = given(wire.origin_request_policy_id.as_ref());
            ensure(policy.is_none(), || {
                ConfigError::argument(
                    "The parameter OriginRequestPolicyId cannot be used without a cache policy associated to the cache \
                     behavior.",
                )
            })?;
            Ok(CachedBy::Legacy(forwarded))
        }
        (None, None) => Err(ConfigError::argument("The parameter ForwardedValues is required.")),
    }
}

/// Source: CloudFront Developer Guide, "Cache behavior settings", Path pattern.
fn check_path_pattern(pattern: &str) -> Result<(), ConfigError> {
    let characters = pattern.chars().count();
    ensure((1..=PATH_PATTERN_CHARACTERS_MAX).contains(&characters), || {
        ConfigError::argument(format!(
            "The parameter PathPattern must have from 1 to {PATH_PATTERN_CHARACTERS_MAX} characters, not {characters}."
        ))
    })?;
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || "_-.*?$/~\"'@:+&".contains(letter);
    ensure(pattern.chars().all(is_allowed), || {
        ConfigError::argument(format!(
            "The parameter PathPattern contains a character that is not allowed: {pattern:?}."
        ))
    })
}

/// AllowedMethods and CachedMethods.
fn methods(wire: &CacheBehavior) -> Result<(MethodSet, MethodSet), ConfigError> {
    let Some(allowed) = &wire.allowed_methods else {
        return Ok((MethodSet::GetHead, MethodSet::GetHead));
    };
    let allowed_set = method_set(&allowed.items).ok_or_else(|| {
        ConfigError::argument(
            "The parameter AllowedMethods must be GET, HEAD; or GET, HEAD, OPTIONS; or all seven methods.",
        )
    })?;
    let Some(cached) = &allowed.cached_methods else {
        return Ok((allowed_set, MethodSet::GetHead));
    };
    let cached_set = method_set(&cached.items).filter(|set| *set != MethodSet::All && *set <= allowed_set);
    let cached_set = cached_set.ok_or_else(|| {
        ConfigError::argument(
            "The parameter CachedMethods must be GET, HEAD, or, where AllowedMethods has OPTIONS, GET, HEAD, OPTIONS.",
        )
    })?;
    Ok((allowed_set, cached_set))
}

fn method_set(methods: &[Method]) -> Option<MethodSet> {
    MethodSet::from_methods(methods.iter().map(|method| method.as_str()))
}

/// The origin request policies that AWS manages.
///
/// Source: CloudFront Developer Guide, "Use managed origin request policies".
const ORIGIN_REQUEST_POLICIES: &[&str] = &[
    "216adef6-5c7f-47e4-b989-5492eafa07d3",
    "33f36d7e-f396-46d9-90e0-52428a34d9dc",
    "59781a5b-3903-41f3-afcb-af62929ccde1",
    "775133bc-15f2-49f9-abea-afb2e0bf67d2",
    "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf",
    "acba4595-bd28-49b8-b9fe-13317c0390fa",
    "b689b0a8-53d0-40ab-baf2-68738e2966ac",
    "bf0718e1-ba1e-49d1-88b1-f726733018ae",
];

/// The response headers policies that AWS manages.
///
/// Source: CloudFront Developer Guide, "Use managed response headers policies".
const RESPONSE_HEADERS_POLICIES: &[&str] = &[
    "5cc3b908-e619-4b99-88e5-2cf7f45965bd",
    "60669652-455b-4ae9-85a4-c4c02393f86c",
    "67f7725c-6f97-4210-82d7-5512b31e9d03",
    "e61eb60c-9c35-4d20-a928-2b84e02af89c",
    "eaab4381-ed33-4a86-88ca-d9558dc6cd63",
];

/// Policies other than those that AWS manages cannot be made, so they do not exist.
fn check_policies(wire: &CacheBehavior) -> Result<(), ConfigError> {
    let known = |id: Option<&str>, managed: &[&str]| id.is_none_or(|id| managed.contains(&id));
    let id = given(wire.origin_request_policy_id.as_ref());
    ensure(known(id, ORIGIN_REQUEST_POLICIES), || {
        let message = format!("The origin request policy {} does not exist.", id.unwrap_or_default());
        ConfigError::new(ErrorCode::NoSuchOriginRequestPolicy, message)
    })?;
    let id = given(wire.response_headers_policy_id.as_ref());
    ensure(known(id, RESPONSE_HEADERS_POLICIES), || {
        let message = format!("The response headers policy {} does not exist.", id.unwrap_or_default());
        ConfigError::new(ErrorCode::NoSuchResponseHeadersPolicy, message)
    })
}

#[cfg(test)]
mod tests;

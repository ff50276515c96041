mod forwarded_values;

use std::sync::Arc;

use warmfront_model::{
    AcceptEncoding, Behavior, CachePolicy, KeyPart, MethodSet, Origin, OriginRequestPolicy, ResponseHeadersPolicy,
    TtlBounds, ViewerProtocolPolicy,
};

use self::forwarded_values::cache_key;
use super::ConfigError;
use super::error::{ensure, given};
use super::policies::Policies;
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
    policies: &dyn Policies,
) -> Result<Behavior, ConfigError> {
    check_path_pattern(&wire.path_pattern)?;
    let (allowed_methods, cached_methods) = methods(wire)?;
    let group = groups.iter().find(|(id, _)| *id == wire.target_origin_id);
    let origin = match group {
        Some((_, primary)) => *primary,
        None => origin::position(&wire.target_origin_id, origins)?,
    };
    let key = match cached_by(wire, policies)? {
        CachedBy::Policy(policy) => CacheKey::of_policy(&policy, wire)?,
        CachedBy::Legacy(forwarded) => cache_key(wire, forwarded, &origins[origin])?,
    };
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
        origin_request_policy: origin_request_policy(wire, policies)?,
        response_headers_policy: response_headers_policy(wire, policies)?,
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
    Policy(Arc<CachePolicy>),
    Legacy(&'a ForwardedValues),
}

/// Exactly one of a cache policy and ForwardedValues.
fn cached_by<'a>(wire: &'a CacheBehavior, policies: &dyn Policies) -> Result<CachedBy<'a>, ConfigError> {
    match (given(wire.cache_policy_id.as_ref()), &wire.forwarded_values) {
        (Some(_), Some(_)) => Err(ConfigError::argument(
            "The parameter ForwardedValues cannot be used when a cache policy is associated to the cache behavior.",
        )),
        (Some(id), None) => {
            let policy = policies.cache_policy(id).map(CachedBy::Policy);
            policy.ok_or_else(|| missing(ErrorCode::NoSuchCachePolicy, "cache policy", id))
        }
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

fn origin_request_policy(
    wire: &CacheBehavior,
    policies: &dyn Policies,
) -> Result<Option<Arc<OriginRequestPolicy>>, ConfigError> {
    let Some(id) = given(wire.origin_request_policy_id.as_ref()) else {
        return Ok(None);
    };
    let policy = policies.origin_request_policy(id);
    let missing = || missing(ErrorCode::NoSuchOriginRequestPolicy, "origin request policy", id);
    policy.map(Some).ok_or_else(missing)
}

fn response_headers_policy(
    wire: &CacheBehavior,
    policies: &dyn Policies,
) -> Result<Option<Arc<ResponseHeadersPolicy>>, ConfigError> {
    let Some(id) = given(wire.response_headers_policy_id.as_ref()) else {
        return Ok(None);
    };
    let policy = policies.response_headers_policy(id);
    let missing = || missing(ErrorCode::NoSuchResponseHeadersPolicy, "response headers policy", id);
    policy.map(Some).ok_or_else(missing)
}

fn missing(code: ErrorCode, kind: &str, id: &str) -> ConfigError {
    ConfigError::new(code, format!("The {kind} {id} does not exist."))
}

#[cfg(test)]
mod tests;

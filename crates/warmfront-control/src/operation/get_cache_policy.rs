use warmfront_model::{CachePolicy, Timestamp, managed_cache_policy};
use warmfront_wire::convert;

use super::Context;
use crate::answer::Answer;
use crate::error::ApiError;
use crate::version;

/// 2020-07-22, the day cache policies came out. Those that AWS manages have not changed since.
pub(super) const MANAGED_LAST_MODIFIED: Timestamp = Timestamp(1_595_376_000_000);

/// Source: CloudFront API Reference, GetCachePolicy.
pub(super) fn get_cache_policy(context: &Context<'_>) -> Result<Answer, ApiError> {
    let policy = find(context)?;
    let body = convert::cache_policy(policy, MANAGED_LAST_MODIFIED);
    Ok(Answer::ok(&body).etag(version::constant_etag(&policy.id)))
}

/// Source: CloudFront API Reference, GetCachePolicyConfig.
pub(super) fn get_cache_policy_config(context: &Context<'_>) -> Result<Answer, ApiError> {
    let policy = find(context)?;
    let body = convert::cache_policy(policy, MANAGED_LAST_MODIFIED).cache_policy_config;
    Ok(Answer::ok(&body).etag(version::constant_etag(&policy.id)))
}

fn find(context: &Context<'_>) -> Result<&'static CachePolicy, ApiError> {
    managed_cache_policy(context.label("Id")).ok_or(ApiError::NoSuchCachePolicy)
}

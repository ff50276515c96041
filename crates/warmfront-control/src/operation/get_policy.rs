use super::Context;
use crate::answer::Answer;
use crate::error::ApiError;
use crate::policies::{Shown, find};

/// Source: CloudFront API Reference, GetCachePolicy, GetOriginRequestPolicy, GetResponseHeadersPolicy.
pub(super) async fn get_policy<P: Shown>(context: &Context<'_>) -> Result<Answer, ApiError> {
    let view = context.state.current().await?;
    let found = find::<P>(&view, context.label("Id"))?;
    Ok(Answer::ok(&found.body()).etag(found.etag))
}

/// Source: CloudFront API Reference, GetCachePolicyConfig, GetOriginRequestPolicyConfig, GetResponseHeadersPolicyConfig.
pub(super) async fn get_policy_config<P: Shown>(context: &Context<'_>) -> Result<Answer, ApiError> {
    let view = context.state.current().await?;
    let found = find::<P>(&view, context.label("Id"))?;
    Ok(Answer::ok(&found.config).etag(found.etag))
}

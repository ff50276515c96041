use super::Context;
use crate::answer::Answer;
use crate::error::ApiError;
use crate::{document, version};

/// Source: CloudFront API Reference, GetDistribution.
pub(super) async fn get_distribution(context: &Context<'_>) -> Result<Answer, ApiError> {
    let state = context.state;
    let view = state.current().await?;
    let record = view
        .distribution(&context.distribution_id()?)
        .ok_or(ApiError::NoSuchDistribution)?;
    let status = document::distribution_status(state, record);
    Ok(Answer::ok(&document::distribution(state, &view, record, status)).etag(version::etag(record.revision)))
}

/// Source: CloudFront API Reference, GetDistributionConfig.
pub(super) async fn get_distribution_config(context: &Context<'_>) -> Result<Answer, ApiError> {
    let view = context.state.current().await?;
    let record = view
        .distribution(&context.distribution_id()?)
        .ok_or(ApiError::NoSuchDistribution)?;
    Ok(Answer::ok(&record.config).etag(version::etag(record.revision)))
}

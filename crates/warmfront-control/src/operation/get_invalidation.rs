use super::Context;
use crate::answer::Answer;
use crate::document;
use crate::error::ApiError;

/// Source: CloudFront API Reference, GetInvalidation.
pub(super) async fn get_invalidation(context: &Context<'_>) -> Result<Answer, ApiError> {
    let view = context.state.current().await?;
    let distribution = context.distribution_id()?;
    view.distribution(&distribution).ok_or(ApiError::NoSuchDistribution)?;
    let record = view
        .invalidation(&distribution, context.label("Id"))
        .ok_or(ApiError::NoSuchInvalidation)?;
    let status = document::invalidation_status(&view, record.revision);
    Ok(Answer::ok(&document::invalidation(record, status)))
}

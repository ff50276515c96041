use super::Context;
use super::create_origin_access_control::document;
use crate::answer::Answer;
use crate::error::ApiError;
use crate::version;

/// Source: CloudFront API Reference, GetOriginAccessControl.
pub(super) async fn get_origin_access_control(context: &Context<'_>) -> Result<Answer, ApiError> {
    let view = context.state.current().await?;
    let record = view
        .origin_access_control(context.label("Id"))
        .ok_or(ApiError::NoSuchOriginAccessControl)?;
    Ok(Answer::ok(&document(&record.id, record.config.clone())).etag(version::etag(record.revision)))
}

/// Source: CloudFront API Reference, GetOriginAccessControlConfig.
pub(super) async fn get_origin_access_control_config(context: &Context<'_>) -> Result<Answer, ApiError> {
    let view = context.state.current().await?;
    let record = view
        .origin_access_control(context.label("Id"))
        .ok_or(ApiError::NoSuchOriginAccessControl)?;
    Ok(Answer::ok(&record.config).etag(version::etag(record.revision)))
}

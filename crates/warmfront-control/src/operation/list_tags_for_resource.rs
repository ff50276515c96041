use warmfront_wire::types::{Tag, Tags};

use super::Context;
use super::tagged::{resource, tags_of};
use crate::answer::Answer;
use crate::error::ApiError;

/// In the order of their keys.
///
/// Source: CloudFront API Reference, ListTagsForResource.
pub(super) async fn list_tags_for_resource(context: &Context<'_>) -> Result<Answer, ApiError> {
    let (arn, id) = resource(context)?;
    let tags = tags_of(&*context.state.current().await?, &arn, &id)?;
    let items = tags
        .into_iter()
        .map(|(key, value)| Tag {
            key,
            value: Some(value),
        })
        .collect();
    Ok(Answer::ok(&Tags { items }))
}

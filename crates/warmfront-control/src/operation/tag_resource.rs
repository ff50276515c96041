use warmfront_wire::convert;

use super::Context;
use super::tagged::change_tags;
use crate::answer::Answer;
use crate::error::ApiError;

/// The most tags of one resource.
///
/// Source: CloudFront Developer Guide, "Quotas".
const TAGS_MAX: usize = 50;

/// Source: CloudFront API Reference, TagResource.
pub(super) async fn tag_resource(context: &Context<'_>) -> Result<Answer, ApiError> {
    let added = convert::tags(&context.call.document()?)?;
    change_tags(context, |tags| {
        tags.extend(added.iter().cloned());
        if tags.len() > TAGS_MAX {
            return Err(ApiError::InvalidTagging(format!(
                "A resource has at most {TAGS_MAX} tags, not {}.",
                tags.len()
            )));
        }
        Ok(())
    })
    .await
}

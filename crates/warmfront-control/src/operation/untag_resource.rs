use warmfront_wire::types::TagKeys;

use super::Context;
use super::tagged::change_tags;
use crate::answer::Answer;
use crate::error::ApiError;

/// Keys that the resource does not have are no error.
///
/// Source: CloudFront API Reference, UntagResource.
pub(super) async fn untag_resource(context: &Context<'_>) -> Result<Answer, ApiError> {
    let removed: TagKeys = context.call.document()?;
    change_tags(context, |tags| {
        tags.retain(|key, _| !removed.items.contains(key));
        Ok(())
    })
    .await
}

use warmfront_facts::Key;

use super::Context;
use crate::answer::Answer;
use crate::error::ApiError;
use crate::state::{Unless, Verdict};
use crate::version;

/// Source: CloudFront API Reference, DeleteOriginAccessControl.
pub(super) async fn delete_origin_access_control(context: &Context<'_>) -> Result<Answer, ApiError> {
    let id = context.label("Id");
    context
        .state
        .decide(|view| {
            let current = view
                .origin_access_control(id)
                .ok_or(ApiError::NoSuchOriginAccessControl)?;
            version::check_if_match(&context.call.headers, &version::etag(current.revision))?;
            if let Some(user) = view.users_of_origin_access_control(id).next() {
                return Err(ApiError::OriginAccessControlInUse(user.id.to_string()));
            }
            Ok(Verdict::delete(
                Key::OriginAccessControl(id.to_owned()),
                Unless::AnyCommit,
                (),
            ))
        })
        .await?;
    Ok(Answer::no_content())
}

use warmfront_facts::Key;

use super::Context;
use crate::answer::Answer;
use crate::error::ApiError;
use crate::policies::{Shown, find};
use crate::state::{Unless, Verdict};
use crate::version;

/// Only what no behavior names can be deleted.
///
/// Source: CloudFront API Reference, DeleteCachePolicy, DeleteOriginRequestPolicy, DeleteResponseHeadersPolicy.
pub(super) async fn delete_policy<P: Shown>(context: &Context<'_>) -> Result<Answer, ApiError> {
    let id = context.label("Id");
    context
        .state
        .decide(|view| {
            let current = find::<P>(view, id)?;
            if current.is_managed {
                return Err(ApiError::IllegalDelete);
            }
            version::check_if_match(&context.call.headers, &current.etag)?;
            if let Some(user) = view.users_of_policy(P::KIND, id).next() {
                return Err(ApiError::PolicyInUse {
                    kind: P::KIND,
                    user: user.id.to_string(),
                });
            }
            Ok(Verdict::delete(
                Key::Policy(P::KIND, id.to_owned()),
                Unless::AnyCommit,
                (),
            ))
        })
        .await?;
    Ok(Answer::no_content())
}

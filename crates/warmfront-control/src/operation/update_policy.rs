use warmfront_facts::Key;

use super::Context;
use super::create_policy::record;
use crate::answer::Answer;
use crate::error::ApiError;
use crate::policies::{Shown, check_name, find};
use crate::state::{Unless, Verdict};
use crate::version;

/// Replaces the whole policy; the distributions that use it follow.
///
/// Source: CloudFront API Reference, UpdateCachePolicy, UpdateOriginRequestPolicy, UpdateResponseHeadersPolicy.
pub(super) async fn update_policy<P: Shown>(context: &Context<'_>) -> Result<Answer, ApiError> {
    let (state, call) = (context.state, context.call);
    let id = context.label("Id");
    let decided = state
        .decide(|view| {
            let current = find::<P>(view, id)?;
            if current.is_managed {
                return Err(ApiError::IllegalUpdate(
                    "You cannot update a managed policy.".to_owned(),
                ));
            }
            version::check_if_match(&call.headers, &current.etag)?;
            let record = record::<P>(id.to_owned(), call.document()?, state.options.clock.now())?;
            check_name::<P>(view, id, P::name(&record.config))?;
            let value = record.encode()?;
            let key = Key::Policy(P::KIND, id.to_owned());
            Ok(Verdict::put(key, value, Unless::AnyCommit, record))
        })
        .await?;
    let record = decided.value;
    let body = P::body(&record.id, record.last_modified, record.config);
    Ok(Answer::ok(&body).etag(version::etag(decided.revision.unwrap_or_default())))
}

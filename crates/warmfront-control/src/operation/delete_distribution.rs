use warmfront_facts::Key;
use warmfront_journal::{Expected, Write};

use super::{Context, distribution_arn};
use crate::answer::Answer;
use crate::error::ApiError;
use crate::state::{Unless, Verdict};
use crate::version;

/// Only what is disabled, and disabled everywhere, can be deleted.
///
/// Source: CloudFront API Reference, DeleteDistribution; Developer Guide, "Delete a distribution".
pub(super) async fn delete_distribution(context: &Context<'_>) -> Result<Answer, ApiError> {
    let state = context.state;
    let id = context.distribution_id()?;
    let tags_key = Key::Tags(distribution_arn(state, &id));
    let deleted = state
        .decide(|view| {
            let current = view.distribution(&id).ok_or(ApiError::NoSuchDistribution)?;
            version::check_if_match(&context.call.headers, &version::etag(current.revision))?;
            if current.config.enabled || !state.nodes.have_applied(view, current.revision) {
                return Err(ApiError::DistributionNotDisabled);
            }
            let tagged = view.tags(&distribution_arn(state, &id)).is_some();
            Ok(Verdict::delete(
                Key::Distribution(id.clone()),
                Unless::AnyCommit,
                tagged,
            ))
        })
        .await?;
    if deleted.value {
        let _turn = state.turn.read().await;
        if let Err(error) = state
            .journal
            .commit(&tags_key.to_string(), Write::Delete, Expected::Any)
            .await
        {
            tracing::warn!(%error, "the tags of a deleted distribution stay in the journal");
        }
    }
    Ok(Answer::no_content())
}

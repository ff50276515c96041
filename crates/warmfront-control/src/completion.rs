use std::sync::Arc;
use std::time::Duration;

use warmfront_facts::{CompletedRecord, Key, View};
use warmfront_journal::{CommitError, Expected, Write};
use warmfront_model::Revision;

use crate::error::Unavailable;
use crate::state::State;

/// How long to wait before the watermark is written again after it could not be.
const RETRY_SECS: Duration = Duration::from_secs(1);

/// Moves the completion watermark up to the newest invalidation that every member node has applied.
///
/// An invalidation is Completed when the watermark in the journal has passed it, never sooner, and never ceases to be.
/// The watermark is written only when it passes an invalidation, once for all those that were applied meanwhile.
pub(crate) async fn complete(state: Arc<State>) {
    let views = &state.views;
    loop {
        let n_moves = state.nodes.n_moves();
        let view = views.newest();
        let through = state.nodes.applied_through(&view);
        let Some(newest) = view.newest_in_progress(through) else {
            tokio::select! {
                _ = views.after(&view) => {}
                () = state.nodes.moved_since(n_moves) => {}
            }
            continue;
        };
        let reached = match raise(&state, &view, newest).await {
            Ok(revision) | Err(Raise::Outrun(revision)) => revision,
            Err(Raise::Failed(error)) => {
                tracing::error!(%error, "the completion watermark cannot be written; trying again");
                tokio::time::sleep(RETRY_SECS).await;
                continue;
            }
        };
        views.at(reached).await;
    }
}

/// Why the watermark was not written.
enum Raise {
    /// Someone else wrote it; the journal's head is here.
    Outrun(Revision),
    Failed(Unavailable),
}

/// Commits the watermark, unless it was written since `view`: so it never goes back, whoever else writes it.
async fn raise(state: &State, view: &View, through: Revision) -> Result<Revision, Raise> {
    let value = CompletedRecord { through }
        .encode()
        .map_err(|error| Raise::Failed(error.into()))?;
    let expected = view.completed_written().map_or(Expected::Absent, Expected::Revision);
    let _turn = state.turn.read().await;
    match state
        .journal
        .commit(&Key::Completed.to_string(), Write::Put(value), expected)
        .await
    {
        Ok(revision) => Ok(revision),
        Err(CommitError::Conflict { head, .. }) => Err(Raise::Outrun(head)),
        Err(error) => Err(Raise::Failed(error.into())),
    }
}

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Mutex, RwLock};
use warmfront_facts::{Key, View};
use warmfront_journal::{CommitError, Expected, Journal, Write};
use warmfront_model::Revision;

use crate::ControlOptions;
use crate::error::{ApiError, Unavailable};
use crate::nodes::Nodes;
use crate::views::Views;

/// How long a request waits for the view to reach the journal's head.
const CATCH_UP_SECS_MAX: Duration = Duration::from_secs(5);

/// How often a decision is taken anew because the journal has moved on.
const ATTEMPTS_MAX: usize = 16;

/// What every request works with.
pub(crate) struct State {
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) options: ControlOptions,
    pub(crate) nodes: Nodes,
    pub(crate) views: Arc<Views>,
    /// Held alone by a writer whose decision any commit makes void, and together by all others while they commit: so
    /// writers of one process take turns instead of failing each other.
    pub(crate) turn: RwLock<()>,
    /// Held during a dry run: each has every node walk its whole cache.
    pub(crate) dry_run: Mutex<()>,
}

/// What is to be committed, and what will have been achieved.
pub(crate) struct Decision<T> {
    pub(crate) key: Key,
    pub(crate) write: Write,
    /// What the journal must still be like.
    pub(crate) unless_moved: Unless,
    pub(crate) then: T,
}

/// What makes a decision void.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unless {
    /// Any commit since the view it was taken on.
    AnyCommit,
    /// A value at the key.
    KeyPresent,
}

/// Either nothing to write, or a write.
pub(crate) enum Verdict<T> {
    Settled(T),
    Write(Decision<T>),
}

/// A verdict that holds. `revision` is where it was committed, if it was.
pub(crate) struct Outcome<T> {
    pub(crate) value: T,
    pub(crate) revision: Option<Revision>,
}

impl<T> Verdict<T> {
    pub(crate) fn put(key: Key, value: Bytes, unless_moved: Unless, then: T) -> Verdict<T> {
        Verdict::Write(Decision {
            key,
            write: Write::Put(value),
            unless_moved,
            then,
        })
    }

    pub(crate) fn delete(key: Key, unless_moved: Unless, then: T) -> Verdict<T> {
        Verdict::Write(Decision {
            key,
            write: Write::Delete,
            unless_moved,
            then,
        })
    }
}

impl State {
    /// A view that has in it every commit that was there when this was called.
    pub(crate) async fn current(&self) -> Result<Arc<View>, ApiError> {
        let head = self.journal.head().await?;
        self.view_at(head).await
    }

    /// A view at `revision` or later.
    pub(crate) async fn view_at(&self, revision: Revision) -> Result<Arc<View>, ApiError> {
        let reached = tokio::time::timeout(CATCH_UP_SECS_MAX, self.views.at(revision)).await;
        reached.map_err(|_| ApiError::Unavailable(Unavailable::ViewBehind))
    }

    /// Takes a decision on a view at the head and commits it; if the journal has moved on, takes it anew.
    ///
    /// Rules that span keys hold because the commit happens at the very head they were checked on.
    pub(crate) async fn decide<T>(
        &self,
        mut decide: impl FnMut(&View) -> Result<Verdict<T>, ApiError>,
    ) -> Result<Outcome<T>, ApiError> {
        let mut view = self.current().await?;
        let mut alone = None;
        for _ in 0..ATTEMPTS_MAX {
            let decision = match decide(&view)? {
                Verdict::Settled(value) => return Ok(Outcome { value, revision: None }),
                Verdict::Write(decision) => decision,
            };
            if decision.unless_moved == Unless::AnyCommit && alone.is_none() {
                alone = Some(self.turn.write().await);
                let fresh = self.current().await?;
                if fresh.revision() != view.revision() {
                    view = fresh;
                    continue;
                }
            }
            let together = if alone.is_none() {
                Some(self.turn.read().await)
            } else {
                None
            };
            let committed = self.commit(&view, &decision).await;
            drop(together);
            match committed {
                Ok(revision) => {
                    return Ok(Outcome {
                        value: decision.then,
                        revision: Some(revision),
                    });
                }
                Err(CommitError::Conflict { head, .. }) => view = self.view_at(head).await?,
                Err(CommitError::TooLarge { bytes, .. }) => return Err(too_large(&decision.key, bytes)),
                Err(error) => return Err(ApiError::Unavailable(error.into())),
            }
        }
        Err(ApiError::Unavailable(Unavailable::Contended(ATTEMPTS_MAX)))
    }

    async fn commit<T>(&self, view: &View, decision: &Decision<T>) -> Result<Revision, CommitError> {
        let expected = match decision.unless_moved {
            Unless::AnyCommit => Expected::Head(view.revision()),
            Unless::KeyPresent => Expected::Absent,
        };
        self.journal
            .commit(&decision.key.to_string(), decision.write.clone(), expected)
            .await
    }
}

fn too_large(key: &Key, bytes: usize) -> ApiError {
    let message = format!("The request comes to {bytes} bytes when stored, more than the journal keeps in one piece.");
    match key {
        Key::Invalidation { .. } => ApiError::BatchTooLarge(message),
        _ => ApiError::EntityTooLarge(message),
    }
}

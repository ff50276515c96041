//! One site and everything that its releases touch: bucket, distribution, state.

use std::sync::Arc;

use warmfront_clock::Clock;

use crate::event::Reporter;
use crate::patience::Patience;
use crate::scan::ScanError;
use crate::settings::Settings;
use crate::state::{State, StateError};
use crate::target::{Bucket, Cdn, TargetError};
use crate::verify::Verifier;

mod apply;
mod memo;
mod planning;
mod steps;
mod survey;
#[cfg(test)]
mod tests;
mod wait;

pub use apply::{Made, Outcome, Status};
pub use memo::Memo;

/// How a run goes about it.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many calls to the bucket at once.
    pub n_parallel: usize,
    /// Whether to wait until the invalidation reads `Completed`; else that is left to `resume`.
    pub wait: bool,
    /// Whether more may be removed than the settings' guard allows.
    pub allow_deletions: bool,
    /// This machine's name, for the lock: the same only where a number means the same process.
    pub host: String,
}

/// Everything that a site's releases touch.
#[derive(Clone)]
pub struct Session {
    /// The bucket.
    pub bucket: Arc<dyn Bucket>,
    /// The bucket's name.
    pub bucket_name: String,
    /// The distributions.
    pub cdn: Arc<dyn Cdn>,
    /// The distribution's Id.
    pub distribution: String,
    /// The state.
    pub state: State,
    /// The settings.
    pub settings: Settings,
    /// With calls that fail, and with what is waited for.
    pub patience: Patience,
    /// How to go about it.
    pub options: Options,
    /// The time.
    pub clock: Clock,
    /// Who listens.
    pub reporter: Arc<dyn Reporter>,
    /// Looks at the site as viewers do; `None` leaves that out.
    pub verifier: Option<Arc<dyn Verifier>>,
    /// What this run has seen.
    pub memo: Memo,
}

/// A release cannot be planned or carried out.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// The bucket or the distribution fails.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The state fails.
    #[error(transparent)]
    State(#[from] StateError),
    /// The lock is not ours.
    #[error(transparent)]
    Lock(#[from] crate::state::LockError),
    /// The folder cannot be published.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// Too much would be removed.
    #[error(transparent)]
    TooManyDeletions(#[from] crate::plan::TooManyDeletions),
    /// A pattern in the settings makes no sense.
    #[error(transparent)]
    Pattern(#[from] globset::Error),
    /// No behavior of the distribution leads to the bucket.
    #[error("no behavior of distribution {distribution} has the bucket {bucket} as its origin")]
    NotItsBucket {
        /// The distribution.
        distribution: String,
        /// The bucket.
        bucket: String,
    },
    /// The distribution could serve the state to viewers.
    #[error("--state {0}: viewers could read it, since the distribution serves this part of the bucket")]
    StateIsPublic(String),
    /// The state would be published as part of the site.
    #[error("--state {0}: it lies in the folder that is published")]
    StateInFolder(String),
    /// The bucket is not as it was when the plan was made.
    #[error("the bucket has changed since the plan was made")]
    BucketChanged,
    /// Another release was finished or began since the plan was made.
    #[error("another release has happened since the plan was made")]
    PlanIsOld,
    /// The plan is of another version of this program.
    #[error("the plan has format {0}, which this program does not know")]
    PlanFormat(u32),
    /// There is no such release.
    #[error("there is no release {0}")]
    NoSuchRelease(String),
    /// There is no release to look at.
    #[error("nothing was released yet")]
    NothingReleased,
    /// There is nothing to go back to.
    #[error("there is no earlier release to go back to")]
    NothingEarlier,
    /// The bytes of a file are nowhere to be found.
    #[error("the bytes of {key} ({digest}) are neither in the bucket nor in the state")]
    BytesLost {
        /// The file's key.
        key: String,
        /// Its content.
        digest: crate::digest::Digest,
    },
    /// An upload is not in the bucket as it was sent.
    #[error("{key} is not in the bucket as it was sent: {problem}")]
    NotAsSent {
        /// The key.
        key: String,
        /// What is wrong.
        problem: String,
    },
    /// Viewers are not shown the release.
    #[error("{n_problems} of {n_checks} checks through the edge failed; first: {first}")]
    NotVerified {
        /// How many failed.
        n_problems: usize,
        /// Of how many.
        n_checks: usize,
        /// The first.
        first: String,
    },
    /// The deadline is over.
    #[error("gave up waiting: {0}")]
    TimedOut(String),
}

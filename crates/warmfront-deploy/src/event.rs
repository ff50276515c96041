//! What a run says while it goes on.

use serde::Serialize;

use crate::record::Step;
use crate::verify::EdgeReport;

/// One thing that happened. As JSON each is an object with `event` and these members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A release begins, or goes on after an interruption.
    Began {
        /// Its Id.
        release: String,
        /// Whether it began in an earlier run.
        resumed: bool,
    },
    /// A step begins.
    Step {
        /// Which.
        step: Step,
        /// How many objects or paths it concerns.
        n_items: usize,
    },
    /// One object of the step is done.
    Object {
        /// Its key.
        key: String,
    },
    /// An invalidation was created, or found to exist already.
    Invalidation {
        /// Its Id.
        id: String,
        /// Its caller reference.
        caller_reference: String,
        /// How many paths it has.
        n_paths: usize,
    },
    /// An invalidation reads `Completed`.
    Completed {
        /// Its Id.
        id: String,
        /// How long it was waited for, in milliseconds.
        waited_ms: u64,
    },
    /// Something is waited for.
    Waiting {
        /// For what, and why.
        reason: String,
        /// How long until the next look, in milliseconds.
        for_ms: u64,
    },
    /// A call failed and is tried again.
    Retrying {
        /// The failure.
        reason: String,
        /// Which try failed, from 1.
        attempt: u32,
        /// After so many milliseconds.
        after_ms: u64,
    },
    /// One URL was looked at through the edge.
    Checked {
        /// The edge.
        edge: String,
        /// The URL's path.
        path: String,
        /// What is wrong; `None` if nothing is.
        problem: Option<String>,
        /// `x-cache` of the first and the second answer.
        x_cache: String,
    },
    /// An edge was looked at.
    Verified(EdgeReport),
    /// What somebody should know.
    Warning {
        /// The text.
        message: String,
    },
    /// A release is finished.
    Finished {
        /// Its Id.
        release: String,
        /// How many objects were written.
        n_uploads: usize,
        /// How many keys were deleted.
        n_removals: usize,
        /// How many paths were invalidated.
        n_paths: usize,
        /// How long it took, in milliseconds since this run began.
        took_ms: u64,
    },
}

/// Takes events in.
pub trait Reporter: Send + Sync {
    /// One event, as soon as it happened.
    fn report(&self, event: Event);
}

/// Nobody listens.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Reporter for Silent {
    fn report(&self, _: Event) {}
}

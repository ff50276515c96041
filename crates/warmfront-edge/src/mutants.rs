//! Bugs that tests plant into the edge, each a rule of the invalidation protocol broken. The simulation must find every
//! one of them, or it would not find a real one. Without the feature `mutants` there is nothing to plant.

#[cfg(feature = "mutants")]
use std::cell::Cell;

/// A bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// A response is stamped with what is applied when it arrives, not with what was applied when it was planned.
    StampAtArrival,
    /// The same for a copy that a 304 confirms.
    StampAtConfirmation,
    /// Whoever finds a fetch in flight joins it, however old it is.
    JoinUnchecked,
    /// `applied` moves before the entry is in the index.
    EpochBeforeEntry,
    /// What was missed in a gap of the watch counts as if nothing had been invalidated.
    GapUncovered,
    /// A node that starts on a disk does not load the invalidations of the time when it was down.
    PastForgotten,
    /// A sweep drops entries, and the floor stays where it was.
    FloorNotRaised,
    /// A child takes what a parent gives without naming a min-epoch, and stamps it with its own epoch.
    ParentTrusted,
    /// A node answers from its cache whether it has a lease or not.
    FenceIgnored,
    /// A node without a lease joins a fetch that began before the request arrived.
    JoinFenced,
    /// A request with the token of an invalidation is answered like any other.
    TokenIgnored,
    /// A node takes its lease before it has applied its own join record.
    JoinUnawaited,
    /// A lease counts from when its renewal was answered.
    LeaseFromAnswer,
}

#[cfg(feature = "mutants")]
thread_local! {
    static PLANTED: Cell<Option<Mutant>> = const { Cell::new(None) };
}

/// From now on every edge on this thread has this bug, or none.
#[cfg(feature = "mutants")]
pub fn plant(mutant: Option<Mutant>) {
    PLANTED.set(mutant);
}

#[cfg(feature = "mutants")]
pub(crate) fn is_planted(mutant: Mutant) -> bool {
    PLANTED.get() == Some(mutant)
}

#[cfg(not(feature = "mutants"))]
pub(crate) const fn is_planted(_: Mutant) -> bool {
    false
}

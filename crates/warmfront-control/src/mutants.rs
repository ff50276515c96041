//! Bugs that tests plant into the judgement of what is Completed. The simulation must find every one of them. Without the
//! feature `mutants` there is nothing to plant.

#[cfg(feature = "mutants")]
use std::cell::Cell;

/// A bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// The fastest of the nodes decides what is Completed.
    FastestDecides,
    /// A member is dropped when half of its lease is over.
    DroppedEarly,
    /// A control process that has just begun drops members that it has not heard of yet.
    DroppedAtOnce,
}

#[cfg(feature = "mutants")]
thread_local! {
    static PLANTED: Cell<Option<Mutant>> = const { Cell::new(None) };
}

/// From now on every control plane on this thread has this bug, or none.
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

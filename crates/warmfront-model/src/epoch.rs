use std::fmt;

/// A position within one incarnation of the journal. The first commit has revision 1; 0 is before every commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(pub u64);

impl Revision {
    /// Before every commit.
    pub const ZERO: Revision = Revision(0);
}

impl fmt::Display for Revision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// One life of a journal, a random number drawn when a journal is created, restored or migrated.
/// Revisions of different incarnations cannot be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Incarnation(pub u64);

impl fmt::Display for Incarnation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}", self.0)
    }
}

/// A position in the journal: never a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Epoch {
    /// The journal's life that `revision` counts in.
    pub incarnation: Incarnation,
    /// The position within that life.
    pub revision: Revision,
}

impl Epoch {
    /// Whether a response stamped with `self` is at least as new as `required`.
    /// A stamp of another incarnation never is: it counts as covered.
    pub fn satisfies(self, required: Epoch) -> bool {
        self.incarnation == required.incarnation && self.revision >= required.revision
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.incarnation, self.revision)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(incarnation: u64, revision: u64) -> Epoch {
        Epoch {
            incarnation: Incarnation(incarnation),
            revision: Revision(revision),
        }
    }

    #[test]
    fn a_stamp_satisfies_its_own_epoch_and_older_ones_only() {
        assert!(epoch(1, 5).satisfies(epoch(1, 5)));
        assert!(epoch(1, 6).satisfies(epoch(1, 5)));
        assert!(!epoch(1, 4).satisfies(epoch(1, 5)));
    }

    #[test]
    fn a_stamp_of_another_incarnation_never_satisfies() {
        assert!(!epoch(2, 9).satisfies(epoch(1, 5)));
        assert!(!epoch(2, 9).satisfies(epoch(1, 0)));
    }
}

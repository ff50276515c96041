use std::ops::Bound;
use std::sync::Arc;

use imbl::{HashMap, OrdMap};
use warmfront_model::Revision;

use crate::{AuditRecord, InvalidationRecord};

/// What a distribution has in progress, as its quotas count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct InProgress {
    /// Invalidations.
    pub batches: usize,
    /// Paths that end in `*`.
    pub wildcards: usize,
    /// All other paths, and tags.
    pub files: usize,
}

/// The invalidations of one distribution.
#[derive(Clone, Debug, Default)]
pub(super) struct Invalidations {
    by_revision: OrdMap<Revision, Arc<InvalidationRecord>>,
    by_id: HashMap<String, Revision>,
    audits: OrdMap<Revision, Arc<AuditRecord>>,
}

impl Invalidations {
    pub(super) fn add(&mut self, record: Arc<InvalidationRecord>) {
        self.by_id.insert(record.id.clone(), record.revision);
        self.by_revision.insert(record.revision, record);
    }

    pub(super) fn get(&self, id: &str) -> Option<&Arc<InvalidationRecord>> {
        self.by_revision.get(self.by_id.get(id)?)
    }

    pub(super) fn set_audit(&mut self, record: Arc<AuditRecord>) {
        self.audits.insert(record.epoch, record);
    }

    pub(super) fn audit(&self, epoch: Revision) -> Option<&Arc<AuditRecord>> {
        self.audits.get(&epoch)
    }

    pub(super) fn after(&self, after: Revision) -> impl Iterator<Item = &Arc<InvalidationRecord>> {
        let range = (Bound::Excluded(after), Bound::Unbounded);
        self.by_revision.range(range).map(|(_, record)| record)
    }

    pub(super) fn newest_first(&self, before: Option<Revision>) -> impl Iterator<Item = &Arc<InvalidationRecord>> {
        let end = before.map_or(Bound::Unbounded, Bound::Excluded);
        self.by_revision
            .range((Bound::Unbounded, end))
            .rev()
            .map(|(_, record)| record)
    }

    pub(super) fn in_progress(&self, completed: Revision) -> InProgress {
        let mut count = InProgress::default();
        for (_, record) in self.by_revision.range((Bound::Excluded(completed), Bound::Unbounded)) {
            let wildcards = record.items.iter().filter(|item| item.is_wildcard()).count();
            count.batches += 1;
            count.wildcards += wildcards;
            count.files += record.items.len() - wildcards;
        }
        count
    }

    pub(super) fn newest_between(&self, above: Revision, through: Revision) -> Option<Revision> {
        if through <= above {
            return None;
        }
        let range = (Bound::Excluded(above), Bound::Included(through));
        self.by_revision.range(range).next_back().map(|(&revision, _)| revision)
    }
}

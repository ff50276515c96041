use std::sync::Arc;

use foldhash::fast::RandomState;
use warmfront_model::{CacheTag, DistributionId, Epoch, Incarnation, Revision};

use crate::prefix_tree::PrefixTree;
use crate::{InvalidationItem, Subject};

type Map<K, V> = imbl::GenericHashMap<K, V, RandomState, imbl::shared_ptr::DefaultSharedPtr>;

/// What a node knows of invalidations at one epoch: for a URL and its tags, the newest revision that covers them.
///
/// Immutable once published: a clone shares everything with the original, and changing one copies only what changes.
/// So readers never wait, and a reader sees one epoch whole.
#[derive(Clone, Debug)]
pub struct Index {
    applied: Epoch,
    floor: Revision,
    distributions: Map<DistributionId, DistributionIndex>,
}

impl Index {
    /// An index that knows nothing, at the beginning of `incarnation`.
    pub fn new(incarnation: Incarnation) -> Index {
        Index {
            applied: Epoch {
                incarnation,
                revision: Revision::ZERO,
            },
            floor: Revision::ZERO,
            distributions: Map::default(),
        }
    }

    /// The epoch up to which the journal has been taken in.
    pub fn applied(&self) -> Epoch {
        self.applied
    }

    /// The revision up to which entries may have been dropped; a stamp below it counts as covered.
    pub fn floor(&self) -> Revision {
        self.floor
    }

    /// Takes in an invalidation of `distribution` that was committed at `revision`.
    pub fn invalidate(&mut self, distribution: &DistributionId, items: &[InvalidationItem], revision: Revision) {
        let mut index = self.distributions.get(distribution).cloned().unwrap_or_default();
        for item in items {
            index.insert(item, revision);
        }
        self.distributions.insert(distribution.clone(), index);
    }

    /// Everything up to `revision` has been taken in, whatever kind of fact it was.
    pub fn advance(&mut self, revision: Revision) {
        self.applied.revision = self.applied.revision.max(revision);
    }

    /// Counts everything stamped below the present epoch as covered: nothing is known of earlier invalidations.
    pub fn cover_the_past(&mut self) {
        self.floor = self.applied.revision;
    }

    /// Counts everything stamped below `revision` as covered. For the index of one request that asks for nothing older.
    pub fn demand(&mut self, revision: Revision) {
        self.floor = self.floor.max(revision);
    }

    /// The as-of a stored response must have to be used: `max(floor, newest entry that covers it)`.
    pub fn required(&self, distribution: &DistributionId, subject: Subject<'_>) -> Revision {
        let newest = self
            .distributions
            .get(distribution)
            .map_or(Revision::ZERO, |index| index.newest(subject));
        newest.max(self.floor)
    }

    /// Drops the entries at or below `through`, and makes it the floor.
    /// For the end of a sweep that began when `through` was applied.
    pub fn forget(&mut self, through: Revision) {
        let kept: Map<_, _> = self
            .distributions
            .iter()
            .filter(|(_, index)| index.newest > through)
            .map(|(id, index)| (id.clone(), index.above(through)))
            .collect();
        self.distributions = kept;
        self.floor = self.floor.max(through);
    }

    /// Whether no entry is left.
    pub fn is_empty(&self) -> bool {
        self.distributions.is_empty()
    }
}

/// The entries of one distribution.
#[derive(Clone, Debug, Default)]
pub struct DistributionIndex {
    newest: Revision,
    everything: Revision,
    exact: Map<Arc<[u8]>, Revision>,
    prefixes: PrefixTree,
    tags: Map<CacheTag, Revision>,
}

impl DistributionIndex {
    fn insert(&mut self, item: &InvalidationItem, revision: Revision) {
        self.newest = self.newest.max(revision);
        match item {
            InvalidationItem::Everything => self.everything = self.everything.max(revision),
            InvalidationItem::Prefix(prefix) => self.prefixes.insert(prefix.as_bytes(), revision),
            InvalidationItem::Exact(url) => raise(&mut self.exact, url.as_bytes().into(), revision),
            InvalidationItem::Tag(tag) => raise(&mut self.tags, tag.clone(), revision),
        }
    }

    fn newest(&self, subject: Subject<'_>) -> Revision {
        let by_url = |url: &[u8]| {
            let exact = self.exact.get(url).copied().unwrap_or_default();
            exact.max(self.prefixes.newest(url))
        };
        let by_tag = subject
            .tags
            .iter()
            .filter_map(|tag| self.tags.get(tag).copied())
            .max()
            .unwrap_or_default();
        let by_root = subject
            .names
            .root
            .as_ref()
            .map_or(Revision::ZERO, |root| by_url(root.as_bytes()));
        self.everything
            .max(by_url(subject.names.url.as_bytes()))
            .max(by_root)
            .max(by_tag)
    }

    fn above(&self, through: Revision) -> DistributionIndex {
        let later = |revision: Revision| if revision > through { revision } else { Revision::ZERO };
        DistributionIndex {
            newest: later(self.newest),
            everything: later(self.everything),
            exact: self
                .exact
                .iter()
                .filter(|(_, r)| **r > through)
                .map(|(url, r)| (url.clone(), *r))
                .collect(),
            prefixes: self.prefixes.above(through),
            tags: self
                .tags
                .iter()
                .filter(|(_, r)| **r > through)
                .map(|(tag, r)| (tag.clone(), *r))
                .collect(),
        }
    }
}

fn raise<K: std::hash::Hash + Eq + Clone>(map: &mut Map<K, Revision>, key: K, revision: Revision) {
    let known = map.entry(key).or_insert(revision);
    *known = (*known).max(revision);
}

#[cfg(test)]
mod tests;

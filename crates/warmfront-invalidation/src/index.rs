use std::hash::Hash;
use std::sync::Arc;

use foldhash::fast::RandomState;
use warmfront_model::{CacheTag, DistributionId, Epoch, Incarnation, Revision};

use crate::covering::Covering;
use crate::prefix_tree::PrefixTree;
use crate::{InvalidationItem, InvalidationMode, Names, Stamped, cache_tags};

type Map<K, V> = imbl::GenericHashMap<K, V, RandomState, imbl::shared_ptr::DefaultSharedPtr>;

/// What a node knows of invalidations at one epoch: for a URL and its tags, the newest revision that covers them.
///
/// Immutable once published: a clone shares everything with the original, and changing one copies only what changes.
/// So readers never wait, and a reader sees one epoch whole.
#[derive(Clone, Debug)]
pub struct Index {
    applied: Epoch,
    floor: Revision,
    /// Nothing older will do, whether it is covered or not.
    demanded: Revision,
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
            demanded: Revision::ZERO,
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

    /// Takes in an invalidation of `distribution` that was committed at `revision`, to be fetched anew.
    pub fn invalidate(&mut self, distribution: &DistributionId, items: &[InvalidationItem], revision: Revision) {
        self.invalidate_in(InvalidationMode::Refetch, distribution, items, revision);
    }

    /// Takes in an invalidation of `distribution` that was committed at `revision`. Where two cover a response, it is
    /// fetched anew if either says so.
    pub fn invalidate_in(
        &mut self,
        mode: InvalidationMode,
        distribution: &DistributionId,
        items: &[InvalidationItem],
        revision: Revision,
    ) {
        let covering = Covering::new(mode, revision);
        let index = self.distributions.entry(distribution.clone()).or_default();
        for item in items {
            index.insert(item, covering);
        }
    }

    /// The tags of `distribution` are to be read from another field than before. Which responses its tags cover is not
    /// known any more, so those that have been invalidated by tag since the last sweep cover every response of the
    /// distribution that is as old.
    pub fn change_tag_header(&mut self, distribution: &DistributionId) {
        if let Some(index) = self.distributions.get_mut(distribution) {
            index.everything = index.everything.max(index.newest_tag);
            index.newest_tag = Covering::NEVER;
            index.tags = Map::default();
        }
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
        self.demanded = self.demanded.max(revision);
    }

    /// The as-of that a response of this URL must have to be used: `max(floor, newest entry that covers it)`. What covers
    /// it by its tags is not counted: they are not known yet.
    pub fn required(&self, distribution: &DistributionId, names: &Names<'_>) -> Revision {
        let newest = self
            .distributions
            .get(distribution)
            .map_or(Revision::ZERO, |index| index.by_url(names).newest);
        newest.max(self.floor).max(self.demanded)
    }

    /// The same for a response that is here, with what covers it by its tags.
    pub fn required_of<T: Stamped>(&self, distribution: &DistributionId, names: &Names<'_>, response: &T) -> Revision {
        let newest = self.covering(distribution, names, response).newest;
        newest.max(self.floor).max(self.demanded)
    }

    /// Whether entries by tag are known for `distribution` that are newer than `revision`.
    pub(crate) fn has_tags_above(&self, distribution: &DistributionId, revision: Revision) -> bool {
        let index = self.distributions.get(distribution);
        index.is_some_and(|index| index.newest_tag.newest > revision)
    }

    pub(crate) fn demanded(&self) -> Revision {
        self.demanded
    }

    /// What covers a stored response, the floor left aside.
    pub(crate) fn covering<T: Stamped>(
        &self,
        distribution: &DistributionId,
        names: &Names<'_>,
        response: &T,
    ) -> Covering {
        let index = self.distributions.get(distribution);
        index.map_or(Covering::NEVER, |index| {
            index.by_url(names).max(index.by_tag(names.tag_header, response))
        })
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

    /// How many entries there are. Takes time in their number.
    pub fn n_entries(&self) -> usize {
        self.distributions.values().map(DistributionIndex::n_entries).sum()
    }

    /// Whether no entry is left.
    pub fn is_empty(&self) -> bool {
        self.distributions.is_empty()
    }
}

/// The entries of one distribution.
#[derive(Clone, Debug, Default)]
struct DistributionIndex {
    newest: Revision,
    everything: Covering,
    exact: Map<Arc<[u8]>, Covering>,
    prefixes: PrefixTree,
    tags: Map<CacheTag, Covering>,
    newest_tag: Covering,
}

impl DistributionIndex {
    fn insert(&mut self, item: &InvalidationItem, covering: Covering) {
        self.newest = self.newest.max(covering.newest);
        match item {
            InvalidationItem::Everything => self.everything = self.everything.max(covering),
            InvalidationItem::Prefix(prefix) => self.prefixes.insert(prefix.as_bytes(), covering),
            InvalidationItem::Exact(url) => raise(&mut self.exact, url.as_bytes().into(), covering),
            InvalidationItem::Tag(tag) => {
                raise(&mut self.tags, tag.clone(), covering);
                self.newest_tag = self.newest_tag.max(covering);
            }
        }
    }

    fn by_url(&self, names: &Names<'_>) -> Covering {
        let of = |url: &[u8]| {
            let exact = self.exact.get(url).copied().unwrap_or_default();
            exact.max(self.prefixes.newest(url))
        };
        let by_root = names.root.as_deref().map_or(Covering::NEVER, of);
        self.everything.max(of(&names.url)).max(by_root)
    }

    /// A response whose tags cannot be known here counts as having all of them.
    fn by_tag<T: Stamped>(&self, header: Option<&str>, response: &T) -> Covering {
        let Some(header) = header.filter(|_| self.newest_tag != Covering::NEVER) else {
            return Covering::NEVER;
        };
        let Some(values) = response.field_values(header) else {
            return self.newest_tag;
        };
        cache_tags(values)
            .filter_map(|tag| self.tag(tag))
            .fold(Covering::NEVER, Covering::max)
    }

    fn tag(&self, tag: &str) -> Option<Covering> {
        let mut buffer = [0; CacheTag::LENGTH_MAX];
        let lower = buffer.get_mut(..tag.len())?;
        lower.copy_from_slice(tag.as_bytes());
        lower.make_ascii_lowercase();
        self.tags.get(std::str::from_utf8(lower).ok()?).copied()
    }

    fn n_entries(&self) -> usize {
        let everything = usize::from(self.everything.newest > Revision::ZERO);
        everything + self.exact.len() + self.prefixes.n_prefixes() + self.tags.len()
    }

    fn above(&self, through: Revision) -> DistributionIndex {
        DistributionIndex {
            newest: self.newest,
            everything: self.everything.above(through).unwrap_or_default(),
            exact: above(&self.exact, through),
            prefixes: self.prefixes.above(through),
            tags: above(&self.tags, through),
            newest_tag: self.newest_tag.above(through).unwrap_or_default(),
        }
    }
}

fn above<K: Hash + Eq + Clone>(map: &Map<K, Covering>, through: Revision) -> Map<K, Covering> {
    map.iter()
        .filter_map(|(key, covering)| Some((key.clone(), covering.above(through)?)))
        .collect()
}

fn raise<K: Hash + Eq + Clone>(map: &mut Map<K, Covering>, key: K, covering: Covering) {
    let known = map.entry(key).or_default();
    *known = known.max(covering);
}

#[cfg(test)]
mod tests;

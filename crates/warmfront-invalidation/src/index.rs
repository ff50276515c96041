use std::sync::Arc;

use foldhash::fast::RandomState;
use warmfront_model::{CacheTag, DistributionId, Epoch, Incarnation, Revision};

use crate::by_name::ByName;
use crate::covering::Covering;
use crate::prefix_tree::PrefixTree;
use crate::{InvalidationItem, InvalidationMode, Names, Stamped, cache_tags};

pub(crate) type Map<K, V> = imbl::GenericHashMap<K, V, RandomState, imbl::shared_ptr::DefaultSharedPtr>;

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
    /// The newest of all entries, the floor and what is demanded: nothing stamped with it, or later, is covered.
    newest: Revision,
    entries: Entries,
    /// Those that the sweep under way makes needless.
    swept: Entries,
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
            newest: Revision::ZERO,
            entries: Entries::default(),
            swept: Entries::default(),
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
        let index = self.entries.distributions.entry(distribution.clone()).or_default();
        for item in items {
            index.insert(item, covering);
        }
        self.entries.newest = self.entries.newest.max(revision);
        self.newest = self.newest.max(revision);
    }

    /// The tags of `distribution` are to be read from another field than before. Which responses its tags cover is not
    /// known any more, so those that have been invalidated by tag since the last sweep cover every response of the
    /// distribution that is as old.
    pub fn change_tag_header(&mut self, distribution: &DistributionId) {
        for entries in [&mut self.entries, &mut self.swept] {
            if let Some(index) = entries.distributions.get_mut(distribution) {
                index.everything = index.everything.max(index.newest_tag);
                index.newest_tag = Covering::NEVER;
                index.tags = ByName::default();
            }
        }
    }

    /// Everything up to `revision` has been taken in, whatever kind of fact it was.
    pub fn advance(&mut self, revision: Revision) {
        self.applied.revision = self.applied.revision.max(revision);
    }

    /// Counts everything stamped below the present epoch as covered: nothing is known of earlier invalidations.
    pub fn cover_the_past(&mut self) {
        self.raise_floor(self.applied.revision);
    }

    /// Counts everything stamped below `revision` as covered, once what the index knows has raised its stamp. For the index
    /// of one request that asks for nothing older.
    pub fn demand(&mut self, revision: Revision) {
        self.demanded = self.demanded.max(revision);
        self.newest = self.newest.max(revision);
    }

    /// The as-of that a response of this URL must have to be used: `max(floor, newest entry that covers it)`. What covers
    /// it by its tags is not counted: they are not known yet.
    pub fn required(&self, distribution: &DistributionId, names: &Names<'_>) -> Revision {
        let newest = self.of(distribution).by_url(names, Revision::ZERO).newest;
        newest.max(self.floor).max(self.demanded)
    }

    /// The same for a response that is here, with what covers it by its tags.
    pub fn required_of<T: Stamped>(&self, distribution: &DistributionId, names: &Names<'_>, response: &T) -> Revision {
        let newest = self.of(distribution).covering(names, response, Revision::ZERO).newest;
        newest.max(self.floor).max(self.demanded)
    }

    pub(crate) fn demanded(&self) -> Revision {
        self.demanded
    }

    /// No response stamped with it, or later, is covered.
    pub(crate) fn newest(&self) -> Revision {
        self.newest
    }

    /// What is known of a distribution.
    pub(crate) fn of(&self, distribution: &DistributionId) -> Known<'_> {
        Known([&self.entries, &self.swept].map(|entries| entries.distributions.get(distribution)))
    }

    /// A sweep begins: the entries there are will be dropped at its end. Those of a sweep that never ended come first, and
    /// alone.
    pub fn begin_sweep(&mut self) {
        if self.swept.distributions.is_empty() {
            std::mem::swap(&mut self.swept, &mut self.entries);
        }
    }

    /// The sweep is over, and has visited every stored response with this index as it was after [`Index::begin_sweep`], or
    /// a later one. Drops the entries of that time; the newest of them is the floor.
    pub fn end_sweep(&mut self) {
        let swept = std::mem::take(&mut self.swept);
        self.raise_floor(swept.newest);
    }

    fn raise_floor(&mut self, to: Revision) {
        self.floor = self.floor.max(to);
        self.newest = self.newest.max(to);
    }

    /// How many entries there are. Takes time in their number.
    pub fn n_entries(&self) -> usize {
        let all = [&self.entries, &self.swept].into_iter();
        all.flat_map(|entries| entries.distributions.values())
            .map(DistributionIndex::n_entries)
            .sum()
    }

    /// Whether no entry is left.
    pub fn is_empty(&self) -> bool {
        self.entries.distributions.is_empty() && self.swept.distributions.is_empty()
    }
}

/// Entries, by distribution.
#[derive(Clone, Debug, Default)]
struct Entries {
    newest: Revision,
    distributions: Map<DistributionId, DistributionIndex>,
}

/// What is known of one distribution: by entries that came before a sweep, and by later ones.
pub(crate) struct Known<'a>([Option<&'a DistributionIndex>; 2]);

impl Known<'_> {
    fn indexes(&self) -> impl Iterator<Item = &DistributionIndex> {
        self.0.iter().flatten().copied()
    }

    /// The newest entry, whatever it covers.
    pub(crate) fn newest(&self) -> Revision {
        let newest = self.indexes().map(|index| index.newest);
        newest.max().unwrap_or(Revision::ZERO)
    }

    /// The newest entry for a tag, whichever.
    pub(crate) fn newest_tag(&self) -> Revision {
        let newest = self.indexes().map(|index| index.newest_tag.newest);
        newest.max().unwrap_or(Revision::ZERO)
    }

    /// What covers a response of this URL, its tags and the floor left aside. What is not above `as_of` may be left out.
    pub(crate) fn by_url(&self, names: &Names<'_>, as_of: Revision) -> Covering {
        let all = self.indexes().map(|index| index.by_url(names, as_of));
        all.fold(Covering::NEVER, Covering::max)
    }

    /// What covers a stored response, likewise.
    pub(crate) fn covering<T: Stamped>(&self, names: &Names<'_>, response: &T, as_of: Revision) -> Covering {
        let with_tags = self.indexes().filter(|index| index.newest_tag.newest > as_of);
        with_tags
            .map(|index| index.by_tag(names.tag_header, response))
            .fold(self.by_url(names, as_of), Covering::max)
    }
}

/// The entries of one distribution.
#[derive(Clone, Debug, Default)]
struct DistributionIndex {
    newest: Revision,
    everything: Covering,
    exact: ByName<Arc<[u8]>>,
    newest_exact: Revision,
    prefixes: PrefixTree,
    newest_prefix: Revision,
    tags: ByName<CacheTag>,
    newest_tag: Covering,
}

impl DistributionIndex {
    fn insert(&mut self, item: &InvalidationItem, covering: Covering) {
        self.newest = self.newest.max(covering.newest);
        match item {
            InvalidationItem::Everything => self.everything = self.everything.max(covering),
            InvalidationItem::Prefix(prefix) => {
                self.prefixes.insert(prefix.as_bytes(), covering);
                self.newest_prefix = self.newest_prefix.max(covering.newest);
            }
            InvalidationItem::Exact(url) => {
                self.exact.raise(url.as_bytes().into(), covering);
                self.newest_exact = self.newest_exact.max(covering.newest);
            }
            InvalidationItem::Tag(tag) => {
                self.tags.raise(tag.clone(), covering);
                self.newest_tag = self.newest_tag.max(covering);
            }
        }
    }

    fn by_url(&self, names: &Names<'_>, as_of: Revision) -> Covering {
        let (by_name, by_prefix) = (self.newest_exact > as_of, self.newest_prefix > as_of);
        let mut covering = self.everything;
        for url in [Some(&*names.url), names.root.as_deref()].into_iter().flatten() {
            if by_name {
                covering = covering.max(self.exact.newest(url));
            }
            if by_prefix {
                covering = covering.max(self.prefixes.newest(url));
            }
        }
        covering
    }

    /// A response whose tags cannot be known here counts as having all of them.
    fn by_tag<T: Stamped>(&self, header: Option<&str>, response: &T) -> Covering {
        let Some(header) = header else {
            return Covering::NEVER;
        };
        let Some(values) = response.field_values(header) else {
            return self.newest_tag;
        };
        cache_tags(values)
            .map(|tag| self.tag(tag))
            .fold(Covering::NEVER, Covering::max)
    }

    fn tag(&self, tag: &str) -> Covering {
        if !tag.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return self.tags.newest(tag);
        }
        let mut buffer = [0; CacheTag::LENGTH_MAX];
        let Some(lower) = buffer.get_mut(..tag.len()) else {
            return Covering::NEVER;
        };
        lower.copy_from_slice(tag.as_bytes());
        lower.make_ascii_lowercase();
        self.tags.newest(std::str::from_utf8(lower).unwrap_or_default())
    }

    fn n_entries(&self) -> usize {
        let everything = usize::from(self.everything.newest > Revision::ZERO);
        everything + self.exact.len() + self.prefixes.n_prefixes() + self.tags.len()
    }
}

#[cfg(test)]
mod tests;

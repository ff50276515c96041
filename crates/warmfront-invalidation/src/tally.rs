use std::collections::{BTreeMap, BTreeSet, HashMap};

use foldhash::fast::RandomState;
use warmfront_model::{CacheTag, DistributionId, Revision};

use crate::{InvalidationItem, Names, Stamped, cache_tags};

/// Counts what each of several invalidations covers.
///
/// An [`Index`](crate::Index) knows the newest that covers a response, which is all that the answer to a request depends
/// on. Here each invalidation counts for itself: one for `/a` has covered what one for `/*` has covered as well.
#[derive(Debug, Default)]
pub struct Tally {
    counts: BTreeMap<Revision, Counting>,
    distributions: HashMap<DistributionId, Matching, RandomState>,
    n_items: usize,
}

/// What was covered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tallied {
    /// How many responses.
    pub responses: u64,
    /// How many bytes their bodies have.
    pub bytes: u64,
}

#[derive(Debug)]
struct Counting {
    distribution: DistributionId,
    items: Vec<InvalidationItem>,
    tallied: Tallied,
}

/// Which invalidations name what, of one distribution.
#[derive(Debug, Default)]
struct Matching {
    everything: Vec<Revision>,
    exact: ByName,
    prefixes: ByName,
    /// The lengths that prefixes have, with how many have it.
    prefix_bytes: BTreeMap<usize, usize>,
    tags: HashMap<CacheTag, Vec<Revision>, RandomState>,
}

type ByName = HashMap<Box<[u8]>, Vec<Revision>, RandomState>;

impl Tally {
    /// How many items of invalidations that are being counted there may be.
    pub const ITEMS_MAX: usize = 100_000;

    /// Begins to count an invalidation of `distribution` that was committed at `revision`. False: there are too many items
    /// already, and it is not counted.
    pub fn begin(&mut self, distribution: &DistributionId, items: &[InvalidationItem], revision: Revision) -> bool {
        if self.n_items + items.len() > Self::ITEMS_MAX {
            return false;
        }
        self.n_items += items.len();
        let matching = self.distributions.entry(distribution.clone()).or_default();
        items.iter().for_each(|item| matching.insert(item, revision));
        let counting = Counting {
            distribution: distribution.clone(),
            items: items.to_vec(),
            tallied: Tallied::default(),
        };
        self.counts.insert(revision, counting);
        true
    }

    /// Whether nothing is being counted.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// Counts a stored response with a body of `bytes` for each invalidation that covers it and has not yet been
    /// [settled](crate::Stamp::settled) for it. Gives how many those are. To be called once for each response that leaves
    /// the cache, or stays there covered.
    pub fn count<T: Stamped>(
        &mut self,
        distribution: &DistributionId,
        names: &Names<'_>,
        response: &T,
        bytes: u64,
    ) -> usize {
        let settled = response.stamp().settled();
        let Some(matching) = self.distributions.get(distribution) else {
            return 0;
        };
        let mut covering = matching.by_url(names);
        covering.extend(matching.by_tag(names.tag_header, response));
        covering.retain(|revision| *revision > settled);
        for revision in &covering {
            if let Some(counting) = self.counts.get_mut(revision) {
                counting.tallied.responses += 1;
                counting.tallied.bytes += bytes;
            }
        }
        covering.len()
    }

    /// Ends the count of the invalidations up to `through`, and gives what each has covered, oldest first.
    pub fn finish(&mut self, through: Revision) -> Vec<(Revision, Tallied)> {
        let later = self.counts.split_off(&Revision(through.0.saturating_add(1)));
        let finished = std::mem::replace(&mut self.counts, later);
        for (revision, counting) in &finished {
            self.n_items -= counting.items.len();
            if let Some(matching) = self.distributions.get_mut(&counting.distribution) {
                counting.items.iter().for_each(|item| matching.remove(item, *revision));
                if matching.is_empty() {
                    self.distributions.remove(&counting.distribution);
                }
            }
        }
        let tallied = |(revision, counting): (Revision, Counting)| (revision, counting.tallied);
        finished.into_iter().map(tallied).collect()
    }
}

impl Matching {
    fn insert(&mut self, item: &InvalidationItem, revision: Revision) {
        match item {
            InvalidationItem::Everything => self.everything.push(revision),
            InvalidationItem::Exact(url) => add(&mut self.exact, url.as_bytes(), revision),
            InvalidationItem::Prefix(prefix) => {
                *self.prefix_bytes.entry(prefix.as_bytes().len()).or_default() += 1;
                add(&mut self.prefixes, prefix.as_bytes(), revision);
            }
            InvalidationItem::Tag(tag) => self.tags.entry(tag.clone()).or_default().push(revision),
        }
    }

    fn remove(&mut self, item: &InvalidationItem, revision: Revision) {
        match item {
            InvalidationItem::Everything => self.everything.retain(|it| *it != revision),
            InvalidationItem::Exact(url) => take(&mut self.exact, url.as_bytes(), revision),
            InvalidationItem::Prefix(prefix) => {
                let bytes = prefix.as_bytes().len();
                if let Some(n_prefixes) = self.prefix_bytes.get_mut(&bytes) {
                    *n_prefixes -= 1;
                    if *n_prefixes == 0 {
                        self.prefix_bytes.remove(&bytes);
                    }
                }
                take(&mut self.prefixes, prefix.as_bytes(), revision);
            }
            InvalidationItem::Tag(tag) => {
                if let Some(revisions) = self.tags.get_mut(tag) {
                    revisions.retain(|it| *it != revision);
                    if revisions.is_empty() {
                        self.tags.remove(tag);
                    }
                }
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.everything.is_empty() && self.exact.is_empty() && self.prefixes.is_empty() && self.tags.is_empty()
    }

    /// Looks a prefix of each length up that there is: one for each, however many prefixes there are.
    fn by_url(&self, names: &Names<'_>) -> BTreeSet<Revision> {
        let mut covering: BTreeSet<Revision> = self.everything.iter().copied().collect();
        for url in [Some(&*names.url), names.root.as_deref()].into_iter().flatten() {
            covering.extend(self.exact.get(url).into_iter().flatten());
            for (&bytes, _) in self.prefix_bytes.range(..=url.len()) {
                let prefix = url.get(..bytes).unwrap_or_default();
                covering.extend(self.prefixes.get(prefix).into_iter().flatten());
            }
        }
        covering
    }

    /// A response whose tags are not known here counts as having all of them, as it does for the index.
    fn by_tag<T: Stamped>(&self, header: Option<&str>, response: &T) -> BTreeSet<Revision> {
        let Some(header) = header.filter(|_| !self.tags.is_empty()) else {
            return BTreeSet::new();
        };
        match response.field_values(header) {
            None => self.tags.values().flatten().copied().collect(),
            Some(values) => {
                let of = |tag: &str| self.tags.get(tag.to_ascii_lowercase().as_str());
                cache_tags(values).filter_map(of).flatten().copied().collect()
            }
        }
    }
}

fn add(names: &mut ByName, name: &[u8], revision: Revision) {
    match names.get_mut(name) {
        Some(revisions) => revisions.push(revision),
        None => drop(names.insert(name.into(), vec![revision])),
    }
}

fn take(names: &mut ByName, name: &[u8], revision: Revision) {
    if let Some(revisions) = names.get_mut(name) {
        revisions.retain(|it| *it != revision);
        if revisions.is_empty() {
            names.remove(name);
        }
    }
}

#[cfg(test)]
mod tests;

use std::borrow::Borrow;
use std::hash::{BuildHasher, Hash};

use crate::covering::Covering;
use crate::filter::Filter;
use crate::index::Map;

/// What covers the responses of a name: of a URL, or of a tag.
///
/// Nearly every response that is asked about has a name that is not here, so a filter is asked first. The map behind it
/// shares with its clones what they have in common.
#[derive(Clone, Debug)]
pub(crate) struct ByName<K> {
    covers: Map<K, Covering>,
    filter: Filter,
}

impl<K> Default for ByName<K> {
    fn default() -> Self {
        const N_NAMES: usize = 16;
        ByName {
            covers: Map::default(),
            filter: Filter::for_keys(N_NAMES),
        }
    }
}

impl<K: Hash + Eq + Clone> ByName<K> {
    /// How many names there are.
    pub(crate) fn len(&self) -> usize {
        self.covers.len()
    }

    /// Covers what has this name.
    pub(crate) fn raise(&mut self, name: K, covering: Covering) {
        if self.covers.len() == self.filter.n_keys_max() {
            self.grow();
        }
        self.filter.add(self.covers.hasher().hash_one(&name));
        let known = self.covers.entry(name).or_default();
        *known = known.max(covering);
    }

    /// The newest revisions that cover what has this name.
    pub(crate) fn newest<Q: Hash + Eq + ?Sized>(&self, name: &Q) -> Covering
    where
        K: Borrow<Q>,
    {
        let is_unknown = self.covers.is_empty() || !self.filter.may_have(self.covers.hasher().hash_one(name));
        if is_unknown {
            return Covering::NEVER;
        }
        self.covers.get(name).copied().unwrap_or_default()
    }

    /// Adding costs the same whatever is here, seen over many names: each has been moved at most once in three.
    fn grow(&mut self) {
        const GROWTH: usize = 4;
        self.filter = Filter::for_keys(self.filter.n_keys_max() * GROWTH);
        let hasher = self.covers.hasher();
        self.covers
            .keys()
            .for_each(|name| self.filter.add(hasher.hash_one(name)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::InvalidationMode;
    use warmfront_model::Revision;

    fn at(revision: u64) -> Covering {
        Covering::new(InvalidationMode::Refetch, Revision(revision))
    }

    #[test]
    fn every_name_is_found_however_many_there_are_and_a_clone_stays_as_it_was() {
        const N_NAMES: u64 = 5_000;
        let mut names: ByName<String> = ByName::default();
        let empty = names.clone();
        for number in 1..=N_NAMES {
            names.raise(format!("/{number}"), at(number));
        }
        names.raise("/7".to_owned(), at(3));
        for number in 1..=N_NAMES {
            assert_eq!(names.newest(format!("/{number}").as_str()), at(number));
            assert_eq!(empty.newest(format!("/{number}").as_str()), Covering::NEVER);
        }
        assert_eq!(names.newest("/0"), Covering::NEVER);
        assert_eq!(names.len(), 5_000);
    }
}

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Tells in one word of memory that a key is not in a map; that it is there, it may say in error.
///
/// A Bloom filter of which each key has all its bits in one word. Clones share the words, so that a clone costs nothing:
/// what is added to one shows in the others, at worst as such an error.
///
/// Source: Putze, Sanders, Singler, "Cache-, Hash- and Space-Efficient Bloom Filters" (blocked filters).
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    words: Arc<[AtomicU64]>,
}

/// 16 bits for each key: of a hundred keys that are not there, less than one seems to be.
const KEYS_PER_WORD: usize = 4;

impl Filter {
    /// An empty filter for so many keys at least.
    pub(crate) fn for_keys(n_keys: usize) -> Filter {
        let n_words = n_keys.div_ceil(KEYS_PER_WORD).next_power_of_two();
        Filter {
            words: (0..n_words).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// How many keys it is made for. With more it errs more often.
    pub(crate) fn n_keys_max(&self) -> usize {
        self.words.len() * KEYS_PER_WORD
    }

    /// Adds the key with this hash. Whoever learns of the key by an atomic of its own finds it here.
    pub(crate) fn add(&self, hash: u64) {
        self.word(hash).fetch_or(bits(hash), Ordering::Relaxed);
    }

    /// False: no key with this hash was added.
    pub(crate) fn may_have(&self, hash: u64) -> bool {
        let bits = bits(hash);
        self.word(hash).load(Ordering::Relaxed) & bits == bits
    }

    fn word(&self, hash: u64) -> &AtomicU64 {
        let mask = self.words.len() as u64 - 1;
        &self.words[usize::try_from(hash & mask).unwrap_or(0)]
    }
}

/// Four bits, by the upper parts of the hash.
fn bits(hash: u64) -> u64 {
    [40, 46, 52, 58]
        .into_iter()
        .fold(0, |bits, shift| bits | 1 << (hash >> shift & 63))
}

#[cfg(test)]
mod tests {
    use std::hash::BuildHasher;

    use foldhash::fast::RandomState;

    use super::*;

    #[test]
    fn what_was_added_is_found_and_seldom_anything_else() {
        const N_KEYS: usize = 65_536;
        let filter = Filter::for_keys(N_KEYS);
        assert_eq!(filter.n_keys_max(), N_KEYS);
        let hasher = RandomState::default();
        let hash = |number: usize| hasher.hash_one(format!("/{number}"));
        (0..N_KEYS).for_each(|number| filter.add(hash(number)));
        assert!((0..N_KEYS).all(|number| filter.may_have(hash(number))));
        let n_errors = (N_KEYS..2 * N_KEYS)
            .filter(|number| filter.may_have(hash(*number)))
            .count();
        // With 16 bits for each key of a full filter, 0.6 % are expected.
        assert!(n_errors < N_KEYS / 100, "{n_errors} of {N_KEYS}");
    }
}

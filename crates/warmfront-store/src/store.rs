use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::RandomState;
use parking_lot::Mutex;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{OptionsBuilder, Weighter};
use warmfront_invalidation::Stamped;

use crate::StoredResponse;

/// Whole responses by cache key, within a budget of memory.
///
/// Evicts by CLOCK-Pro (`quick_cache`), which a scan of many objects asked for once does not empty.
pub struct Store {
    responses: Cache<Arc<[u8]>, Arc<StoredResponse>, MemoryBytes, RandomState>,
    /// Held while one key's entry is compared and replaced, so that of two writers the older never wins.
    writers: [Mutex<()>; N_WRITERS],
    hasher: RandomState,
    object_bytes_max: u64,
}

/// What became of a response that was to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// It is stored.
    Stored,
    /// The key holds a response with a newer as-of, which stays.
    Older,
    /// It is not whole, or larger than [`Store::object_bytes_max`].
    TooLarge,
}

const N_WRITERS: usize = 64;
const N_SHARDS: usize = 4;

#[derive(Clone, Copy, Debug)]
struct MemoryBytes;

impl Weighter<Arc<[u8]>, Arc<StoredResponse>> for MemoryBytes {
    fn weight(&self, key: &Arc<[u8]>, response: &Arc<StoredResponse>) -> u64 {
        key.len() as u64 + response.memory_bytes()
    }
}

impl Store {
    /// The smallest budget, in bytes.
    pub const MEMORY_BYTES_MIN: u64 = 1024 * 1024;

    /// A store that takes about `memory_bytes` at the most, keys, heads and bookkeeping counted
    /// (at least [`Store::MEMORY_BYTES_MIN`]).
    pub fn new(memory_bytes: u64) -> Store {
        const TYPICAL_BYTES: u64 = 16 * 1024;
        let memory_bytes = memory_bytes.max(Self::MEMORY_BYTES_MIN);
        let n_estimated = usize::try_from(memory_bytes / TYPICAL_BYTES).unwrap_or(usize::MAX);
        let options = OptionsBuilder::new()
            .shards(N_SHARDS)
            .estimated_items_capacity(n_estimated)
            .weight_capacity(memory_bytes)
            .build();
        let responses = match options {
            Ok(options) => Cache::with_options(
                options,
                MemoryBytes,
                RandomState::default(),
                DefaultLifecycle::default(),
            ),
            Err(_) => Cache::with(
                n_estimated,
                memory_bytes,
                MemoryBytes,
                RandomState::default(),
                DefaultLifecycle::default(),
            ),
        };
        let object_bytes_max = responses.shard_capacity() / 2;
        Store {
            responses,
            writers: [const { Mutex::new(()) }; N_WRITERS],
            hasher: RandomState::default(),
            object_bytes_max,
        }
    }

    /// The largest response that is stored, in bytes of memory.
    pub fn object_bytes_max(&self) -> u64 {
        self.object_bytes_max
    }

    /// The response stored under `key`, whether or not an invalidation covers it.
    pub fn get(&self, key: &[u8]) -> Option<Arc<StoredResponse>> {
        self.responses.get(key)
    }

    /// Stores a whole response, unless the key holds one with a newer as-of.
    pub fn insert(&self, key: &[u8], response: Arc<StoredResponse>) -> Inserted {
        let whole = response.body_bytes().is_some();
        if !whole || key.len() as u64 + response.memory_bytes() > self.object_bytes_max {
            return Inserted::TooLarge;
        }
        let _writing = self.writer(key).lock();
        if self
            .responses
            .peek(key)
            .is_some_and(|present| is_newer(&present, &response))
        {
            return Inserted::Older;
        }
        self.responses.insert(key.into(), response);
        Inserted::Stored
    }

    /// Puts `new` in the place of `old`, if that is still what the key holds.
    pub fn replace(&self, key: &[u8], old: &Arc<StoredResponse>, new: Arc<StoredResponse>) -> bool {
        let _writing = self.writer(key).lock();
        let unchanged = self
            .responses
            .peek(key)
            .is_some_and(|present| Arc::ptr_eq(&present, old));
        if unchanged {
            self.responses.insert(key.into(), new);
        }
        unchanged
    }

    /// Removes `response`, if that is still what the key holds.
    pub fn remove(&self, key: &[u8], response: &Arc<StoredResponse>) -> bool {
        let _writing = self.writer(key).lock();
        self.responses
            .remove_if(key, |present| Arc::ptr_eq(present, response))
            .is_some()
    }

    /// Everything that is stored when the iteration begins, with its key. No lock is held between two steps.
    pub fn iter(&self) -> impl Iterator<Item = (Arc<[u8]>, Arc<StoredResponse>)> + '_ {
        self.responses.iter()
    }

    /// How many responses are stored.
    pub fn n_responses(&self) -> usize {
        self.responses.len()
    }

    /// How many bytes of memory they take.
    pub fn memory_bytes(&self) -> u64 {
        self.responses.weight()
    }

    fn writer(&self, key: &[u8]) -> &Mutex<()> {
        let hash = self.hasher.hash_one(key);
        &self.writers[usize::try_from(hash % N_WRITERS as u64).unwrap_or(0)]
    }
}

/// A stamp of another incarnation is as good as none, so it is never newer.
fn is_newer(present: &StoredResponse, new: &StoredResponse) -> bool {
    let (present, new) = (present.stamp().as_of(), new.stamp().as_of());
    present.incarnation == new.incarnation && present.revision > new.revision
}

#[cfg(test)]
mod tests;

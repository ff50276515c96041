use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use foldhash::fast::RandomState;
use parking_lot::RwLock;
use warmfront_model::DistributionId;

/// How often each URL was changed by an unsafe method that went through this edge.
///
/// The count is part of the cache key of what is asked for afterwards: so nothing stored earlier is found any more, in
/// whatever variant, no fetch begun earlier is joined, and what such a fetch stores, nobody finds. What is out of reach
/// leaves the store as everything does that nobody asks for.
///
/// Nothing of it is told to other edges, or survives this process.
///
/// Source: RFC 9111 section 4.4.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    any: AtomicBool,
    /// How often the counts were forgotten.
    lives: AtomicU32,
    shards: [RwLock<HashMap<u64, u32, RandomState>>; N_SHARDS],
    hasher: RandomState,
}

const N_SHARDS: usize = 16;

/// Beyond so many changed URLs in one shard all counts are forgotten, and with them everything stored: URLs then have keys
/// that none had before.
const URLS_PER_SHARD_MAX: usize = 16 * 1024;

/// What a cache key is made unlike earlier ones with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Generation {
    life: u32,
    count: u32,
}

impl Generation {
    pub(crate) fn to_bytes(self) -> [u8; 8] {
        ((u64::from(self.life) << 32) | u64::from(self.count)).to_be_bytes()
    }
}

impl Changes {
    /// The stored responses of `url` (raw path, and query string where the key has one) are no longer to be used.
    pub(crate) fn note(&self, distribution: &DistributionId, url: &[u8]) {
        let hash = self.hash(distribution, url);
        let is_full = {
            let mut counts = self.shard(hash).write();
            let count = counts.entry(hash).or_default();
            *count = count.wrapping_add(1);
            counts.len() > URLS_PER_SHARD_MAX
        };
        self.any.store(true, Ordering::Release);
        if is_full {
            self.lives.fetch_add(1, Ordering::AcqRel);
            self.shards.iter().for_each(|shard| shard.write().clear());
        }
    }

    /// What the key of `url` is marked with; `None` where it never changed.
    pub(crate) fn generation(&self, distribution: &DistributionId, url: &[u8]) -> Option<Generation> {
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        let life = self.lives.load(Ordering::Acquire);
        let hash = self.hash(distribution, url);
        let count = self.shard(hash).read().get(&hash).copied().unwrap_or(0);
        (life > 0 || count > 0).then_some(Generation { life, count })
    }

    fn hash(&self, distribution: &DistributionId, url: &[u8]) -> u64 {
        self.hasher.hash_one((distribution.as_str(), url))
    }

    fn shard(&self, hash: u64) -> &RwLock<HashMap<u64, u32, RandomState>> {
        &self.shards[usize::try_from(hash % N_SHARDS as u64).unwrap_or(0)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> DistributionId {
        DistributionId::parse("E1U5RQF7T870K0").unwrap()
    }

    #[test]
    fn each_change_gives_its_url_a_key_that_it_never_had() {
        let changes = Changes::default();
        assert_eq!(changes.generation(&id(), b"/a"), None);
        changes.note(&id(), b"/a");
        let first = changes.generation(&id(), b"/a").unwrap();
        assert_eq!(changes.generation(&id(), b"/b"), None);
        changes.note(&id(), b"/a");
        assert_ne!(changes.generation(&id(), b"/a"), Some(first));
    }

    #[test]
    fn when_there_are_too_many_every_url_has_a_new_key() {
        let changes = Changes::default();
        changes.note(&id(), b"/a");
        let before = changes.generation(&id(), b"/a").unwrap();
        for number in 0..=N_SHARDS * URLS_PER_SHARD_MAX {
            changes.note(&id(), &number.to_be_bytes());
        }
        let after = changes.generation(&id(), b"/a").unwrap();
        assert!(after.life > before.life, "{before:?} {after:?}");
        assert!(changes.generation(&id(), b"/never-seen").is_some());
    }
}

//! The store under load, and what is in it: each body is known by its key.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::RwLock;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use warmfront_invalidation::{Covered, Index, Names, Proven, Stamped};
use warmfront_model::{DistributionId, Epoch, Incarnation, Revision};
use warmfront_store::{DiskOptions, Folder, Store};

use crate::activity::Activities;
use crate::workload::MIB;

/// The budget.
pub const MEMORY_BYTES: u64 = 256 * MIB;
const DISK_BYTES: u64 = 4 * 1024 * MIB;
/// How many bodies there are.
pub const N_KEYS: u64 = 400_000;
const INCARNATION: Incarnation = Incarnation(1);
/// A prime, so that no two bodies of one size are alike.
const PATTERN_BYTES: usize = 65_521;

/// The store, and what everyone knows.
pub struct World {
    pub store: Store,
    pub index: RwLock<Index>,
    pub distribution: DistributionId,
    /// The pattern twice, so that a piece of one length can be cut from anywhere.
    pattern: Bytes,
    pub counts: Counts,
    /// When the time is over.
    pub until: Instant,
    pub activities: Activities,
}

/// What has happened so far.
#[derive(Default)]
pub struct Counts {
    pub hits: AtomicU64,
    pub disk_hits: AtomicU64,
    pub misses: AtomicU64,
    pub broken: AtomicU64,
    pub swept: AtomicU64,
    pub read_bytes: AtomicU64,
}

impl World {
    /// A store in `folder` with nothing in it, under load for `length`.
    pub fn begin(folder: PathBuf, length: Duration) -> World {
        let mut rng = StdRng::seed_from_u64(1);
        let mut pattern = vec![0; PATTERN_BYTES];
        rng.fill(&mut pattern[..]);
        let options = DiskOptions {
            files: Box::new(Folder::lock(&folder).expect("a folder")),
            bytes: DISK_BYTES,
            head: epoch(1),
        };
        let mut index = Index::new(INCARNATION);
        index.advance(Revision(1));
        World {
            store: Store::open(MEMORY_BYTES, options).expect("a store").0,
            index: RwLock::new(index),
            distribution: DistributionId::parse("E1U5RQF7T870K0").expect("an id"),
            pattern: pattern.repeat(2).into(),
            counts: Counts::default(),
            until: Instant::now() + length,
            activities: Activities::default(),
        }
    }

    /// Whether everyone is to leave.
    pub fn is_over(&self) -> bool {
        Instant::now() >= self.until
    }

    /// The proof that nothing covers what the store has under `key`.
    pub fn check<T: Stamped>(&self, key: u64, what: Arc<T>) -> Result<Proven<T>, Covered<T>> {
        let url = url(key);
        let names = || Names::new(url.as_bytes());
        self.index.read().check(&self.distribution, what, names)
    }

    /// The bytes of a body from `offset` on.
    pub fn piece(&self, key: u64, offset: u64, bytes: u64) -> Bytes {
        let at = place(key, offset);
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX).min(PATTERN_BYTES);
        self.pattern.slice(at..at + bytes)
    }

    /// # Panics
    /// If `slice` is not what the body of `key` has at `offset`.
    pub fn compare(&self, key: u64, offset: u64, slice: &[u8]) {
        let mut offset = offset;
        for part in slice.chunks(PATTERN_BYTES) {
            let at = place(key, offset);
            assert!(
                self.pattern[at..at + part.len()] == *part,
                "the bytes of {key} at {offset}"
            );
            offset += part.len() as u64;
        }
    }
}

fn place(key: u64, offset: u64) -> usize {
    usize::try_from((key.wrapping_mul(0x9e37_79b9) + offset) % PATTERN_BYTES as u64).unwrap_or(0)
}

/// Most are small, a few are larger than memory keeps.
pub fn body_bytes(key: u64) -> u64 {
    let mut rng = StdRng::seed_from_u64(key);
    match rng.random_range(0..10_000) {
        0..8_500 => rng.random_range(100..16_384),
        8_500..9_800 => rng.random_range(16_384..262_144),
        9_800..9_992 => rng.random_range(262_144..4_000_000),
        _ => rng.random_range(20_000_000..90_000_000),
    }
}

pub fn key_name(key: u64) -> Vec<u8> {
    format!("E1U5RQF7T870K0/assets/shop/products/{key:08}/overview.html").into_bytes()
}

pub fn number_of(name: &[u8]) -> u64 {
    let digits: String = name[36..44].iter().map(|&byte| char::from(byte)).collect();
    digits.parse().expect("a key of ours")
}

pub fn url(key: u64) -> String {
    format!("/assets/shop/products/{key:08}/overview.html")
}

fn epoch(revision: u64) -> Epoch {
    Epoch {
        incarnation: INCARNATION,
        revision: Revision(revision),
    }
}

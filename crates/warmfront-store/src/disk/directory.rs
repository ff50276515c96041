use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use foldhash::fast::RandomState;
use parking_lot::Mutex;
use warmfront_invalidation::{Stamp, Stamped};
use warmfront_model::Epoch;

use super::tag_field::TagField;

/// A response on disk, as far as it must be known without reading: its key, its stamp, the field with its tags, where it is.
///
/// The index is checked and the sweeper judges by this alone.
#[derive(Debug)]
pub struct DiskEntry {
    key: Box<[u8]>,
    tags: Option<Box<TagField>>,
    stamp: Stamp,
    body_bytes: u64,
    /// Segment and offset of its record; 0 until it is written.
    place: AtomicU64,
    /// Length of the record's meta part and of the body in the record.
    lengths: AtomicU64,
    /// The oldest segment that it needs.
    oldest_segment: AtomicU32,
    asked_for: AtomicBool,
    /// Whether older records of its key may be on disk.
    supersedes: bool,
}

/// Where a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) segment: u32,
    pub(crate) offset: u32,
    pub(crate) meta_bytes: u32,
    pub(crate) body_bytes: u32,
    pub(crate) oldest_segment: u32,
}

impl DiskEntry {
    /// An entry whose record is still to be written.
    pub(super) fn unwritten(key: Box<[u8]>, tags: Option<Box<TagField>>, as_of: Epoch, body_bytes: u64) -> DiskEntry {
        DiskEntry {
            key,
            tags,
            stamp: Stamp::new(as_of),
            body_bytes,
            place: AtomicU64::new(0),
            lengths: AtomicU64::new(0),
            oldest_segment: AtomicU32::new(0),
            asked_for: AtomicBool::new(false),
            supersedes: false,
        }
    }

    /// The same, whose key has older records on disk.
    pub(super) fn superseding(self) -> DiskEntry {
        DiskEntry {
            supersedes: true,
            ..self
        }
    }

    pub(super) fn supersedes(&self) -> bool {
        self.supersedes
    }

    /// The cache key.
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    pub(super) fn tags(&self) -> Option<&TagField> {
        self.tags.as_deref()
    }

    /// The length of the body in bytes.
    pub fn body_bytes(&self) -> u64 {
        self.body_bytes
    }

    pub(super) fn put_at(&self, place: Place) {
        let lengths = u64::from(place.meta_bytes) << 32 | u64::from(place.body_bytes);
        self.lengths.store(lengths, Ordering::Relaxed);
        self.oldest_segment.store(place.oldest_segment, Ordering::Relaxed);
        self.place.store(
            u64::from(place.segment) << 32 | u64::from(place.offset),
            Ordering::Release,
        );
    }

    /// Where it is; `None` until it is written. A record is only ever moved whole, so its lengths stay what they are.
    pub(super) fn place(&self) -> Option<Place> {
        let place = self.place.load(Ordering::Acquire);
        let lengths = self.lengths.load(Ordering::Relaxed);
        (place != 0).then(|| Place {
            segment: high(place),
            offset: low(place),
            meta_bytes: high(lengths),
            body_bytes: low(lengths),
            oldest_segment: self.oldest_segment.load(Ordering::Relaxed),
        })
    }

    /// Remembers that someone asked for it, for when its segment is given up.
    pub(super) fn ask(&self) {
        self.asked_for.store(true, Ordering::Relaxed);
    }

    /// Whether someone has asked for it since this was last asked.
    pub(super) fn was_asked_for(&self) -> bool {
        self.asked_for.swap(false, Ordering::Relaxed)
    }

    /// About how many bytes of memory it takes, its place in the directory counted.
    fn memory_bytes(&self) -> u64 {
        const ALLOCATIONS_BYTES: usize = 40;
        let tags = self.tags.as_deref().map_or(0, TagField::memory_bytes);
        (size_of::<DiskEntry>() + ALLOCATIONS_BYTES + self.key.len()) as u64 + tags
    }
}

fn high(number: u64) -> u32 {
    u32::try_from(number >> 32).unwrap_or(0)
}

fn low(number: u64) -> u32 {
    u32::try_from(number & u64::from(u32::MAX)).unwrap_or(0)
}

impl Stamped for DiskEntry {
    fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    /// Of one field alone: the one that its cache tags were in when it came.
    fn field_values<'a>(&'a self, name: &str) -> Option<impl Iterator<Item = &'a [u8]>> {
        let tags = self.tags.as_deref().filter(|tags| *tags.header == *name)?;
        Some(std::iter::once(&*tags.value))
    }
}

/// Every response on disk by its key. No lock is held over I/O.
pub(super) struct Directory {
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
    memory_bytes: AtomicU64,
    n_entries: AtomicU64,
}

type Shard = HashSet<ByKey, RandomState>;

const N_SHARDS: usize = 256;

struct ByKey(Arc<DiskEntry>);

impl Borrow<[u8]> for ByKey {
    fn borrow(&self) -> &[u8] {
        self.0.key()
    }
}

impl Hash for ByKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.key().hash(state);
    }
}

impl PartialEq for ByKey {
    fn eq(&self, other: &ByKey) -> bool {
        self.0.key() == other.0.key()
    }
}

impl Eq for ByKey {}

impl Directory {
    pub(super) fn new() -> Directory {
        let shard = || Mutex::new(Shard::default());
        Directory {
            shards: (0..N_SHARDS).map(|_| shard()).collect(),
            hasher: RandomState::default(),
            memory_bytes: AtomicU64::new(0),
            n_entries: AtomicU64::new(0),
        }
    }

    pub(super) fn get(&self, key: &[u8]) -> Option<Arc<DiskEntry>> {
        self.shard(key).lock().get(key).map(|found| Arc::clone(&found.0))
    }

    /// Whether the key's entry is this very one.
    pub(super) fn holds(&self, entry: &Arc<DiskEntry>) -> bool {
        let shard = self.shard(entry.key()).lock();
        shard.get(entry.key()).is_some_and(|found| Arc::ptr_eq(&found.0, entry))
    }

    /// Puts `entry` in the place of its key's present one.
    pub(super) fn insert(&self, entry: Arc<DiskEntry>) {
        let bytes = entry.memory_bytes();
        let replaced = self.shard(entry.key()).lock().replace(ByKey(Arc::clone(&entry)));
        self.count(1, bytes);
        if let Some(replaced) = replaced {
            self.discount(&replaced.0);
        }
    }

    pub(super) fn remove(&self, key: &[u8]) -> Option<Arc<DiskEntry>> {
        let removed = self.shard(key).lock().take(key)?.0;
        self.discount(&removed);
        Some(removed)
    }

    /// Removes `entry` if its key's entry is this very one.
    pub(super) fn remove_if_same(&self, entry: &Arc<DiskEntry>) -> bool {
        let mut shard = self.shard(entry.key()).lock();
        let is_same = shard.get(entry.key()).is_some_and(|found| Arc::ptr_eq(&found.0, entry));
        if is_same {
            shard.remove(entry.key());
            self.discount(entry);
        }
        is_same
    }

    /// All entries there are when their shard is reached. No lock is held between two steps.
    pub(super) fn iter(&self) -> impl Iterator<Item = Arc<DiskEntry>> + '_ {
        self.shards.iter().flat_map(|shard| {
            let entries: Vec<Arc<DiskEntry>> = shard.lock().iter().map(|entry| Arc::clone(&entry.0)).collect();
            entries
        })
    }

    pub(super) fn memory_bytes(&self) -> u64 {
        self.memory_bytes.load(Ordering::Relaxed)
    }

    pub(super) fn n_entries(&self) -> u64 {
        self.n_entries.load(Ordering::Relaxed)
    }

    fn count(&self, n: u64, bytes: u64) {
        self.n_entries.fetch_add(n, Ordering::Relaxed);
        self.memory_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn discount(&self, entry: &DiskEntry) {
        self.n_entries.fetch_sub(1, Ordering::Relaxed);
        self.memory_bytes.fetch_sub(entry.memory_bytes(), Ordering::Relaxed);
    }

    fn shard(&self, key: &[u8]) -> &Mutex<Shard> {
        let number = self.hasher.hash_one(key) % N_SHARDS as u64;
        &self.shards[usize::try_from(number).unwrap_or(0)]
    }
}

use std::hash::BuildHasher;
use std::io;
use std::sync::Arc;

use foldhash::fast::RandomState;
use parking_lot::Mutex;
use quick_cache::sync::Cache;
use quick_cache::{OptionsBuilder, Weighter};
use warmfront_invalidation::Stamped;
use warmfront_model::Epoch;

use crate::disk::{Disk, NotLoaded, Threads};
use crate::evictions::Evictions;
use crate::held::Held;
use crate::shares::Shares;
use crate::{Body, DiskEntry, DiskFigures, Files, Fill, FillLimits, Recovered, StoredResponse};

/// Whole responses by cache key, within budgets of memory and disk.
///
/// Memory evicts by CLOCK-Pro (`quick_cache`), which a scan of many objects asked for once does not empty. What is stored
/// is written to disk as well, if there is one; so a response on disk is, as long as memory holds its key, the same.
pub struct Store {
    memory: Arc<Memory>,
    evictions: Evictions,
    disk: Option<Disk>,
    /// Held while one key's entry is compared and replaced, so that of two writers the older never wins.
    writers: [Mutex<()>; N_WRITERS],
    hasher: RandomState,
    memory_bytes_max: u64,
    shares: Arc<Shares>,
    held: Arc<Held>,
    object_bytes_max: u64,
}

type Memory = Cache<Arc<[u8]>, Arc<StoredResponse>, MemoryBytes, RandomState, Evictions>;

/// The disk tier that a store is to have.
pub struct DiskOptions {
    /// Where it is.
    pub files: Box<dyn Files>,
    /// How many bytes it may take; at least [`crate::DISK_BYTES_MIN`].
    pub bytes: u64,
    /// The newest epoch of the journal: what is stamped in another incarnation, or beyond it, is not used.
    pub head: Epoch,
}

/// How the store is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreFigures {
    /// Responses in memory.
    pub n_in_memory: usize,
    /// Bytes they take.
    pub memory_bytes: u64,
    /// Responses that have left memory since the start, as others needed the room.
    pub n_evicted: u64,
    /// The disk tier; `None` without one.
    pub disk: Option<DiskFigures>,
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

/// How much of the budget is given out by count, in percent. The rest is left to the allocator, whose pages are never
/// quite full: bodies of all sizes that come and go leave holes. `cargo xtask soak` tells whether it is enough.
const COUNTED_PERCENT: u64 = 70;
const N_WRITERS: usize = 64;

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

    /// A store in memory with which a process takes `memory_bytes` more at the most (at least
    /// [`Store::MEMORY_BYTES_MIN`]): keys, heads, bookkeeping and what is in flight are counted, and 30 % is left to
    /// the allocator.
    pub fn new(memory_bytes: u64) -> Store {
        let memory_bytes = memory_bytes.max(Self::MEMORY_BYTES_MIN);
        let memory_bytes = memory_bytes / 100 * COUNTED_PERCENT;
        let held = Arc::new(Held::default());
        let evictions = Evictions::new(Arc::clone(&held));
        let memory = Arc::new(memory(memory_bytes, evictions.clone()));
        let object_bytes_max = memory.shard_capacity() / 2;
        let resized = Arc::clone(&memory);
        let resize = Box::new(move |bytes| resized.set_capacity(bytes));
        Store {
            memory,
            evictions,
            disk: None,
            writers: [const { Mutex::new(()) }; N_WRITERS],
            hasher: RandomState::default(),
            memory_bytes_max: memory_bytes,
            shares: Arc::new(Shares::new(memory_bytes, Arc::clone(&held), resize)),
            held,
            object_bytes_max,
        }
    }

    /// A store over memory and disk. What the disk holds already is known when this returns; `memory_bytes` counts what
    /// is known of it too.
    ///
    /// # Errors
    /// If the folder cannot be listed, or a thread cannot be started. Damaged files are no error: what they held is a miss.
    pub fn open(memory_bytes: u64, disk: DiskOptions) -> io::Result<(Store, Recovered)> {
        Store::open_with(memory_bytes, disk, Threads::Own)
    }

    /// As [`Store::open`], without threads, for simulations: whoever reads from disk does it on the spot, and nothing is
    /// written before [`Store::step`], [`Store::drain`] or [`Store::close`]. Dropping the store is a crash.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_without_threads(memory_bytes: u64, disk: DiskOptions) -> io::Result<(Store, Recovered)> {
        Store::open_with(memory_bytes, disk, Threads::None)
    }

    fn open_with(memory_bytes: u64, disk: DiskOptions, threads: Threads) -> io::Result<(Store, Recovered)> {
        let mut store = Store::new(memory_bytes);
        let memory = Arc::clone(&store.memory);
        let is_hot = Box::new(move |key: &[u8]| memory.contains_key(key));
        let shares = Arc::clone(&store.shares);
        let (disk, recovered) = Disk::open(
            disk.files,
            disk.bytes,
            store.memory_bytes_max,
            shares,
            disk.head,
            is_hot,
            threads,
        )?;
        store.shares.set_disk_bytes(disk.memory_bytes());
        store.disk = Some(disk);
        Ok((store, recovered))
    }

    /// Begins a body; gives its writing end and the body for readers to open. `keeps`: it is to be stored, and has
    /// `announced_bytes` if that is known. A body that memory has room for is kept there, a longer one goes to disk while
    /// it arrives; one that can be kept nowhere passes through.
    pub fn begin_fill(&self, keeps: bool, announced_bytes: Option<u64>) -> (Fill, Body) {
        const WINDOW_BYTES: u64 = 1024 * 1024;
        let arriving_bytes_max = self.shares.arriving_bytes_max();
        let in_memory_max = self.body_in_memory_bytes_max().min(arriving_bytes_max / 4 * 3);
        let in_memory = keeps && announced_bytes.is_none_or(|bytes| bytes <= in_memory_max);
        let limits = FillLimits {
            keep_bytes_max: if in_memory { in_memory_max } else { 0 },
            window_bytes: WINDOW_BYTES.min(arriving_bytes_max),
        };
        let disk = self.disk.as_ref().filter(|_| keeps).map(Disk::slice_writer);
        Fill::begin_in(limits, Arc::clone(&self.shares), disk)
    }

    /// The longest body that is stored, in bytes.
    pub fn body_bytes_max(&self) -> u64 {
        let in_memory = self.body_in_memory_bytes_max();
        let on_disk = self.disk.as_ref().map(Disk::body_bytes_max);
        on_disk.map_or(in_memory, |on_disk| on_disk.max(in_memory))
    }

    fn body_in_memory_bytes_max(&self) -> u64 {
        /// Left for the head and the key of a response that just fits.
        const HEAD_BYTES: u64 = 96 * 1024;
        let fits = self.object_bytes_max.saturating_sub(HEAD_BYTES);
        match &self.disk {
            // What is longer is read from disk a slice at a time, so that no slow viewer holds all of it in memory.
            Some(_) => fits.min((self.memory_bytes_max / 64).max(Disk::INLINE_BYTES_MAX)),
            None => fits,
        }
    }

    /// The largest response that is stored in memory, in bytes.
    pub fn object_bytes_max(&self) -> u64 {
        self.object_bytes_max
    }

    /// The response in memory under `key`, whether or not an invalidation covers it.
    pub fn get(&self, key: &[u8]) -> Option<Arc<StoredResponse>> {
        self.memory.get(key)
    }

    /// What is on disk under `key`, whether or not an invalidation covers it.
    pub fn get_on_disk(&self, key: &[u8]) -> Option<Arc<DiskEntry>> {
        self.disk.as_ref()?.get(key)
    }

    /// Reads a response from disk, and keeps a small one in memory. It has the as-of that the entry has reached, and is as
    /// little proven as any. `None`: it cannot be read, is damaged or gone, or the disk has too much to do; it must be fetched.
    pub async fn load(&self, entry: &Arc<DiskEntry>) -> Option<Arc<StoredResponse>> {
        let disk = self.disk.as_ref()?;
        let response = match disk.load(entry).await {
            Ok(response) => response,
            Err(NotLoaded::Busy) => return None,
            Err(NotLoaded::Unreadable) => {
                let _writing = self.writer(entry.key()).lock();
                disk.give_up(entry);
                return None;
            }
        };
        let key = entry.key();
        if response.is_in_memory() && key.len() as u64 + response.memory_bytes() <= self.object_bytes_max {
            let _writing = self.writer(key).lock();
            if disk.holds(entry) && !self.memory.contains_key(key) {
                self.memory.insert(key.into(), Arc::clone(&response));
            }
        }
        Some(response)
    }

    /// Stores a whole response, unless the key holds one with a newer as-of.
    pub fn insert(&self, key: &[u8], response: Arc<StoredResponse>) -> Inserted {
        let whole = response.body_bytes().is_some();
        if !whole || key.len() as u64 + response.memory_bytes() > self.object_bytes_max {
            return Inserted::TooLarge;
        }
        let _writing = self.writer(key).lock();
        let in_memory = self.memory.peek(key);
        let on_disk = self.disk.as_ref().and_then(|disk| disk.peek(key));
        if in_memory.is_some_and(|present| is_newer(&*present, &response))
            || on_disk.is_some_and(|present| is_newer(&*present, &response))
        {
            return Inserted::Older;
        }
        self.put(key, response);
        Inserted::Stored
    }

    /// Puts `new` in the place of `old`, if that is still what the key holds.
    pub fn replace(&self, key: &[u8], old: &Arc<StoredResponse>, new: Arc<StoredResponse>) -> bool {
        let _writing = self.writer(key).lock();
        let unchanged = self.holds(key, old);
        if unchanged {
            self.put(key, new);
        }
        unchanged
    }

    /// Removes `response`, if that is still what the key holds. It does not come back after a restart.
    pub fn remove(&self, key: &[u8], response: &Arc<StoredResponse>) -> bool {
        let _writing = self.writer(key).lock();
        let unchanged = self.holds(key, response);
        if unchanged {
            self.take_from_memory(key, |_| true);
            if let Some(disk) = &self.disk {
                disk.remove(key);
            }
        }
        unchanged
    }

    /// Drops a covered response from memory, if that is still what the key holds. What is on disk under the key has an
    /// entry of its own, see [`Store::discard_on_disk`].
    pub fn discard(&self, key: &[u8], covered: &Arc<StoredResponse>) -> bool {
        let _writing = self.writer(key).lock();
        self.take_from_memory(key, |present| Arc::ptr_eq(present, covered))
    }

    /// Drops a covered entry, if that is still what the key has on disk. Nothing is written: after a restart it is
    /// covered all the same.
    pub fn discard_on_disk(&self, covered: &Arc<DiskEntry>) -> bool {
        let _writing = self.writer(covered.key()).lock();
        self.disk.as_ref().is_some_and(|disk| disk.discard(covered))
    }

    /// Everything that is in memory when the iteration begins, with its key. No lock is held between two steps.
    pub fn iter(&self) -> impl Iterator<Item = (Arc<[u8]>, Arc<StoredResponse>)> + '_ {
        self.memory.iter()
    }

    /// Everything that is on disk when the iteration comes to it. Nothing is read, and no lock is held between two steps.
    pub fn iter_on_disk(&self) -> impl Iterator<Item = Arc<DiskEntry>> + '_ {
        self.disk.iter().flat_map(Disk::iter)
    }

    /// How many responses are in memory.
    pub fn n_responses(&self) -> usize {
        self.memory.len()
    }

    /// How many bytes of memory they take, what is known of the disk, and what is in flight.
    pub fn memory_bytes(&self) -> u64 {
        self.memory.weight() + self.disk.as_ref().map_or(0, Disk::memory_bytes) + self.shares.in_flight_bytes()
    }

    /// The journal has come to `epoch`. A start with a journal that has not come so far gives up what is on disk: it was set
    /// back, and may lack what covers any of it.
    pub fn saw(&self, epoch: Epoch) {
        if let Some(disk) = &self.disk {
            disk.saw(epoch);
        }
    }

    /// The figures of both tiers.
    pub fn figures(&self) -> StoreFigures {
        StoreFigures {
            n_in_memory: self.memory.len(),
            memory_bytes: self.memory_bytes(),
            n_evicted: self.evictions.count(),
            disk: self.disk.as_ref().map(Disk::figures),
        }
    }

    /// In a store without threads, writes the oldest response that waits for it to disk. False: none waits.
    pub fn step(&self) -> bool {
        self.disk.as_ref().is_some_and(Disk::step)
    }

    /// Waits until everything stored so far is written to disk, or given up. Blocks.
    pub fn drain(&self) {
        if let Some(disk) = &self.disk {
            disk.drain();
        }
    }

    /// Writes what waits and ends the disk tier; what is stored afterwards stays in memory. Blocks.
    pub fn close(&self) {
        if let Some(disk) = &self.disk {
            disk.close();
        }
    }

    /// The caller holds the key's writer.
    fn put(&self, key: &[u8], response: Arc<StoredResponse>) {
        if let Some(disk) = &self.disk {
            disk.put(key, &response);
            self.shares.set_disk_bytes(disk.memory_bytes());
        }
        let present = self.memory.peek(key);
        let address = response.body().address();
        if response.is_in_memory() {
            self.memory.insert(key.into(), response);
        } else {
            self.memory.remove(key);
        }
        if let Some(present) = present.filter(|present| present.body().address() != address) {
            self.held.given_up(present.body());
        }
    }

    /// Removes what memory has under `key`, if it `is_it`; what viewers have of it still counts.
    fn take_from_memory(&self, key: &[u8], is_it: impl FnOnce(&Arc<StoredResponse>) -> bool) -> bool {
        let taken = self.memory.remove_if(key, is_it);
        if let Some((_, response)) = &taken {
            self.held.given_up(response.body());
        }
        taken.is_some()
    }

    /// Whether the key holds this very response: in memory, or, where memory holds nothing, on disk.
    fn holds(&self, key: &[u8], response: &Arc<StoredResponse>) -> bool {
        match (self.memory.peek(key), &self.disk, response.disk_entry()) {
            (Some(present), ..) => Arc::ptr_eq(&present, response),
            (None, Some(disk), Some(entry)) => disk.holds(&entry),
            (None, ..) => false,
        }
    }

    fn writer(&self, key: &[u8]) -> &Mutex<()> {
        let hash = self.hasher.hash_one(key);
        &self.writers[usize::try_from(hash % N_WRITERS as u64).unwrap_or(0)]
    }
}

/// Responses in memory, by key.
fn memory(memory_bytes: u64, evictions: Evictions) -> Memory {
    // Tables for as many small responses as fit, so that they need not grow by copying; what is not used of them is not
    // touched.
    const SMALL_BYTES: u64 = 2 * 1024;
    const N_RESERVED_MAX: usize = 1 << 22;
    const MIB: u64 = 1024 * 1024;
    // A response that is larger than half a shard is not stored.
    let n_shards = match memory_bytes {
        bytes if bytes < MIB => 1,
        bytes if bytes < 2 * MIB => 2,
        _ => 4,
    };
    let n_estimated = usize::try_from(memory_bytes / SMALL_BYTES).unwrap_or(usize::MAX);
    let options = OptionsBuilder::new()
        .shards(n_shards)
        .estimated_items_capacity(n_estimated)
        // Of keys that were evicted, an eighth as many are remembered: who comes back soon is hot.
        .ghost_allocation(1.0 / 8.0)
        .weight_capacity(memory_bytes)
        .build();
    let hasher = RandomState::default();
    let memory = match options {
        Ok(options) => Cache::with_options(options, MemoryBytes, hasher, evictions),
        Err(_) => Cache::with(n_estimated, memory_bytes, MemoryBytes, hasher, evictions),
    };
    memory.reserve(n_estimated.min(N_RESERVED_MAX));
    memory
}

/// A stamp of another incarnation is as good as none, so it is never newer.
fn is_newer(present: &impl Stamped, new: &StoredResponse) -> bool {
    let (present, new) = (present.stamp().as_of(), new.stamp().as_of());
    present.incarnation == new.incarnation && present.revision > new.revision
}

#[cfg(test)]
mod tests;

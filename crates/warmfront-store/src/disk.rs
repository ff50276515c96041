//! The disk tier: an append-only log in segments, and a directory of it in memory. See `docs/store-format.md`.

mod directory;
mod fields;
mod footer;
mod load;
mod meta;
mod pool;
mod queue;
mod read;
mod record;
mod recover;
mod seen;
mod segments;
mod slices;
mod tag_field;
mod writer;

pub use directory::DiskEntry;
pub(crate) use load::NotLoaded;
pub use recover::Recovered;
pub(crate) use slices::{
    DiskBody, DiskReader, SLICE_BYTES, SLICE_RECORD_BYTES, Slice, SliceDone, SliceRead, SliceReader, SliceWriter,
};

use std::hash::BuildHasher;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use foldhash::fast::FixedState;
use parking_lot::Mutex;
use warmfront_invalidation::Stamped;
use warmfront_model::Epoch;

use self::directory::Directory;
use self::load::Loads;
use self::pool::ReadPool;
use self::queue::{Command, Queue};
use self::segments::Segments;
use self::tag_field::TagField;
use self::writer::Writer;

use crate::StoredResponse;
use crate::files::Files;
use crate::shares::Shares;

/// What the disk tier may take.
#[derive(Clone, Copy, Debug)]
struct Limits {
    disk_bytes: u64,
    segment_bytes: u64,
    segments_max: usize,
    directory_bytes_max: u64,
    queue_bytes_max: u64,
    object_bytes_max: u64,
}

/// The smallest disk tier, in bytes.
pub const DISK_BYTES_MIN: u64 = 64 * 1024 * 1024;

impl Limits {
    fn new(disk_bytes: u64, memory_bytes: u64) -> Limits {
        const MIB: u64 = 1024 * 1024;
        let disk_bytes = disk_bytes.max(DISK_BYTES_MIN);
        Limits {
            disk_bytes,
            segment_bytes: (disk_bytes / 64).clamp(4 * MIB, 256 * MIB),
            // Every start begins a segment, so there may be more than fill the disk.
            segments_max: usize::try_from(disk_bytes / (4 * MIB))
                .unwrap_or(usize::MAX)
                .clamp(64, 4096),
            directory_bytes_max: memory_bytes / 8 * 3,
            queue_bytes_max: (memory_bytes / 8).min(64 * MIB),
            object_bytes_max: disk_bytes / 8,
        }
    }
}

/// Whether the memory tier holds a key.
pub(crate) type IsHot = Box<dyn Fn(&[u8]) -> bool + Send + Sync>;

/// What reader, writer and directory share.
struct Shared {
    files: Box<dyn Files>,
    limits: Limits,
    directory: Directory,
    segments: Segments,
    queue: Queue,
    figures: Counters,
    is_hot: IsHot,
    /// The newest epoch of the journal that is known.
    seen: Mutex<Epoch>,
}

#[derive(Debug, Default)]
struct Counters {
    written_bytes: AtomicU64,
    n_dropped: AtomicU64,
    n_evicted: AtomicU64,
    n_failed: AtomicU64,
    n_write_errors: AtomicU64,
    n_read_failures: AtomicU64,
    n_hits: AtomicU64,
    n_busy: AtomicU64,
}

/// How the disk tier is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskFigures {
    /// Responses in the directory.
    pub n_responses: u64,
    /// Bytes of all segments.
    pub disk_bytes: u64,
    /// Bytes of memory that the directory takes.
    pub directory_bytes: u64,
    /// Bytes written since the start.
    pub written_bytes: u64,
    /// Responses read and found whole.
    pub n_hits: u64,
    /// Responses that were not written because too many were waiting.
    pub n_dropped: u64,
    /// Responses given up to make room.
    pub n_evicted: u64,
    /// Responses that could not be written.
    pub n_failed: u64,
    /// Errors of the disk while writing.
    pub n_write_errors: u64,
    /// Responses that could not be read, or were damaged: each was a miss.
    pub n_read_failures: u64,
    /// Responses that were not read because too many were waiting: each was a miss.
    pub n_busy: u64,
}

/// Responses on disk.
pub(crate) struct Disk {
    shared: Arc<Shared>,
    reader: SliceReader,
    loads: Loads,
    doorkeeper: Box<[AtomicU32]>,
    writer: Mutex<Hand>,
}

/// Who writes.
enum Hand {
    /// A thread, as things come.
    Thread(JoinHandle<()>),
    /// Whoever calls [`Disk::step`].
    Caller(Box<Writer>),
    /// Nobody any more.
    Gone,
}

/// Whether the disk tier has threads of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Threads {
    Own,
    None,
}

const N_READERS: usize = 4;
const N_DOORS: usize = 1 << 16;

impl Disk {
    /// A body up to this length is read at once, and taken into memory.
    pub(crate) const INLINE_BYTES_MAX: u64 = writer::INLINE_BYTES_MAX;

    /// Takes in what the files hold and begins to write.
    pub(crate) fn open(
        files: Box<dyn Files>,
        disk_bytes: u64,
        memory_bytes: u64,
        shares: Arc<Shares>,
        head: Epoch,
        is_hot: IsHot,
        threads: Threads,
    ) -> io::Result<(Disk, Recovered)> {
        let shared = Arc::new(Shared {
            files,
            limits: Limits::new(disk_bytes, memory_bytes),
            directory: Directory::new(),
            segments: Segments::default(),
            queue: Queue::default(),
            figures: Counters::default(),
            is_hot,
            seen: Mutex::new(head),
        });
        let recovered = recover::recover(&shared, head, N_READERS)?;
        let mut writer = Writer::new(Arc::clone(&shared));
        writer.keep_seen();
        let (writer, n_readers) = match threads {
            Threads::Own => {
                let thread = thread::Builder::new().name("warmfront-disk-write".to_owned());
                (Hand::Thread(thread.spawn(move || writer.run())?), N_READERS)
            }
            Threads::None => (Hand::Caller(Box::new(writer)), 0),
        };
        let disk = Disk {
            shared,
            reader: SliceReader {
                pool: Arc::new(ReadPool::start(n_readers)?),
                shares,
            },
            loads: Loads::default(),
            doorkeeper: (0..N_DOORS).map(|_| AtomicU32::new(0)).collect(),
            writer: Mutex::new(writer),
        };
        Ok((disk, recovered))
    }

    /// The entry of a key whose record is written.
    pub(crate) fn get(&self, key: &[u8]) -> Option<Arc<DiskEntry>> {
        self.shared.directory.get(key).filter(|entry| entry.place().is_some())
    }

    /// The entry of a key, written or about to be.
    pub(crate) fn peek(&self, key: &[u8]) -> Option<Arc<DiskEntry>> {
        self.shared.directory.get(key)
    }

    pub(crate) fn holds(&self, entry: &Arc<DiskEntry>) -> bool {
        self.shared.directory.holds(entry)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Arc<DiskEntry>> + '_ {
        self.shared.directory.iter()
    }

    /// The longest body that is written, in bytes.
    pub(crate) fn body_bytes_max(&self) -> u64 {
        self.shared.limits.object_bytes_max
    }

    /// How much memory the directory and what waits to be written take. Slices that wait are in flight.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.shared.directory.memory_bytes() + self.shared.queue.responses_bytes()
    }

    /// Has `response` written in place of what the key has on disk. If it is not admitted, the key has nothing on disk
    /// afterwards. The caller sees to it that nobody else does this for the key at the same time.
    pub(crate) fn put(&self, key: &[u8], response: &Arc<StoredResponse>) -> bool {
        let present = self.shared.directory.get(key);
        let body_bytes = response.body_bytes().unwrap_or(u64::MAX);
        if body_bytes > self.shared.limits.object_bytes_max || !self.admits(key, present.is_some()) {
            self.shared.figures.n_dropped.fetch_add(1, Ordering::Relaxed);
            self.remove(key);
            return false;
        }
        let header = response.tag_header().cloned();
        let tags = header.map(|header| Box::new(TagField::of(response.head(), header)));
        let entry = DiskEntry::unwritten(key.into(), tags, response.stamp().as_of(), body_bytes);
        let entry = Arc::new(if present.is_some() { entry.superseding() } else { entry });
        self.shared.directory.insert(Arc::clone(&entry));
        let command = Command::Put {
            entry: Arc::clone(&entry),
            response: Arc::clone(response),
        };
        let (bytes, bytes_max) = (response.memory_bytes(), self.shared.limits.queue_bytes_max);
        let queued = self.shared.queue.push(command, bytes, bytes_max).is_ok();
        if !queued {
            self.shared.figures.n_dropped.fetch_add(1, Ordering::Relaxed);
            self.remove(key);
            return false;
        }
        response.written_as(entry);
        true
    }

    /// While the writer keeps up, everything is written. When half of its queue is full, only what has been on disk or
    /// was turned away before: whatever is asked for once goes first.
    fn admits(&self, key: &[u8], is_known: bool) -> bool {
        if is_known || self.shared.queue.bytes() < self.shared.limits.queue_bytes_max / 2 {
            return true;
        }
        let hash = FixedState::default().hash_one(key);
        let [mark, door] = [hash >> 32, hash % N_DOORS as u64].map(|part| u32::try_from(part).unwrap_or(0));
        self.doorkeeper[door as usize].swap(mark, Ordering::Relaxed) == mark
    }

    /// Nothing on disk counts for the key any more, not after a restart either.
    pub(crate) fn remove(&self, key: &[u8]) -> bool {
        let removed = self.shared.directory.remove(key).is_some();
        if removed {
            let _ = self.shared.queue.push(Command::Remove(key.into()), 0, u64::MAX);
        }
        removed
    }

    /// Drops a covered entry. Nothing is written: it is covered after a restart as well, since its stamp on disk is not
    /// newer and the journal still knows the invalidation or has trimmed beyond it.
    pub(crate) fn discard(&self, entry: &Arc<DiskEntry>) -> bool {
        self.shared.directory.remove_if_same(entry)
    }

    /// Where a body that arrives can be put.
    pub(crate) fn slice_writer(&self) -> SliceWriter {
        SliceWriter {
            shared: Arc::clone(&self.shared),
            reader: self.reader.clone(),
        }
    }

    /// Removes an entry that cannot be read, if it is what its key has on disk. What it supersedes does not come back.
    pub(crate) fn give_up(&self, entry: &Arc<DiskEntry>) {
        if self.shared.directory.remove_if_same(entry) {
            let _ = self.shared.queue.push(Command::Remove(entry.key().into()), 0, u64::MAX);
        }
    }

    /// The journal has come to `epoch`: remembered on disk, before long.
    pub(crate) fn saw(&self, epoch: Epoch) {
        let mut seen = self.shared.seen.lock();
        if !seen.satisfies(epoch) {
            *seen = epoch;
            drop(seen);
            self.shared.queue.nudge();
        }
    }

    pub(crate) fn figures(&self) -> DiskFigures {
        let figures = &self.shared.figures;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        DiskFigures {
            n_responses: self.shared.directory.n_entries(),
            disk_bytes: self.shared.segments.bytes(),
            directory_bytes: self.shared.directory.memory_bytes(),
            written_bytes: read(&figures.written_bytes),
            n_hits: read(&figures.n_hits),
            n_dropped: read(&figures.n_dropped),
            n_evicted: read(&figures.n_evicted),
            n_failed: read(&figures.n_failed),
            n_write_errors: read(&figures.n_write_errors),
            n_read_failures: read(&figures.n_read_failures),
            n_busy: read(&figures.n_busy),
        }
    }

    /// Waits until all that was put is written. Blocks.
    pub(crate) fn drain(&self) {
        if let Hand::Caller(writer) = &mut *self.writer.lock() {
            while writer.step() {}
            return;
        }
        self.shared.queue.drain();
    }

    /// Without threads: writes the oldest of what waits. False: nothing waits.
    pub(crate) fn step(&self) -> bool {
        match &mut *self.writer.lock() {
            Hand::Caller(writer) => writer.step(),
            Hand::Thread(_) | Hand::Gone => false,
        }
    }

    /// Writes what waits, seals the segment, ends and lets the folder go. Blocks.
    pub(crate) fn close(&self) {
        self.shared.queue.close();
        let writer = std::mem::replace(&mut *self.writer.lock(), Hand::Gone);
        match writer {
            Hand::Thread(thread) => drop(thread.join()),
            Hand::Caller(writer) => writer.run(),
            Hand::Gone => return,
        }
        self.shared.files.let_go();
    }
}

impl Drop for Disk {
    /// Without threads, what was not written by then never is: the end of a process that crashes.
    fn drop(&mut self) {
        if !matches!(self.writer.get_mut(), Hand::Caller(_)) {
            self.close();
        }
    }
}

#[cfg(test)]
mod tests;

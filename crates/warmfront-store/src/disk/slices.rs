//! Bodies on disk, slice by slice: written while they arrive, and read back.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::sync::{Semaphore, oneshot};

use super::Shared;
use super::meta::SlicePlace;
use super::pool::ReadPool;
use super::queue::Command;
use super::read::{read_slice, room};
use super::record::RECORD_HEADER_BYTES;
use super::segments::Segment;
use crate::Truncated;
use crate::memory::allocated;
use crate::shares::{Share, Shares, Use};

/// What a slice takes on disk, and in memory when it is read: a power of two, so that the allocator wastes nothing.
/// `docs/decisions/0008-memory-of-the-store.md` has the measurements.
pub(crate) const SLICE_RECORD_BYTES: u64 = 256 * 1024;
/// A body on disk is cut into slices of this size, the last one and those written in want of memory excepted.
pub(crate) const SLICE_BYTES: u64 = SLICE_RECORD_BYTES - RECORD_HEADER_BYTES as u64;

/// A slice on disk. Whoever has it may read it, even when its segment has been given up.
#[derive(Clone, Debug)]
pub(crate) struct Slice {
    pub(super) segment: Arc<Segment>,
    pub(super) place: SlicePlace,
}

impl Slice {
    /// Its length in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        u64::from(self.place.bytes)
    }
}

/// Where slices are read.
#[derive(Clone, Debug)]
pub(crate) struct SliceReader {
    pub(super) pool: Arc<ReadPool>,
    pub(super) shares: Arc<Shares>,
}

impl SliceReader {
    /// Reads a slice when there is memory for it. If silent viewers hold it all, that is with the one permit of `own`, beyond
    /// what is left: the body goes on, though slowly.
    pub(crate) fn read(&self, slice: &Slice, own: &Arc<Semaphore>) -> SliceRead {
        let record_bytes = RECORD_HEADER_BYTES + slice.place.bytes as usize;
        SliceRead(match self.shares.try_take(Use::Reading, record_bytes) {
            Some(share) => self.start(slice, share),
            None => Stage::Waiting {
                share: Box::pin(Arc::clone(&self.shares).take_reading(record_bytes, Arc::clone(own))),
                slice: slice.clone(),
                reader: self.clone(),
            },
        })
    }

    /// Reads a slice that is not needed yet, if there is memory to spare.
    pub(crate) fn read_ahead(&self, slice: &Slice) -> Option<SliceRead> {
        let share = self
            .shares
            .try_take_ahead(Use::Reading, RECORD_HEADER_BYTES + slice.place.bytes as usize)?;
        Some(SliceRead(self.start(slice, share)))
    }

    fn start(&self, slice: &Slice, share: Share) -> Stage {
        let slice = slice.clone();
        let record_bytes = RECORD_HEADER_BYTES + slice.place.bytes as usize;
        let Some(room) = room(&slice.segment, slice.place.offset, record_bytes) else {
            return Stage::Reading(None);
        };
        let read = move || read_slice(&slice.segment, slice.place, room, share);
        Stage::Reading(self.pool.run(usize::MAX, read))
    }
}

/// A slice that is being read.
pub(crate) struct SliceRead(Stage);

enum Stage {
    Waiting {
        share: Pin<Box<dyn Future<Output = Share> + Send + Sync>>,
        slice: Slice,
        reader: SliceReader,
    },
    /// `None`: the store is closed, or there is no such slice.
    Reading(Option<oneshot::Receiver<Option<Bytes>>>),
}

impl SliceRead {
    /// The slice; `None` if it cannot be read or is damaged.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            match &mut self.0 {
                Stage::Waiting { share, slice, reader } => {
                    let share = ready!(share.as_mut().poll(context));
                    self.0 = reader.start(slice, share);
                }
                Stage::Reading(Some(reading)) => {
                    return Pin::new(reading).poll(context).map(|read| read.ok().flatten());
                }
                Stage::Reading(None) => return Poll::Ready(None),
            }
        }
    }
}

impl std::fmt::Debug for SliceRead {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("SliceRead")
    }
}

/// Who is told where a slice was written. Told `None` if it never will be.
pub(crate) struct SliceDone(Option<Box<dyn FnOnce(Option<Slice>) + Send>>);

impl SliceDone {
    pub(crate) fn new(tell: impl FnOnce(Option<Slice>) + Send + 'static) -> SliceDone {
        SliceDone(Some(Box::new(tell)))
    }

    pub(super) fn tell(mut self, slice: Option<Slice>) {
        if let Some(tell) = self.0.take() {
            tell(slice);
        }
    }
}

impl Drop for SliceDone {
    fn drop(&mut self) {
        if let Some(tell) = self.0.take() {
            tell(None);
        }
    }
}

/// Where a body that arrives is put, slice by slice.
#[derive(Clone)]
pub(crate) struct SliceWriter {
    pub(super) shared: Arc<Shared>,
    pub(super) reader: SliceReader,
}

impl SliceWriter {
    /// The longest body that is kept, in bytes.
    pub(crate) fn body_bytes_max(&self) -> u64 {
        self.shared.limits.object_bytes_max
    }

    /// Whether the disk has more to do than it gets done.
    pub(crate) fn is_overloaded(&self) -> bool {
        self.shared.queue.bytes() >= self.shared.limits.queue_bytes_max
    }

    /// Has a slice written, `parts` one after another.
    pub(crate) fn write(&self, parts: Vec<Bytes>, done: SliceDone) {
        let bytes = parts.iter().map(|part| part.len() as u64).sum();
        // What is in flight has a limit of its own. A queue that is closed drops the command, which tells.
        let _ = self.shared.queue.push(Command::Slice { parts, done }, bytes, u64::MAX);
    }

    pub(crate) fn reader(&self) -> &SliceReader {
        &self.reader
    }

    /// The body that `slices` are.
    pub(crate) fn body(&self, slices: Vec<Slice>) -> DiskBody {
        DiskBody::new(slices, self.reader.clone())
    }
}

impl std::fmt::Debug for SliceWriter {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("SliceWriter")
    }
}

/// A body in slices on disk.
#[derive(Debug)]
pub(crate) struct DiskBody {
    slices: Box<[Slice]>,
    bytes: u64,
    reader: SliceReader,
}

impl DiskBody {
    pub(super) fn new(slices: Vec<Slice>, reader: SliceReader) -> DiskBody {
        let bytes = slices.iter().map(Slice::bytes).sum();
        DiskBody {
            slices: slices.into(),
            bytes,
            reader,
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many bytes of memory its places take.
    pub(crate) fn memory_bytes(&self) -> u64 {
        const COUNTS_BYTES: usize = 16;
        allocated(size_of::<DiskBody>() + COUNTS_BYTES) + allocated(size_of_val(&*self.slices))
    }

    pub(super) fn places(&self) -> impl Iterator<Item = SlicePlace> + '_ {
        self.slices.iter().map(|slice| slice.place)
    }
}

/// Reads a body slice by slice; one slice ahead where there is memory to spare.
#[derive(Debug)]
pub(crate) struct DiskReader {
    body: Arc<DiskBody>,
    next: usize,
    reading: Option<SliceRead>,
    bytes_left: u64,
    /// The permit for one slice beyond what is left of memory.
    overdraft: Arc<Semaphore>,
}

impl DiskReader {
    pub(crate) fn new(body: Arc<DiskBody>) -> DiskReader {
        DiskReader {
            reading: None,
            next: 0,
            bytes_left: body.bytes,
            body,
            overdraft: Arc::new(Semaphore::new(1)),
        }
    }

    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Truncated>>> {
        if self.reading.is_none() {
            self.reading = self
                .body
                .slices
                .get(self.next)
                .map(|slice| self.body.reader.read(slice, &self.overdraft));
            self.next += 1;
        }
        let Some(reading) = &mut self.reading else {
            return Poll::Ready((self.bytes_left > 0).then_some(Err(Truncated)));
        };
        let slice = ready!(reading.poll(context));
        self.reading = None;
        let Some(slice) = slice else {
            // Nothing after it can be had either.
            self.next = self.body.slices.len();
            return Poll::Ready(Some(Err(Truncated)));
        };
        self.bytes_left = self.bytes_left.saturating_sub(slice.len() as u64);
        if let Some(next) = self.body.slices.get(self.next)
            && let Some(ahead) = self.body.reader.read_ahead(next)
        {
            self.reading = Some(ahead);
            self.next += 1;
        }
        Poll::Ready(Some(Ok(slice)))
    }

    pub(crate) fn bytes_left(&self) -> u64 {
        self.bytes_left
    }
}

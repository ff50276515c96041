use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::FillLimits;
use super::window::Window;
use crate::Truncated;
use crate::disk::{SLICE_BYTES, Slice, SliceDone, SliceRead, SliceReader, SliceWriter};
use crate::shares::{Share, Shares};

/// A body that is arriving: the bytes that some reader still needs, or all of them while they are kept in memory.
pub(crate) struct Spool {
    limits: FillLimits,
    pub(super) shares: Arc<Shares>,
    disk: Option<SliceWriter>,
    state: Mutex<State>,
}

/// Whether the body is kept, and where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Keep {
    /// All of it is in the window.
    Memory,
    /// It goes to disk.
    Disk,
    /// It passes through.
    #[default]
    No,
}

#[derive(Debug, Default)]
struct State {
    window: Window,
    keep: Keep,
    /// The body's beginning, as far as it is on disk, with each slice's offset.
    slices: Vec<(u64, Slice)>,
    /// The offset behind `slices`.
    on_disk: u64,
    /// The offset behind what was handed over to be written.
    handed_over: u64,
    end: Option<Result<(), Truncated>>,
    /// In the order in which they came, and in that order they wake.
    readers: BTreeMap<u64, Position>,
    next_reader: u64,
    /// Memory is short: nothing stays in the window that is on disk.
    is_short: bool,
    /// Nobody will open the body any more.
    closed: bool,
    writer: Option<Waker>,
}

#[derive(Debug, Default)]
struct Position {
    offset: u64,
    waker: Option<Waker>,
    cut_off: bool,
}

/// Slices that are to be written, once no lock is held.
type HandedOver = Vec<(Vec<Bytes>, SliceDone)>;

impl Spool {
    pub(super) fn new(limits: FillLimits, shares: Arc<Shares>, disk: Option<SliceWriter>) -> Spool {
        let state = State {
            keep: match &disk {
                _ if limits.keep_bytes_max > 0 => Keep::Memory,
                Some(disk) if !disk.is_overloaded() => Keep::Disk,
                _ => Keep::No,
            },
            ..State::default()
        };
        Spool {
            limits,
            shares,
            disk,
            state: Mutex::new(state),
        }
    }

    pub(super) fn close(&self) {
        self.state.lock().closed = true;
    }

    pub(super) fn is_kept(&self) -> bool {
        self.state.lock().keep != Keep::No
    }

    /// Whether more may be appended; false: nothing more is needed.
    pub(super) fn poll_room(&self, context: &mut Context<'_>) -> Poll<bool> {
        let mut state = self.state.lock();
        if !state.is_needed() {
            return Poll::Ready(false);
        }
        if state.keep == Keep::Disk && state.window.bytes() >= self.limits.window_bytes {
            let on_disk = state.on_disk;
            state.window.drop_before(on_disk);
        }
        if state.keep == Keep::Memory || state.window.bytes() < self.limits.window_bytes {
            return Poll::Ready(true);
        }
        state.writer = Some(context.waker().clone());
        Poll::Pending
    }

    /// What a share is needed for, to append so many bytes.
    pub(super) fn needs(&self, part_bytes: usize) -> Option<usize> {
        self.state.lock().window.needs(part_bytes)
    }

    /// Appends a part.
    pub(super) fn append(self: &Arc<Self>, part: &[u8], share: Option<Share>) {
        let mut state = self.state.lock();
        state.is_short = false;
        state.window.push(part, share);
        if state.keep == Keep::Memory && state.window.bytes() > self.limits.keep_bytes_max {
            self.leave_memory(&mut state);
        }
        let too_long = |disk: &SliceWriter| state.window.end() > disk.body_bytes_max();
        if state.keep == Keep::Disk && self.disk.as_ref().is_none_or(too_long) {
            state.give_up_keeping();
        }
        let writes = self.hand_over(&mut state, SLICE_BYTES);
        state.wake_readers();
        drop(state);
        self.write(writes);
    }

    /// Memory is short: what is in the window goes to disk or to its readers.
    pub(super) fn give_way(self: &Arc<Self>) {
        let mut state = self.state.lock();
        state.is_short = true;
        if state.keep == Keep::Memory {
            self.leave_memory(&mut state);
        }
        if state.keep == Keep::Disk {
            state.window.freeze();
        }
        let writes = self.hand_over(&mut state, 1);
        let on_disk = state.on_disk;
        state.window.drop_before(on_disk);
        drop(state);
        self.write(writes);
    }

    /// Nothing has moved for too long. A disk that does not write in time keeps nothing, and whoever has not read what
    /// others are done with is cut off.
    pub(super) fn overdue(&self) {
        let mut state = self.state.lock();
        if state.keep == Keep::Disk {
            state.give_up_keeping();
        } else {
            let first_end = state.window.first_end();
            let State { readers, .. } = &mut *state;
            if readers.values().any(|reader| reader.offset >= first_end) {
                for reader in readers.values_mut().filter(|reader| reader.offset < first_end) {
                    reader.cut_off = true;
                }
            }
        }
        state.drop_what_all_have_read();
        state.wake_readers();
    }

    /// The body has ended, or broken off. Gives where it is kept, and its bytes if that is in memory.
    pub(super) fn end(self: &Arc<Self>, end: Result<(), Truncated>) -> (Keep, Vec<Bytes>) {
        let mut state = self.state.lock();
        state.end = Some(end);
        state.window.freeze();
        let mut writes = HandedOver::new();
        let bytes = match (state.keep, end) {
            (Keep::Memory, Ok(())) => state.window.range(0, state.window.end()),
            (Keep::Disk, Ok(())) => {
                writes = self.hand_over(&mut state, 1);
                Vec::new()
            }
            _ => Vec::new(),
        };
        state.wake_readers();
        let keep = state.keep;
        drop(state);
        self.write(writes);
        (keep, bytes)
    }

    /// The slices, when all of a body that has ended is on disk; `None` if it cannot be written.
    pub(super) fn poll_slices(&self, context: &mut Context<'_>) -> Poll<Option<Vec<Slice>>> {
        let mut state = self.state.lock();
        if state.keep != Keep::Disk {
            return Poll::Ready(None);
        }
        if state.on_disk == state.window.end() {
            return Poll::Ready(Some(state.slices.iter().map(|(_, slice)| slice.clone()).collect()));
        }
        state.writer = Some(context.waker().clone());
        Poll::Pending
    }

    fn leave_memory(&self, state: &mut State) {
        match &self.disk {
            Some(disk) if !disk.is_overloaded() => state.keep = Keep::Disk,
            _ => state.give_up_keeping(),
        }
    }

    /// Slices to be written: whole ones, and a last one of `bytes_min` or more.
    fn hand_over(self: &Arc<Self>, state: &mut State, bytes_min: u64) -> HandedOver {
        let mut writes = Vec::new();
        while state.keep == Keep::Disk && state.window.frozen_end() - state.handed_over >= bytes_min {
            let start = state.handed_over;
            let end = state.window.frozen_end().min(start + SLICE_BYTES);
            state.handed_over = end;
            let spool = Arc::clone(self);
            let done = SliceDone::new(move |slice| spool.written(start, slice));
            writes.push((state.window.range(start, end), done));
        }
        writes
    }

    fn write(&self, writes: HandedOver) {
        for (parts, done) in writes {
            if let Some(disk) = &self.disk {
                disk.write(parts, done);
            }
        }
    }

    /// The slice from `start` on is on disk, or cannot be written.
    fn written(&self, start: u64, slice: Option<Slice>) {
        let mut state = self.state.lock();
        match slice {
            Some(slice) if start == state.on_disk => {
                state.on_disk += slice.bytes();
                state.slices.push((start, slice));
            }
            _ => state.give_up_keeping(),
        }
        state.drop_what_all_have_read();
        let stays_bytes = if state.is_short {
            0
        } else {
            self.limits.window_bytes / 2
        };
        if let Some(excess) = state.window.bytes().checked_sub(stays_bytes) {
            let until = (state.window.start() + excess).min(state.on_disk);
            state.window.drop_before(until);
        }
        state.wake_writer();
    }
}

impl State {
    fn wake_readers(&mut self) {
        self.readers
            .values_mut()
            .filter_map(|reader| reader.waker.take())
            .for_each(Waker::wake);
    }

    fn wake_writer(&mut self) {
        if let Some(writer) = self.writer.take() {
            writer.wake();
        }
    }

    /// Whether anybody needs what is still to come: it is kept, or someone reads it, or may yet open it.
    fn is_needed(&self) -> bool {
        let may_be_opened = !self.closed && self.window.start() <= self.on_disk;
        self.keep != Keep::No || may_be_opened || self.readers.values().any(|reader| !reader.cut_off)
    }

    fn give_up_keeping(&mut self) {
        self.keep = Keep::No;
        self.drop_what_all_have_read();
    }

    /// Frees what no reader needs any more, if the body is not kept, and lets the writer go on.
    fn drop_what_all_have_read(&mut self) {
        if self.keep != Keep::No {
            return;
        }
        // Whoever is about to open the body needs its beginning.
        if self.readers.is_empty() && self.window.start() == 0 && !self.closed {
            return;
        }
        let slowest = self
            .readers
            .values()
            .filter(|reader| !reader.cut_off)
            .map(|reader| reader.offset)
            .min()
            .unwrap_or(u64::MAX);
        self.window.drop_before(slowest.max(self.on_disk));
        self.wake_writer();
    }

    /// The slice on disk that holds `offset`, and where it begins.
    fn slice_at(&self, offset: u64) -> Option<(Slice, u64)> {
        let number = self
            .slices
            .partition_point(|(start, _)| *start <= offset)
            .checked_sub(1)?;
        let (start, slice) = self.slices.get(number)?;
        (offset - start < slice.bytes()).then(|| (slice.clone(), *start))
    }
}

/// Reads a body that is arriving.
#[derive(Debug)]
pub(crate) struct SpoolReader {
    spool: Arc<Spool>,
    number: u64,
    /// The slice that is read from disk, and its offset.
    reading: Option<(SliceRead, u64)>,
    /// The permit for one slice from disk beyond what is left of memory.
    overdraft: Arc<Semaphore>,
}

impl SpoolReader {
    /// A reader from the beginning; `None` if the beginning is gone.
    pub(crate) fn new(spool: Arc<Spool>) -> Option<SpoolReader> {
        let mut state = spool.state.lock();
        if state.window.start() > state.on_disk {
            return None;
        }
        let number = state.next_reader;
        state.next_reader += 1;
        state.readers.insert(number, Position::default());
        drop(state);
        Some(SpoolReader {
            spool,
            number,
            reading: None,
            overdraft: Arc::new(Semaphore::new(1)),
        })
    }

    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Truncated>>> {
        loop {
            if let Some((reading, start)) = &mut self.reading {
                let read = ready!(reading.poll(context));
                let start = *start;
                self.reading = None;
                return Poll::Ready(Some(read.and_then(|slice| self.passed(slice, start)).ok_or(Truncated)));
            }
            let mut state = self.spool.state.lock();
            let State {
                window, end, readers, ..
            } = &mut *state;
            let Some(position) = readers.get_mut(&self.number) else {
                return Poll::Ready(None);
            };
            let offset = position.offset;
            if position.cut_off {
                return Poll::Ready(Some(Err(Truncated)));
            }
            if let Some(bytes) = window.at(offset) {
                position.offset += bytes.len() as u64;
                state.drop_what_all_have_read();
                return Poll::Ready(Some(Ok(bytes)));
            }
            if offset == window.end() {
                return match end {
                    Some(Ok(())) => Poll::Ready(None),
                    Some(Err(truncated)) => Poll::Ready(Some(Err(*truncated))),
                    None => {
                        position.waker = Some(context.waker().clone());
                        Poll::Pending
                    }
                };
            }
            // Behind the window: what is on disk is read there.
            let (Some((slice, start)), Some(reader)) = (state.slice_at(offset), self.spool.slice_reader()) else {
                return Poll::Ready(Some(Err(Truncated)));
            };
            self.reading = Some((reader.read(&slice, &self.overdraft), start));
        }
    }

    /// Goes on behind a slice that was read from disk; gives what is new of it.
    fn passed(&self, mut slice: Bytes, start: u64) -> Option<Bytes> {
        let mut state = self.spool.state.lock();
        let position = state.readers.get_mut(&self.number)?;
        let known = usize::try_from(position.offset.checked_sub(start)?).ok()?;
        if known > slice.len() {
            return None;
        }
        let new = slice.split_off(known);
        position.offset += new.len() as u64;
        state.drop_what_all_have_read();
        Some(new)
    }
}

impl Spool {
    fn slice_reader(&self) -> Option<&SliceReader> {
        self.disk.as_ref().map(SliceWriter::reader)
    }
}

impl Drop for SpoolReader {
    fn drop(&mut self) {
        let mut state = self.spool.state.lock();
        state.readers.remove(&self.number);
        state.drop_what_all_have_read();
    }
}

impl std::fmt::Debug for Spool {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Spool")
    }
}

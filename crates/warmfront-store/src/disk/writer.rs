use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use warmfront_invalidation::Stamped;

use super::Shared;
use super::directory::{DiskEntry, Place};
use super::footer::{self, Line};
use super::meta::{self, SlicePlace};
use super::queue::Command;
use super::record::{self, Kind, RECORD_HEADER_BYTES, SEGMENT_HEADER_BYTES, SegmentId};
use super::seen::SeenFile;
use super::segments::{Segment, file_name};
use super::slices::{Slice, SliceDone};
use crate::StoredResponse;
use crate::body::Contents;

mod room;

/// A body up to this size stands in its response's record and is read at once.
pub(super) const INLINE_BYTES_MAX: u64 = 1024 * 1024;
/// So many bytes are written at once, or a little more.
const BATCH_BYTES: usize = 1024 * 1024;

/// The one thread that writes. Everything appears on disk in the order of the queue.
pub(super) struct Writer {
    shared: Arc<Shared>,
    next_number: u32,
    active: Option<Active>,
    batch: Batch,
    /// Keys whose records on disk count no more, which could not be written yet.
    owed: Vec<Box<[u8]>>,
    seen: SeenFile,
}

/// The segment that is being written.
struct Active {
    segment: Arc<Segment>,
    /// Where the batch will go.
    written: u64,
    responses: Vec<(Arc<DiskEntry>, Place)>,
    removals: Vec<Box<[u8]>>,
    carried_bytes: u64,
}

/// Records that are complete but not written.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    responses: Vec<(Arc<DiskEntry>, Place)>,
    removals: Vec<Box<[u8]>>,
    slices: Vec<(SliceDone, Slice)>,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>) -> Writer {
        Writer {
            next_number: shared.segments.newest_number().saturating_add(1),
            shared,
            active: None,
            batch: Batch::default(),
            owed: Vec::new(),
            seen: SeenFile::default(),
        }
    }

    /// Writes until the queue is closed, then seals the last segment.
    pub(super) fn run(mut self) {
        while let Some(commands) = self.shared.queue.take(BATCH_BYTES as u64) {
            for command in commands {
                self.append_command(command);
            }
            let flushed = self.flush();
            self.note(flushed);
            self.keep_seen();
        }
        self.keep_seen();
        let sealed = self.pay().and_then(|()| self.flush()).and_then(|()| self.seal());
        self.note(sealed);
        if !self.owed.is_empty() {
            self.give_everything_up();
        }
    }

    /// Does the oldest thing there is to do. False: there is nothing.
    pub(super) fn step(&mut self) -> bool {
        self.keep_seen();
        let Some(command) = self.shared.queue.take_one() else {
            return false;
        };
        self.append_command(command);
        let flushed = self.flush();
        self.note(flushed);
        true
    }

    /// Writes down how far the journal has come. If this fails, the next time may do.
    pub(super) fn keep_seen(&mut self) {
        let newest = *self.shared.seen.lock();
        let kept = self.seen.keep(&*self.shared.files, newest);
        self.note(kept);
    }

    fn append_command(&mut self, command: Command) {
        let done = match command {
            Command::Put { entry, response } => self.put(&entry, &response),
            Command::Slice { parts, done } => self.put_slice(&parts, done),
            Command::Remove(key) => self.remove(key),
        };
        self.note(done);
    }

    fn put(&mut self, entry: &Arc<DiskEntry>, response: &StoredResponse) -> io::Result<()> {
        if !self.shared.directory.holds(entry) {
            return Ok(());
        }
        let written = self.append_response(entry, response);
        if !matches!(written, Ok(true)) {
            self.give_up_entry(entry);
        }
        written.map(drop)
    }

    /// Appends a slice of a body that is arriving.
    fn put_slice(&mut self, parts: &[Bytes], done: SliceDone) -> io::Result<()> {
        let parts: Vec<&[u8]> = parts.iter().map(|part| &part[..]).collect();
        let place = self.append_slice(&parts)?;
        if let Some(active) = &self.active {
            let segment = Arc::clone(&active.segment);
            self.batch.slices.push((done, Slice { segment, place }));
        }
        if self.batch.bytes.len() >= BATCH_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    /// Appends a response; false: it cannot be written at all.
    fn append_response(&mut self, entry: &Arc<DiskEntry>, response: &StoredResponse) -> io::Result<bool> {
        let mut slices = Vec::new();
        let inline = match response.body().contents() {
            Contents::Memory(parts) if entry.body_bytes() <= INLINE_BYTES_MAX => parts,
            Contents::Memory(parts) => {
                for slice in in_slices(parts) {
                    slices.push(self.append_slice(&slice)?);
                    if self.batch.bytes.len() >= BATCH_BYTES {
                        self.flush()?;
                    }
                }
                &[]
            }
            Contents::Disk(body) if !body.places().all(|slice| self.shared.segments.has(slice.segment)) => {
                return Ok(false);
            }
            Contents::Disk(body) => {
                slices.extend(body.places());
                &[]
            }
            Contents::Arriving => return Ok(false),
        };
        let as_of = entry.stamp().as_of();
        let tags = response.tag_header();
        let meta = meta::encode(entry.key(), as_of, response.head(), tags, entry.body_bytes(), &slices);
        let Some(meta) = meta.filter(|meta| meta.len() <= record::META_BYTES_MAX) else {
            return Ok(false);
        };
        let body: Vec<&[u8]> = inline.iter().map(|part| &part[..]).collect();
        let (segment, offset) = self.append(Kind::Response, &meta, &body)?;
        let oldest = slices.iter().map(|slice| slice.segment).min().unwrap_or(segment);
        let place = Place {
            segment,
            offset,
            meta_bytes: u32::try_from(meta.len()).unwrap_or(u32::MAX),
            body_bytes: body
                .iter()
                .map(|part| part.len())
                .sum::<usize>()
                .try_into()
                .unwrap_or(u32::MAX),
            oldest_segment: oldest,
        };
        self.batch.responses.push((Arc::clone(entry), place));
        Ok(true)
    }

    fn append_slice(&mut self, parts: &[&[u8]]) -> io::Result<SlicePlace> {
        let (segment, offset) = self.append(Kind::Slice, &[], parts)?;
        let bytes: usize = parts.iter().map(|part| part.len()).sum();
        Ok(SlicePlace {
            segment,
            offset,
            bytes: u32::try_from(bytes).unwrap_or(u32::MAX),
        })
    }

    fn remove(&mut self, key: Box<[u8]>) -> io::Result<()> {
        self.owed.push(key);
        self.pay()
    }

    /// Appends the removals that are owed.
    fn pay(&mut self) -> io::Result<()> {
        while let Some(key) = self.owed.pop() {
            match self.append(Kind::Removal, &key, &[]) {
                Ok(_) => self.batch.removals.push(key),
                Err(error) => {
                    self.owed.push(key);
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Appends a record to the batch, in a new segment if this one is full. Gives its segment and offset.
    fn append(&mut self, kind: Kind, meta: &[u8], body: &[&[u8]]) -> io::Result<(u32, u32)> {
        let body_bytes: usize = body.iter().map(|part| part.len()).sum();
        let record_bytes = (RECORD_HEADER_BYTES + meta.len() + body_bytes) as u64;
        let is_full = |active: &Active, batched: usize| {
            active.written + batched as u64 + record_bytes > self.shared.limits.segment_bytes
        };
        if self
            .active
            .as_ref()
            .is_some_and(|active| is_full(active, self.batch.bytes.len()))
        {
            self.flush()?;
            self.seal()?;
        }
        let active = match &mut self.active {
            Some(active) => active,
            none => {
                let active = none.insert(begin_segment(&self.shared, &mut self.next_number)?);
                let segment = active.segment.id.number;
                self.make_room(segment)?;
                self.active.as_mut().ok_or(io::ErrorKind::Other)?
            }
        };
        let offset = active.written + self.batch.bytes.len() as u64;
        record::append(&mut self.batch.bytes, kind, active.segment.id, meta, body).ok_or(io::ErrorKind::InvalidData)?;
        let offset = u32::try_from(offset).map_err(|_| io::ErrorKind::FileTooLarge)?;
        Ok((active.segment.id.number, offset))
    }

    /// Writes the batch. After an error nothing of it counts.
    fn flush(&mut self) -> io::Result<()> {
        let batch = mem::take(&mut self.batch);
        let Some(active) = &mut self.active else { return Ok(()) };
        if batch.bytes.is_empty() {
            return Ok(());
        }
        if let Err(error) = active.segment.file.write_at(&batch.bytes, active.written) {
            for (entry, _) in &batch.responses {
                self.give_up_entry(entry);
            }
            self.owed.extend(batch.removals);
            self.leave_segment();
            return Err(error);
        }
        active.written += batch.bytes.len() as u64;
        active.segment.set_bytes(active.written);
        let figures = &self.shared.figures;
        figures
            .written_bytes
            .fetch_add(batch.bytes.len() as u64, Ordering::Relaxed);
        for (entry, place) in &batch.responses {
            entry.put_at(*place);
        }
        for (done, slice) in batch.slices {
            done.tell(Some(slice));
        }
        active.responses.extend(batch.responses);
        active.removals.extend(batch.removals);
        // The next batch is likely as long.
        self.batch.bytes = batch.bytes;
        self.batch.bytes.clear();
        Ok(())
    }

    /// Writes the list of what counts in the segment, makes it durable and leaves it.
    fn seal(&mut self) -> io::Result<()> {
        let Some(active) = self.active.take() else {
            return Ok(());
        };
        let mut removals = active.removals;
        let mut responses = Vec::new();
        for (entry, place) in active.responses {
            if self.shared.directory.holds(&entry) && entry.place() == Some(place) {
                responses.push(line(&entry, place));
            } else {
                removals.push(entry.key().into());
            }
        }
        let lines = removals.into_iter().map(Line::Removal).chain(responses);
        let end = write_list(&active.segment, active.written, lines)?;
        active.segment.set_bytes(end);
        Ok(())
    }

    /// Gives up writing into this segment, whose end is in doubt; what was written before counts.
    fn leave_segment(&mut self) {
        if let Some(active) = self.active.take() {
            // The checksums tell if this fails.
            let _ = active.segment.file.truncate(active.written);
        }
    }

    fn give_up_entry(&mut self, entry: &Arc<DiskEntry>) {
        self.shared.directory.remove_if_same(entry);
        self.shared.figures.n_failed.fetch_add(1, Ordering::Relaxed);
        if entry.supersedes() {
            self.owed.push(entry.key().into());
        }
    }

    fn note(&mut self, done: io::Result<()>) {
        let Err(error) = done else { return };
        let n_errors = self.shared.figures.n_write_errors.fetch_add(1, Ordering::Relaxed) + 1;
        // A disk that stays broken would fill the log.
        if n_errors.is_power_of_two() {
            tracing::warn!(%error, n_errors, "the disk tier cannot be written");
        }
        if error.kind() == io::ErrorKind::StorageFull {
            self.give_room_back();
        }
    }
}

/// A body in slices of full size, each as the pieces that it lies in.
fn in_slices(parts: &[Bytes]) -> Vec<Vec<&[u8]>> {
    const SLICE_BYTES: usize = super::SLICE_BYTES as usize;
    let mut slices = Vec::new();
    let (mut slice, mut room) = (Vec::new(), SLICE_BYTES);
    for part in parts {
        let mut rest = &part[..];
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(rest.len().min(room));
            slice.push(piece);
            room -= piece.len();
            rest = after;
            if room == 0 {
                slices.push(mem::take(&mut slice));
                room = SLICE_BYTES;
            }
        }
    }
    if !slice.is_empty() {
        slices.push(slice);
    }
    slices
}

fn begin_segment(shared: &Shared, next_number: &mut u32) -> io::Result<Active> {
    let number = *next_number;
    *next_number = number.checked_add(1).ok_or(io::ErrorKind::Other)?;
    let id = SegmentId {
        number,
        salt: RandomState::new().hash_one(number),
    };
    let file = shared.files.create(&file_name(number))?;
    if let Err(error) = file.write_at(&record::segment_header(id), 0) {
        let _ = shared.files.remove(&file_name(number));
        return Err(error);
    }
    let segment = Arc::new(Segment::new(id, file, SEGMENT_HEADER_BYTES as u64));
    shared.segments.insert(Arc::clone(&segment));
    Ok(Active {
        segment,
        written: SEGMENT_HEADER_BYTES as u64,
        responses: Vec::new(),
        removals: Vec::new(),
        carried_bytes: 0,
    })
}

pub(super) fn line(entry: &DiskEntry, place: Place) -> Line {
    Line::Response {
        key: entry.key().into(),
        as_of: entry.stamp().as_of(),
        tags: entry.tags().cloned().map(Box::new),
        body_bytes: entry.body_bytes(),
        place,
    }
}

/// Writes a segment's list and trailer at `end`; gives the file's new end. A list that cannot be written is no loss: the
/// records are read at the next start.
pub(super) fn write_list(segment: &Segment, end: u64, lines: impl Iterator<Item = Line>) -> io::Result<u64> {
    let mut list = Vec::new();
    for line in lines {
        footer::push_line(&mut list, &line).ok_or(io::ErrorKind::InvalidData)?;
    }
    let trailer = footer::trailer(segment.id, end, &list).ok_or(io::ErrorKind::InvalidData)?;
    let bytes = (list.len() + trailer.len()) as u64;
    list.extend(trailer);
    let written = segment.file.write_at(&list, end).and_then(|()| segment.file.sync());
    if let Err(error) = written {
        let _ = segment.file.truncate(end);
        return Err(error);
    }
    Ok(end + bytes)
}

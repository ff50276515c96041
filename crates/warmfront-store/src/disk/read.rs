use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::sync::oneshot;

use super::directory::Place;
use super::meta::{self, Meta, SlicePlace};
use super::pool::ReadPool;
use super::record::{Kind, RECORD_HEADER_BYTES, RecordHeader};
use super::segments::Segment;
use crate::Truncated;
use crate::memory::allocated;

/// A response's record, read and checked; the body that is in it.
pub(super) fn read_response(segment: &Segment, place: Place) -> Option<(Meta, Bytes)> {
    let head_bytes = RECORD_HEADER_BYTES + place.meta_bytes as usize;
    let record = read_checked(segment, place)?;
    let meta = meta::decode(&record.slice(RECORD_HEADER_BYTES..head_bytes))?;
    // A slice of the record would keep all of it in memory.
    Some((meta, Bytes::copy_from_slice(&record[head_bytes..])))
}

fn read_checked(segment: &Segment, place: Place) -> Option<Bytes> {
    let head_bytes = RECORD_HEADER_BYTES + place.meta_bytes as usize;
    let (header, record) = read_record(segment, place.offset, head_bytes + place.body_bytes as usize)?;
    let as_expected = header.kind == Kind::Response
        && header.meta_bytes == place.meta_bytes
        && header.covers(record.get(..head_bytes)?, segment.id)
        && header.covers_body(&record[head_bytes..], segment.id);
    as_expected.then_some(record)
}

/// A response's meta part and body as they are on disk, checked.
pub(super) fn read_raw(segment: &Segment, place: Place) -> Option<(Vec<u8>, Bytes)> {
    let head_bytes = RECORD_HEADER_BYTES + place.meta_bytes as usize;
    let record = read_checked(segment, place)?;
    Some((
        record[RECORD_HEADER_BYTES..head_bytes].to_vec(),
        record.slice(head_bytes..),
    ))
}

fn read_slice(segment: &Segment, place: SlicePlace) -> Option<Bytes> {
    let record_bytes = RECORD_HEADER_BYTES + place.bytes as usize;
    let (header, record) = read_record(segment, place.offset, record_bytes)?;
    let as_expected = header.kind == Kind::Slice
        && header.covers(&record[..RECORD_HEADER_BYTES], segment.id)
        && header.covers_body(&record[RECORD_HEADER_BYTES..], segment.id);
    as_expected.then(|| record.slice(RECORD_HEADER_BYTES..))
}

fn read_record(segment: &Segment, offset: u32, bytes: usize) -> Option<(RecordHeader, Bytes)> {
    // A damaged list may ask for anything.
    if u64::from(offset) + bytes as u64 > segment.bytes() {
        return None;
    }
    let mut record = vec![0; bytes];
    segment.file.read_at(&mut record, u64::from(offset)).ok()?;
    Some((RecordHeader::read(&record)?, record.into()))
}

/// A body in slices on disk. It keeps the segments it needs, even when they have been given up.
#[derive(Debug)]
pub(crate) struct DiskBody {
    slices: Vec<(Arc<Segment>, SlicePlace)>,
    bytes: u64,
    pool: Arc<ReadPool>,
}

impl DiskBody {
    pub(super) fn new(slices: Vec<(Arc<Segment>, SlicePlace)>, pool: Arc<ReadPool>) -> DiskBody {
        let bytes = slices.iter().map(|(_, place)| u64::from(place.bytes)).sum();
        DiskBody { slices, bytes, pool }
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
        self.slices.iter().map(|(_, place)| *place)
    }

    fn read(&self, number: usize) -> Option<oneshot::Receiver<Option<Bytes>>> {
        let (segment, place) = self.slices.get(number)?;
        let (segment, place) = (Arc::clone(segment), *place);
        self.pool.run(usize::MAX, move || read_slice(&segment, place))
    }
}

/// Reads a body slice by slice, one slice ahead.
#[derive(Debug)]
pub(crate) struct DiskReader {
    body: Arc<DiskBody>,
    next: usize,
    reading: Option<oneshot::Receiver<Option<Bytes>>>,
    bytes_left: u64,
}

impl DiskReader {
    pub(crate) fn new(body: Arc<DiskBody>) -> DiskReader {
        DiskReader {
            reading: body.read(0),
            next: 1,
            bytes_left: body.bytes,
            body,
        }
    }

    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Truncated>>> {
        let Some(reading) = &mut self.reading else {
            return Poll::Ready((self.bytes_left > 0).then_some(Err(Truncated)));
        };
        let slice = ready!(Pin::new(reading).poll(context)).ok().flatten();
        self.reading = None;
        Poll::Ready(Some(match slice {
            Some(slice) => {
                self.bytes_left = self.bytes_left.saturating_sub(slice.len() as u64);
                self.reading = self.body.read(self.next);
                self.next += 1;
                Ok(slice)
            }
            None => Err(Truncated),
        }))
    }

    pub(crate) fn bytes_left(&self) -> u64 {
        self.bytes_left
    }
}

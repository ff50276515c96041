use bytes::Bytes;

use super::directory::Place;
use super::meta::{self, Meta, SlicePlace};
use super::record::{Kind, RECORD_HEADER_BYTES, RecordHeader};
use super::segments::Segment;
use crate::Body;
use crate::body::MEMORY_SLICE_BYTES;
use crate::shares::Share;

/// Room for a record of `bytes` at `offset`; `None` if the segment ends before. Whoever will use the record makes the room:
/// memory goes back fastest on the thread it came from.
pub(super) fn room(segment: &Segment, offset: u32, bytes: usize) -> Option<Vec<u8>> {
    // A damaged list may ask for anything.
    (u64::from(offset) + bytes as u64 <= segment.bytes()).then(|| vec![0; bytes])
}

/// How long a response's record is.
pub(super) fn response_bytes(place: Place) -> usize {
    head_bytes(place) + place.body_bytes as usize
}

fn head_bytes(place: Place) -> usize {
    RECORD_HEADER_BYTES + place.meta_bytes as usize
}

/// A response's record in memory. A long body has slices of its own at once, of the size that bodies in memory have; a short
/// one is read together with what stands before it.
pub(super) struct ResponseRecord {
    first: Vec<u8>,
    slices: Vec<Vec<u8>>,
    head_bytes: usize,
}

impl ResponseRecord {
    /// Room for the record at `place`; `None` if the segment ends before.
    pub(super) fn room(segment: &Segment, place: Place) -> Option<ResponseRecord> {
        let end = u64::from(place.offset) + response_bytes(place) as u64;
        if end > segment.bytes() {
            return None;
        }
        let (head_bytes, body_bytes) = (head_bytes(place), place.body_bytes as usize);
        let is_short = body_bytes <= MEMORY_SLICE_BYTES;
        let first = head_bytes + if is_short { body_bytes } else { 0 };
        let n_slices = if is_short {
            0
        } else {
            body_bytes.div_ceil(MEMORY_SLICE_BYTES)
        };
        let slice = |number: usize| vec![0; (body_bytes - number * MEMORY_SLICE_BYTES).min(MEMORY_SLICE_BYTES)];
        Some(ResponseRecord {
            first: vec![0; first],
            slices: (0..n_slices).map(slice).collect(),
            head_bytes,
        })
    }

    /// Reads the record into its room and checks it.
    pub(super) fn read(mut self, segment: &Segment, place: Place) -> Option<ResponseRecord> {
        let mut offset = u64::from(place.offset);
        for part in std::iter::once(&mut self.first).chain(&mut self.slices) {
            segment.file.read_at(part, offset).ok()?;
            offset += part.len() as u64;
        }
        let header = RecordHeader::read(&self.first)?;
        let as_expected = header.kind == Kind::Response
            && header.meta_bytes == place.meta_bytes
            && header.covers(self.first.get(..self.head_bytes)?, segment.id)
            && header.covers_body(&self.body(), segment.id);
        as_expected.then_some(self)
    }

    /// The meta part as it is on disk.
    pub(super) fn meta(&self) -> &[u8] {
        &self.first[RECORD_HEADER_BYTES..self.head_bytes]
    }

    /// The body that is in the record, one part after another.
    pub(super) fn body(&self) -> Vec<&[u8]> {
        let rest = &self.first[self.head_bytes..];
        let slices = self.slices.iter().map(|slice| &slice[..]);
        std::iter::once(rest).chain(slices).collect()
    }

    /// What is in it.
    pub(super) fn response(self) -> Option<(Meta, Body)> {
        let body = if self.slices.is_empty() {
            Body::of_copies(&[&self.first[self.head_bytes..]])
        } else {
            Body::whole(self.slices.into_iter().map(Bytes::from).collect())
        };
        let meta = meta::decode(&Bytes::from(self.first).slice(RECORD_HEADER_BYTES..self.head_bytes))?;
        Some((meta, body))
    }
}

/// A slice, read into `room` and checked; it is in memory under `share`.
pub(super) fn read_slice(segment: &Segment, place: SlicePlace, room: Vec<u8>, share: Share) -> Option<Bytes> {
    let (header, record) = read_record(segment, place.offset, room)?;
    let as_expected = header.kind == Kind::Slice
        && header.covers(record.get(..RECORD_HEADER_BYTES)?, segment.id)
        && header.covers_body(&[&record[RECORD_HEADER_BYTES..]], segment.id);
    as_expected.then(|| share.cover(record).slice(RECORD_HEADER_BYTES..))
}

fn read_record(segment: &Segment, offset: u32, mut room: Vec<u8>) -> Option<(RecordHeader, Vec<u8>)> {
    segment.file.read_at(&mut room, u64::from(offset)).ok()?;
    Some((RecordHeader::read(&room)?, room))
}

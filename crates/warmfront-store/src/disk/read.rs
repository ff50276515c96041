use bytes::Bytes;

use super::directory::Place;
use super::meta::{self, Meta, SlicePlace};
use super::record::{Kind, RECORD_HEADER_BYTES, RecordHeader};
use super::segments::Segment;
use crate::Body;
use crate::shares::Share;

/// Room for a record of `bytes` at `offset`; `None` if the segment ends before. Whoever will use the record makes the room:
/// memory goes back fastest on the thread it came from.
pub(super) fn room(segment: &Segment, offset: u32, bytes: usize) -> Option<Vec<u8>> {
    // A damaged list may ask for anything.
    (u64::from(offset) + bytes as u64 <= segment.bytes()).then(|| vec![0; bytes])
}

/// How long a response's record is.
pub(super) fn response_bytes(place: Place) -> usize {
    RECORD_HEADER_BYTES + place.meta_bytes as usize + place.body_bytes as usize
}

/// Room for a response's record.
pub(super) fn response_room(segment: &Segment, place: Place) -> Option<Vec<u8>> {
    room(segment, place.offset, response_bytes(place))
}

/// The response in a record that was read; the body that is in it.
pub(super) fn response_in(record: Vec<u8>, place: Place) -> Option<(Meta, Body)> {
    let head_bytes = RECORD_HEADER_BYTES + place.meta_bytes as usize;
    let body = Body::of_copies(&[record.get(head_bytes..)?]);
    let meta = meta::decode(&Bytes::from(record).slice(RECORD_HEADER_BYTES..head_bytes))?;
    Some((meta, body))
}

/// A response's record, read into `room` and checked.
pub(super) fn read_checked(segment: &Segment, place: Place, room: Vec<u8>) -> Option<Vec<u8>> {
    let head_bytes = RECORD_HEADER_BYTES + place.meta_bytes as usize;
    let (header, record) = read_record(segment, place.offset, room)?;
    let as_expected = header.kind == Kind::Response
        && header.meta_bytes == place.meta_bytes
        && header.covers(record.get(..head_bytes)?, segment.id)
        && header.covers_body(&record[head_bytes..], segment.id);
    as_expected.then_some(record)
}

/// A response's meta part and body as they are on disk, checked.
pub(super) fn read_raw(segment: &Segment, place: Place) -> Option<(Vec<u8>, Bytes)> {
    let head_bytes = RECORD_HEADER_BYTES + place.meta_bytes as usize;
    let record = Bytes::from(read_checked(segment, place, response_room(segment, place)?)?);
    Some((
        record[RECORD_HEADER_BYTES..head_bytes].to_vec(),
        record.slice(head_bytes..),
    ))
}

/// A slice, read into `room` and checked; it is in memory under `share`.
pub(super) fn read_slice(segment: &Segment, place: SlicePlace, room: Vec<u8>, share: Share) -> Option<Bytes> {
    let (header, record) = read_record(segment, place.offset, room)?;
    let as_expected = header.kind == Kind::Slice
        && header.covers(record.get(..RECORD_HEADER_BYTES)?, segment.id)
        && header.covers_body(&record[RECORD_HEADER_BYTES..], segment.id);
    as_expected.then(|| share.cover(record).slice(RECORD_HEADER_BYTES..))
}

fn read_record(segment: &Segment, offset: u32, mut room: Vec<u8>) -> Option<(RecordHeader, Vec<u8>)> {
    segment.file.read_at(&mut room, u64::from(offset)).ok()?;
    Some((RecordHeader::read(&room)?, room))
}

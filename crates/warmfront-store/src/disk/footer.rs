//! The list of a segment's records, at its end: what a start reads in place of the records.

use warmfront_model::Epoch;

use super::directory::Place;
use super::fields::{Fields, push_long};
use super::meta::read_epoch;
use super::record::SegmentId;
use super::tag_field::{TagField, push_tag_field, read_tag_field};

/// A line of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A response that counts.
    Response {
        key: Box<[u8]>,
        as_of: Epoch,
        tags: Option<Box<TagField>>,
        body_bytes: u64,
        place: Place,
    },
    /// Nothing that older segments hold under this key counts.
    Removal(Box<[u8]>),
}

/// The last bytes of a sealed segment.
pub(super) const TRAILER_BYTES: usize = 32;
const TRAILER_MAGIC: [u8; 8] = *b"wfSEALED";

/// Where a sealed segment's list is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trailer {
    pub(super) list_offset: u64,
    pub(super) list_bytes: u32,
    crc: u32,
}

/// Appends a line; `None`, and a part of it in `out`, if something is too long.
pub(super) fn push_line(out: &mut Vec<u8>, line: &Line) -> Option<()> {
    match line {
        Line::Response {
            key,
            as_of,
            tags,
            body_bytes,
            place,
        } => {
            out.push(1);
            for number in [as_of.incarnation.0, as_of.revision.0, *body_bytes] {
                out.extend(number.to_le_bytes());
            }
            for number in [place.offset, place.meta_bytes, place.body_bytes, place.oldest_segment] {
                out.extend(number.to_le_bytes());
            }
            push_long(out, key)?;
            push_tag_field(out, tags.as_deref())
        }
        Line::Removal(key) => {
            out.push(3);
            push_long(out, key)
        }
    }
}

/// Reads the list of `segment`; `None` if it is none.
pub(super) fn read_lines(list: &[u8], segment: u32) -> Option<Vec<Line>> {
    let mut fields = Fields(list);
    let mut lines = Vec::with_capacity(list.len() / 128);
    while !fields.0.is_empty() {
        lines.push(match fields.u8()? {
            1 => {
                let as_of = read_epoch(&mut fields)?;
                let body_bytes = fields.u64()?;
                let place = Place {
                    segment,
                    offset: fields.u32()?,
                    meta_bytes: fields.u32()?,
                    body_bytes: fields.u32()?,
                    oldest_segment: fields.u32()?,
                };
                Line::Response {
                    key: fields.long()?.into(),
                    as_of,
                    tags: read_tag_field(&mut fields)?,
                    body_bytes,
                    place,
                }
            }
            3 => Line::Removal(fields.long()?.into()),
            _ => return None,
        });
    }
    Some(lines)
}

/// The last bytes of `segment`, whose list begins at `list_offset`.
pub(super) fn trailer(segment: SegmentId, list_offset: u64, list: &[u8]) -> Option<Vec<u8>> {
    let mut out = TRAILER_MAGIC.to_vec();
    out.extend(segment.number.to_le_bytes());
    out.extend(list_offset.to_le_bytes());
    out.extend(u32::try_from(list.len()).ok()?.to_le_bytes());
    out.extend(segment.checksum([list]).to_le_bytes());
    out.extend(segment.checksum([&out[..]]).to_le_bytes());
    Some(out)
}

/// Reads the last bytes of `segment`; `None` if it was not sealed.
pub(super) fn read_trailer(bytes: &[u8], segment: SegmentId) -> Option<Trailer> {
    let mut fields = Fields(bytes);
    let magic = fields.bytes(8)?;
    let number = fields.u32()?;
    let trailer = Trailer {
        list_offset: fields.u64()?,
        list_bytes: fields.u32()?,
        crc: fields.u32()?,
    };
    let right = magic == TRAILER_MAGIC
        && number == segment.number
        && fields.u32()? == segment.checksum([&bytes[..TRAILER_BYTES - 4]])
        && fields.0.is_empty();
    right.then_some(trailer)
}

impl Trailer {
    /// Whether `list` is what was written.
    pub(super) fn covers(&self, list: &[u8], segment: SegmentId) -> bool {
        segment.checksum([list]) == self.crc
    }
}

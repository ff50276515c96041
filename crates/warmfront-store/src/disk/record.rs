//! Records: what a segment is made of. See `docs/store-format.md`.

use crc32fast::Hasher;

use super::fields::Fields;

/// The number of the format that this program reads and writes.
pub(super) const FORMAT: u32 = 1;
/// The longest meta part of a record: key, head and tags.
pub(super) const META_BYTES_MAX: usize = 256 * 1024;
/// Every record begins with so many bytes.
pub(super) const RECORD_HEADER_BYTES: usize = 32;
/// Every segment begins with so many bytes.
pub(super) const SEGMENT_HEADER_BYTES: usize = 32;

const RECORD_MAGIC: [u8; 4] = *b"wfRC";
const SEGMENT_MAGIC: [u8; 8] = *b"wfSEGMNT";

/// Which segment it is. The salt goes into every checksum, so that no body can pretend to be records of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentId {
    pub(super) number: u32,
    pub(super) salt: u64,
}

impl SegmentId {
    pub(super) fn checksum<'a>(self, parts: impl IntoIterator<Item = &'a [u8]>) -> u32 {
        let mut hasher = Hasher::new();
        hasher.update(&self.salt.to_le_bytes());
        parts.into_iter().for_each(|part| hasher.update(part));
        hasher.finalize()
    }
}

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A response; its body is in the record, or in slices before it.
    Response,
    /// A slice of a body.
    Slice,
    /// The key's earlier records count no more.
    Removal,
}

/// A record's first bytes, checked together with its meta part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RecordHeader {
    pub(super) kind: Kind,
    pub(super) segment: u32,
    pub(super) meta_bytes: u32,
    pub(super) body_bytes: u32,
    body_crc: u32,
    crc: u32,
}

impl RecordHeader {
    /// Reads the first bytes of a record; `None` if there is none. [`RecordHeader::covers`] tells whether they are right.
    pub(super) fn read(bytes: &[u8]) -> Option<RecordHeader> {
        let mut fields = Fields(bytes.get(..RECORD_HEADER_BYTES)?);
        if fields.bytes(4)? != RECORD_MAGIC {
            return None;
        }
        let kind = match fields.u32()? {
            1 => Kind::Response,
            2 => Kind::Slice,
            3 => Kind::Removal,
            _ => return None,
        };
        let header = RecordHeader {
            kind,
            segment: fields.u32()?,
            meta_bytes: fields.u32()?,
            body_bytes: fields.u32()?,
            body_crc: fields.u32()?,
            crc: {
                fields.u32()?;
                fields.u32()?
            },
        };
        (header.meta_bytes as usize <= META_BYTES_MAX).then_some(header)
    }

    /// Whether `head`, the header's bytes and the meta part, is what was written into `segment`.
    pub(super) fn covers(&self, head: &[u8], segment: SegmentId) -> bool {
        self.segment == segment.number
            && head.len() == RECORD_HEADER_BYTES + self.meta_bytes as usize
            && segment.checksum([&head[..RECORD_HEADER_BYTES - 4], &head[RECORD_HEADER_BYTES..]]) == self.crc
    }

    /// Whether `body`, one part after another, is what was written.
    pub(super) fn covers_body(&self, body: &[&[u8]], segment: SegmentId) -> bool {
        let bytes: usize = body.iter().map(|part| part.len()).sum();
        bytes == self.body_bytes as usize && segment.checksum(body.iter().copied()) == self.body_crc
    }

    /// The record's length.
    pub(super) fn record_bytes(&self) -> u64 {
        RECORD_HEADER_BYTES as u64 + u64::from(self.meta_bytes) + u64::from(self.body_bytes)
    }
}

/// Appends a record. `None`, and `out` as it was, if a part is too long.
pub(super) fn append(out: &mut Vec<u8>, kind: Kind, segment: SegmentId, meta: &[u8], body: &[&[u8]]) -> Option<()> {
    let body_bytes: usize = body.iter().map(|part| part.len()).sum();
    if meta.len() > META_BYTES_MAX {
        return None;
    }
    let (meta_length, body_length) = (u32::try_from(meta.len()).ok()?, u32::try_from(body_bytes).ok()?);
    let start = out.len();
    out.reserve(RECORD_HEADER_BYTES + meta.len() + body_bytes);
    out.extend(RECORD_MAGIC);
    let kind: u32 = match kind {
        Kind::Response => 1,
        Kind::Slice => 2,
        Kind::Removal => 3,
    };
    let body_crc = segment.checksum(body.iter().copied());
    for number in [kind, segment.number, meta_length, body_length, body_crc, 0] {
        out.extend(number.to_le_bytes());
    }
    let crc = segment.checksum([&out[start..], meta]);
    out.extend(crc.to_le_bytes());
    out.extend(meta);
    body.iter().for_each(|part| out.extend(*part));
    Some(())
}

/// A segment's first bytes.
pub(super) fn segment_header(segment: SegmentId) -> Vec<u8> {
    let mut out = SEGMENT_MAGIC.to_vec();
    out.extend(FORMAT.to_le_bytes());
    out.extend(segment.number.to_le_bytes());
    out.extend(segment.salt.to_le_bytes());
    out.extend([0; 4]);
    out.extend(segment.checksum([&out[..]]).to_le_bytes());
    out
}

/// What is wrong with a file's first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotASegment {
    /// Written by another version of the program.
    Format(u32),
    /// Torn or damaged.
    Damaged,
}

/// Reads a segment's first bytes.
pub(super) fn read_segment_header(bytes: &[u8]) -> Result<SegmentId, NotASegment> {
    let mut fields = Fields(bytes);
    let mut read = || {
        let magic = fields.bytes(8)?;
        let format = fields.u32()?;
        let (number, salt) = (fields.u32()?, fields.u64()?);
        fields.u32()?;
        (magic == SEGMENT_MAGIC).then_some((format, SegmentId { number, salt }, fields.u32()?))
    };
    match read() {
        Some((format, ..)) if format != FORMAT => Err(NotASegment::Format(format)),
        Some((_, segment, crc)) if segment.checksum([&bytes[..SEGMENT_HEADER_BYTES - 4]]) == crc => Ok(segment),
        _ => Err(NotASegment::Damaged),
    }
}

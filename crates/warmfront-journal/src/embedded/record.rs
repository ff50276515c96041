//! How entries and events are written, see `docs/journal-format.md`.

use bytes::Bytes;
use thiserror::Error;
use warmfront_model::Revision;

use crate::interface::{Event, Write};

const PUT: u8 = 1;
const DELETE: u8 = 2;

/// A record that this program did not write.
#[derive(Debug, Error)]
#[error("the file is damaged: {record} cannot be read: {reason}")]
pub(super) struct DamagedRecord {
    record: String,
    reason: &'static str,
}

/// `revision` (8 bytes, little endian), then the value.
pub(super) fn encode_entry(revision: Revision, value: &[u8]) -> Vec<u8> {
    [&revision.0.to_le_bytes(), value].concat()
}

/// The opposite of [`encode_entry`].
pub(super) fn decode_entry(key: &str, record: &[u8]) -> Result<(Revision, Bytes), DamagedRecord> {
    let (revision, value) = record.split_first_chunk().ok_or_else(|| DamagedRecord {
        record: format!("entry {key}"),
        reason: "shorter than its revision",
    })?;
    Ok((Revision(u64::from_le_bytes(*revision)), Bytes::copy_from_slice(value)))
}

/// What was done (one byte), the key's length (2 bytes, little endian), the key, the value.
///
/// The key must not be longer than `KEY_BYTES_MAX`.
pub(super) fn encode_event(event: &Event) -> Vec<u8> {
    let (kind, value): (u8, &[u8]) = match &event.write {
        Write::Put(value) => (PUT, value),
        Write::Delete => (DELETE, &[]),
    };
    let key_bytes = event.key.len() as u16;
    [&[kind][..], &key_bytes.to_le_bytes(), event.key.as_bytes(), value].concat()
}

/// The opposite of [`encode_event`].
pub(super) fn decode_event(revision: Revision, record: &[u8]) -> Result<Event, DamagedRecord> {
    let damaged = |reason| DamagedRecord {
        record: format!("event {revision}"),
        reason,
    };
    let ([kind, low, high], rest) = record
        .split_first_chunk()
        .ok_or_else(|| damaged("shorter than its head"))?;
    let key_bytes = usize::from(u16::from_le_bytes([*low, *high]));
    let (key, value) = rest
        .split_at_checked(key_bytes)
        .ok_or_else(|| damaged("shorter than its key"))?;
    let key = std::str::from_utf8(key).map_err(|_| damaged("its key is not UTF-8"))?;
    let write = match *kind {
        PUT => Write::Put(Bytes::copy_from_slice(value)),
        DELETE if value.is_empty() => Write::Delete,
        DELETE => return Err(damaged("a deletion with a value")),
        _ => return Err(damaged("neither put nor deletion")),
    };
    Ok(Event {
        revision,
        key: key.to_owned(),
        write,
    })
}

#[cfg(test)]
mod tests;

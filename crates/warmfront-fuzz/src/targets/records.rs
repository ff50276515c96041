//! What is read back from a disk.

use std::io;
use std::str;
use std::sync::Arc;

use bytes::Bytes;
use crc32fast::Hasher;
use warmfront_facts::{Key, decode_entry};
use warmfront_journal::Entry;
use warmfront_model::{Epoch, Incarnation, Revision};
use warmfront_store::{DiskOptions, Files, SegmentFile, Store};

use crate::input::{choice, halves};

/// A key, an empty line, and the value.
pub(super) fn journal_record(data: &[u8]) {
    let (key, value) = halves(data);
    let Ok(key) = str::from_utf8(key) else { return };
    if let Some(parsed) = Key::parse(key) {
        assert_eq!(parsed.to_string(), key);
    }
    let entry = Entry {
        key: key.into(),
        value: Bytes::copy_from_slice(value),
        revision: Revision(7),
    };
    let _ = decode_entry(&entry);
}

/// A folder with one segment, and what says how far the journal had come, neither of which is ever written.
struct OneSegment(Arc<[u8]>);

struct File(Arc<[u8]>);

const NUMBER: u32 = 1;
const HEAD: Epoch = Epoch {
    incarnation: Incarnation(7),
    revision: Revision(9),
};
const SALT: u64 = 0x5157_4552_5459_5549;

/// A byte that chooses; then a whole segment, the meta part of its only record, or its list. What is no segment by itself
/// is made one, checksums included: a store starts with whatever it is.
pub(super) fn disk_segment(data: &[u8]) {
    const DISK_BYTES: u64 = 64 * 1024 * 1024;
    let (which, rest) = choice(data);
    let file = match which % 5 {
        0 => rest.to_vec(),
        kind @ 1..=3 => with_record(u32::from(kind), rest),
        _ => with_list(rest),
    };
    let disk = DiskOptions {
        files: Box::new(OneSegment(file.into())),
        bytes: DISK_BYTES,
        head: HEAD,
    };
    if let Ok((store, _)) = Store::open(Store::MEMORY_BYTES_MIN, disk) {
        for entry in store.iter_on_disk() {
            assert!(store.get_on_disk(entry.key()).is_some());
        }
        store.close();
    }
}

/// Source: docs/store-format.md.
fn with_record(kind: u32, meta: &[u8]) -> Vec<u8> {
    let mut record = b"wfRC".to_vec();
    let length = u32::try_from(meta.len()).unwrap_or(u32::MAX);
    for number in [kind, NUMBER, length, 0, checksum(b"", b""), 0] {
        record.extend(number.to_le_bytes());
    }
    record.extend(checksum(&record, meta).to_le_bytes());
    [segment_header(), record, meta.to_vec()].concat()
}

fn with_list(list: &[u8]) -> Vec<u8> {
    let header = segment_header();
    let mut trailer = b"wfSEALED".to_vec();
    trailer.extend(NUMBER.to_le_bytes());
    trailer.extend((header.len() as u64).to_le_bytes());
    trailer.extend(u32::try_from(list.len()).unwrap_or(u32::MAX).to_le_bytes());
    trailer.extend(checksum(list, b"").to_le_bytes());
    trailer.extend(checksum(&trailer, b"").to_le_bytes());
    [header, list.to_vec(), trailer].concat()
}

fn segment_header() -> Vec<u8> {
    const FORMAT: u32 = 1;
    let mut header = b"wfSEGMNT".to_vec();
    header.extend(FORMAT.to_le_bytes());
    header.extend(NUMBER.to_le_bytes());
    header.extend(SALT.to_le_bytes());
    header.extend([0; 4]);
    header.extend(checksum(&header, b"").to_le_bytes());
    header
}

const SEEN_NAME: &str = "journal";

/// The journal had come to its head already.
fn seen() -> Vec<u8> {
    let mut seen = b"wfJOURNL".to_vec();
    seen.extend(HEAD.incarnation.0.to_le_bytes());
    seen.extend(HEAD.revision.0.to_le_bytes());
    seen.extend(crc32fast::hash(&seen).to_le_bytes());
    seen
}

fn checksum(first: &[u8], second: &[u8]) -> u32 {
    let mut hasher = Hasher::new();
    hasher.update(&SALT.to_le_bytes());
    hasher.update(first);
    hasher.update(second);
    hasher.finalize()
}

impl Files for OneSegment {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(vec![SEEN_NAME.to_owned(), format!("segment-{NUMBER:08x}")])
    }

    fn create(&self, _name: &str) -> io::Result<Box<dyn SegmentFile>> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn SegmentFile>> {
        Ok(Box::new(File(match name {
            SEEN_NAME => seen().into(),
            _ => Arc::clone(&self.0),
        })))
    }

    fn remove(&self, _name: &str) -> io::Result<()> {
        Ok(())
    }
}

impl SegmentFile for File {
    fn bytes(&self) -> io::Result<u64> {
        Ok(self.0.len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let start = usize::try_from(offset).map_err(|_| io::ErrorKind::UnexpectedEof)?;
        let end = start.checked_add(buffer.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        let bytes = self.0.get(start..end).ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(bytes);
        Ok(())
    }

    fn write_at(&self, _bytes: &[u8], _offset: u64) -> io::Result<()> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn truncate(&self, _bytes: u64) -> io::Result<()> {
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

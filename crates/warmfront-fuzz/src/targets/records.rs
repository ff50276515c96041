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

/// A folder with one segment, and the file that says how far the journal had come, neither of which is ever written.
struct OneSegment {
    segment: Arc<[u8]>,
    journal: Arc<[u8]>,
}

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
    let (which, rest) = choice(data);
    let file = match which % 5 {
        0 => rest.to_vec(),
        kind @ 1..=3 => with_record(u32::from(kind), rest),
        _ => with_list(rest),
    };
    let folder = OneSegment {
        segment: file.into(),
        journal: journal_at(HEAD.incarnation.0, HEAD.revision.0).into(),
    };
    if let Ok((store, _)) = Store::open(Store::MEMORY_BYTES_MIN, folder.into_disk()) {
        for entry in store.iter_on_disk() {
            assert!(store.get_on_disk(entry.key()).is_some());
        }
        store.close();
    }
}

/// A byte that chooses; then the file that says how far the journal had come, or the epoch in it, to which its checksum is
/// made. The one response that the folder holds is there after a start if, and only if, the file is whole and does not go
/// beyond the journal that there is.
///
/// Source: docs/store-format.md, "journal" and "What a start does".
pub(super) fn disk_journal(data: &[u8]) {
    let (which, rest) = choice(data);
    let journal = match (which % 2, rest.first_chunk::<16>()) {
        (1, Some(epoch)) => {
            let (incarnation, revision) = numbers(epoch);
            journal_at(incarnation, revision)
        }
        _ => rest.to_vec(),
    };
    let counts = journal.get(8..24).and_then(<[u8]>::first_chunk).is_some_and(|epoch| {
        let (incarnation, revision) = numbers(epoch);
        journal.starts_with(&journal_at(incarnation, revision))
            && incarnation == HEAD.incarnation.0
            && revision <= HEAD.revision.0
    });
    let folder = OneSegment {
        segment: with_record(1, &response_meta()).into(),
        journal: journal.into(),
    };
    let (_, recovered) = Store::open_without_threads(Store::MEMORY_BYTES_MIN, folder.into_disk())
        .expect("no bytes of a file fail a start");
    assert_eq!(recovered.n_responses, u64::from(counts));
}

fn numbers(bytes: &[u8; 16]) -> (u64, u64) {
    let both = u128::from_le_bytes(*bytes);
    let low = |number: u128| u64::try_from(number & u128::from(u64::MAX)).unwrap_or(0);
    (low(both), low(both >> 64))
}

/// An empty response, stored when the journal was not yet at its head.
fn response_meta() -> Vec<u8> {
    const KEY: &[u8] = b"key";
    let as_of = [HEAD.incarnation.0, HEAD.revision.0 - 4];
    let (received_and_times, max_age, body_bytes) = ([0_u64; 5], 1_u8, 0_u64);
    let mut meta: Vec<u8> = as_of
        .into_iter()
        .chain(received_and_times)
        .flat_map(u64::to_le_bytes)
        .collect();
    meta.push(max_age);
    meta.extend(200_u16.to_le_bytes());
    meta.extend(body_bytes.to_le_bytes());
    meta.extend(u32::try_from(KEY.len()).unwrap_or(0).to_le_bytes());
    meta.extend(KEY);
    // No tags, no slices, no fields.
    meta.extend([0; 2 + 4 + 2]);
    meta
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

const JOURNAL_NAME: &str = "journal";

/// What says that the journal had come so far.
fn journal_at(incarnation: u64, revision: u64) -> Vec<u8> {
    let mut file = b"wfJOURNL".to_vec();
    file.extend(incarnation.to_le_bytes());
    file.extend(revision.to_le_bytes());
    file.extend(crc32fast::hash(&file).to_le_bytes());
    file
}

fn checksum(first: &[u8], second: &[u8]) -> u32 {
    let mut hasher = Hasher::new();
    hasher.update(&SALT.to_le_bytes());
    hasher.update(first);
    hasher.update(second);
    hasher.finalize()
}

impl OneSegment {
    fn into_disk(self) -> DiskOptions {
        const DISK_BYTES: u64 = 64 * 1024 * 1024;
        DiskOptions {
            files: Box::new(self),
            bytes: DISK_BYTES,
            head: HEAD,
        }
    }
}

impl Files for OneSegment {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(vec![JOURNAL_NAME.to_owned(), format!("segment-{NUMBER:08x}")])
    }

    fn create(&self, _name: &str) -> io::Result<Box<dyn SegmentFile>> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn SegmentFile>> {
        Ok(Box::new(File(match name {
            JOURNAL_NAME => Arc::clone(&self.journal),
            _ => Arc::clone(&self.segment),
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

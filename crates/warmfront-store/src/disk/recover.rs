//! What a start makes of the files it finds. Never fails on their bytes: what cannot be read is not there.

use std::io;
use std::sync::Arc;
use std::thread;

use bytes::Bytes;
use warmfront_invalidation::Stamped;
use warmfront_model::Epoch;

use super::Shared;
use super::directory::{DiskEntry, Place};
use super::footer::{Line, TRAILER_BYTES, read_lines, read_trailer};
use super::meta;
use super::record::{Kind, NotASegment, RECORD_HEADER_BYTES, RecordHeader, SEGMENT_HEADER_BYTES, read_segment_header};
use super::seen;
use super::segments::{Segment, file_name, file_number};
use super::tag_field::TagField;
use super::writer::write_list;
use crate::files::Files;

/// What a start found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Responses that may be used if no invalidation covers them.
    pub n_responses: u64,
    /// Responses of another journal, or from beyond this one's end, or all, if it had come further before. If there is one,
    /// all were given up.
    pub n_foreign: u64,
    /// Files of another format or too damaged to read, which were removed.
    pub n_discarded_files: u64,
}

/// Fills the directory from the files, the oldest first, so that of two records of a key the newer counts.
///
/// `head` is the journal's. If the journal had come further before, or anything is stamped in another incarnation or beyond
/// its head, nothing can be trusted, and all files are removed.
///
/// # Errors
/// If the files cannot be listed, or those that must go cannot be removed.
pub(super) fn recover(shared: &Shared, head: Epoch, n_threads: usize) -> io::Result<Recovered> {
    let mut numbers: Vec<u32> = shared
        .files
        .list()?
        .iter()
        .filter_map(|name| file_number(name))
        .collect();
    numbers.sort_unstable();
    let mut recovered = Recovered::default();
    let was_there = seen::read(&*shared.files).is_some_and(|seen| head.satisfies(seen));
    let head = was_there.then_some(head);
    thread::scope(|scope| {
        let files = &*shared.files;
        let read = |&number: &u32| (number, scope.spawn(move || read_segment(files, number)));
        let mut waves = numbers.chunks(n_threads.max(1));
        let mut next = || waves.next().map(|wave| wave.iter().map(read).collect::<Vec<_>>());
        let mut present = next();
        while let Some(wave) = present {
            // While this one is taken in, the next is read.
            present = next();
            for (number, reader) in wave {
                let found = reader.join().unwrap_or(Found::Unreadable);
                take_in(shared, head, number, found, &mut recovered);
            }
        }
    });
    if recovered.n_foreign > 0 || head.is_none() {
        discard_all(shared, &numbers)?;
    }
    recovered.n_responses = shared.directory.n_entries();
    Ok(recovered)
}

fn take_in(shared: &Shared, head: Option<Epoch>, number: u32, found: Found, recovered: &mut Recovered) {
    match found {
        Found::Segment(segment, told) => {
            shared.segments.insert(segment);
            told.into_iter().for_each(|told| apply(shared, head, told, recovered));
        }
        Found::Useless => {
            recovered.n_discarded_files += 1;
            let _ = shared.files.remove(&file_name(number));
        }
        Found::Unreadable => {}
    }
}

/// A journal that had come further before, or a single stamp of another journal or from beyond this one's head, tells that
/// the journal is not the one that these responses were stored under: it was replaced, or set back to an earlier state. Then
/// invalidations may be missing that covered any of them. And the head will grow past those stamps again, so they must be
/// gone from the files by then.
fn discard_all(shared: &Shared, numbers: &[u32]) -> io::Result<()> {
    let entries: Vec<Arc<DiskEntry>> = shared.directory.iter().collect();
    for entry in entries {
        shared.directory.remove_if_same(&entry);
    }
    for &number in numbers {
        shared.segments.remove(number);
        match shared.files.remove(&file_name(number)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn apply(shared: &Shared, head: Option<Epoch>, told: Told, recovered: &mut Recovered) {
    match told {
        Told::Response(entry, oldest_segment) => {
            if !head.is_some_and(|head| head.satisfies(entry.stamp().as_of())) {
                recovered.n_foreign += 1;
                shared.directory.remove(entry.key());
            } else if shared.segments.has(oldest_segment) {
                shared.directory.insert(entry);
            } else {
                shared.directory.remove(entry.key());
            }
        }
        Told::Removal(key) => {
            shared.directory.remove(&key);
        }
    }
}

/// What a line comes to. Made by whoever reads it: one thread takes in what many have read.
enum Told {
    /// A response, and the oldest segment that it needs.
    Response(Arc<DiskEntry>, u32),
    Removal(Box<[u8]>),
}

impl From<Line> for Told {
    fn from(line: Line) -> Told {
        match line {
            Line::Response {
                key,
                as_of,
                tags,
                body_bytes,
                place,
            } => {
                let entry = DiskEntry::unwritten(key, tags, as_of, body_bytes);
                entry.put_at(place);
                Told::Response(Arc::new(entry), place.oldest_segment)
            }
            Line::Removal(key) => Told::Removal(key),
        }
    }
}

enum Found {
    Segment(Arc<Segment>, Vec<Told>),
    /// Not a segment that this program can use.
    Useless,
    /// The disk gave an error; it may give another answer at the next start.
    Unreadable,
}

fn read_segment(files: &dyn Files, number: u32) -> Found {
    match try_read_segment(files, number) {
        Ok(found) => found,
        Err(error) => {
            tracing::warn!(segment = number, %error, "a segment of the disk tier cannot be read");
            Found::Unreadable
        }
    }
}

fn try_read_segment(files: &dyn Files, number: u32) -> io::Result<Found> {
    let file = files.open(&file_name(number))?;
    let file_bytes = file.bytes()?;
    if file_bytes < SEGMENT_HEADER_BYTES as u64 {
        return Ok(Found::Useless);
    }
    let mut header = [0; SEGMENT_HEADER_BYTES];
    file.read_at(&mut header, 0)?;
    let id = match read_segment_header(&header) {
        Ok(id) if id.number == number => id,
        Ok(_) | Err(NotASegment::Damaged) => {
            tracing::warn!(
                segment = number,
                "a segment of the disk tier is damaged; it is discarded"
            );
            return Ok(Found::Useless);
        }
        Err(NotASegment::Format(found)) => {
            tracing::warn!(
                segment = number,
                found,
                "a segment of the disk tier has another format; it is discarded"
            );
            return Ok(Found::Useless);
        }
    };
    let segment = Segment::new(id, file, file_bytes);
    if let Some(lines) = read_list(&segment)? {
        return Ok(found(segment, lines));
    }
    let (lines, end) = scan(&segment)?;
    // A list saves the next start the scan. The tail that was torn off must not be taken for its end.
    let listed = segment
        .file
        .truncate(end)
        .and_then(|()| write_list(&segment, end, lines.iter().cloned()));
    segment.set_bytes(listed.unwrap_or(end));
    Ok(found(segment, lines))
}

fn found(segment: Segment, lines: Vec<Line>) -> Found {
    Found::Segment(Arc::new(segment), lines.into_iter().map(Told::from).collect())
}

/// The list at the end of a sealed segment; `None` if it was not sealed, or the list is damaged.
fn read_list(segment: &Segment) -> io::Result<Option<Vec<Line>>> {
    let Some(trailer_offset) = segment.bytes().checked_sub(TRAILER_BYTES as u64) else {
        return Ok(None);
    };
    let mut trailer = [0; TRAILER_BYTES];
    segment.file.read_at(&mut trailer, trailer_offset)?;
    let Some(trailer) = read_trailer(&trailer, segment.id) else {
        return Ok(None);
    };
    if trailer.list_offset.checked_add(u64::from(trailer.list_bytes)) != Some(trailer_offset) {
        return Ok(None);
    }
    let mut list = vec![0; trailer.list_bytes as usize];
    segment.file.read_at(&mut list, trailer.list_offset)?;
    Ok(trailer
        .covers(&list, segment.id)
        .then(|| read_lines(&list, segment.id.number))
        .flatten())
}

/// Reads all records' heads, up to the first that is not whole. Gives what they say and where they end.
fn scan(segment: &Segment) -> io::Result<(Vec<Line>, u64)> {
    let mut lines = Vec::new();
    let mut offset = SEGMENT_HEADER_BYTES as u64;
    while let Some((header, meta)) = read_head(segment, offset)? {
        match header.kind {
            Kind::Response => {
                let Some(meta) = meta::decode(&meta) else { break };
                let number = segment.id.number;
                let oldest = meta.slices.iter().map(|slice| slice.segment).min().unwrap_or(number);
                let place = Place {
                    segment: number,
                    offset: u32::try_from(offset).unwrap_or(u32::MAX),
                    meta_bytes: header.meta_bytes,
                    body_bytes: header.body_bytes,
                    oldest_segment: oldest,
                };
                let tags = meta.tag_header.map(|header| Box::new(TagField::of(&meta.head, header)));
                lines.push(Line::Response {
                    key: meta.key[..].into(),
                    as_of: meta.as_of,
                    tags,
                    body_bytes: meta.body_bytes,
                    place,
                });
            }
            Kind::Slice => {}
            Kind::Removal => lines.push(Line::Removal(meta[..].into())),
        }
        offset += header.record_bytes();
    }
    Ok((lines, offset))
}

/// A record's header and meta part, checked; `None` if there is none at `offset`, or the record does not fit the file.
fn read_head(segment: &Segment, offset: u64) -> io::Result<Option<(RecordHeader, Bytes)>> {
    let fits = |bytes: u64| offset + bytes <= segment.bytes();
    let mut header = vec![0; RECORD_HEADER_BYTES];
    if !fits(RECORD_HEADER_BYTES as u64) {
        return Ok(None);
    }
    segment.file.read_at(&mut header, offset)?;
    let Some(read) = RecordHeader::read(&header).filter(|read| fits(read.record_bytes())) else {
        return Ok(None);
    };
    header.resize(RECORD_HEADER_BYTES + read.meta_bytes as usize, 0);
    segment
        .file
        .read_at(&mut header[RECORD_HEADER_BYTES..], offset + RECORD_HEADER_BYTES as u64)?;
    let head = Bytes::from(header);
    Ok(read
        .covers(&head, segment.id)
        .then(|| (read, head.slice(RECORD_HEADER_BYTES..))))
}

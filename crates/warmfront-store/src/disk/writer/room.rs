//! What goes when there is no room for what comes.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use warmfront_invalidation::Stamped;

use super::{BATCH_BYTES, Writer};
use crate::disk::Shared;
use crate::disk::directory::{DiskEntry, Place};
use crate::disk::meta;
use crate::disk::read::ResponseRecord;
use crate::disk::record::{Kind, RECORD_HEADER_BYTES};
use crate::disk::segments::{Segment, file_name};

impl Writer {
    /// Gives up the oldest segments until the newest one, `newest`, may be filled.
    pub(super) fn make_room(&mut self, newest: u32) -> io::Result<()> {
        let limits = self.shared.limits;
        let is_too_much = |shared: &Shared| {
            shared.segments.bytes() + limits.segment_bytes > limits.disk_bytes
                || shared.segments.len() > limits.segments_max
                || shared.directory.memory_bytes() > limits.directory_bytes_max
        };
        while is_too_much(&self.shared) {
            match self.shared.segments.oldest() {
                Some(oldest) if oldest.id.number != newest => self.give_up_segment(&oldest)?,
                _ => break,
            }
        }
        Ok(())
    }

    /// Removes a segment. What someone has asked for since it was written moves on, up to a quarter of a segment.
    fn give_up_segment(&mut self, oldest: &Arc<Segment>) -> io::Result<()> {
        let shared = Arc::clone(&self.shared);
        let number = oldest.id.number;
        for entry in shared.directory.iter() {
            let Some(place) = entry.place() else { continue };
            if place.segment != number && place.oldest_segment != number {
                continue;
            }
            let is_wanted = entry.was_asked_for() || (shared.is_hot)(entry.key());
            let carried = is_wanted && place.segment == place.oldest_segment && self.carry(oldest, &entry, place)?;
            if !carried && shared.directory.remove_if_same(&entry) {
                shared.figures.n_evicted.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.flush()?;
        shared.segments.remove(number);
        if let Err(error) = shared.files.remove(&file_name(number)) {
            tracing::warn!(segment = number, %error, "a segment of the disk tier cannot be removed");
        }
        Ok(())
    }

    /// Appends an old record again, with the as-of that the response has reached. False: there is no room, or it is damaged.
    fn carry(&mut self, segment: &Segment, entry: &Arc<DiskEntry>, place: Place) -> io::Result<bool> {
        let record_bytes = RECORD_HEADER_BYTES as u64 + u64::from(place.meta_bytes) + u64::from(place.body_bytes);
        let carried_max = self.shared.limits.segment_bytes / 4;
        let Some(active) = &mut self.active else {
            return Ok(false);
        };
        if active.carried_bytes + record_bytes > carried_max {
            return Ok(false);
        }
        let record = ResponseRecord::room(segment, place).and_then(|room| room.read(segment, place));
        let Some(record) = record else { return Ok(false) };
        let mut meta = record.meta().to_vec();
        active.carried_bytes += record_bytes;
        meta::restamp(&mut meta, entry.stamp().as_of());
        let (segment, offset) = self.append(Kind::Response, &meta, &record.body())?;
        let moved = Place {
            segment,
            offset,
            oldest_segment: segment,
            ..place
        };
        self.batch.responses.push((Arc::clone(entry), moved));
        if self.batch.bytes.len() >= BATCH_BYTES {
            self.flush()?;
        }
        Ok(true)
    }

    /// What cannot be marked as superseded must not come back: nothing does.
    pub(super) fn give_everything_up(&mut self) {
        tracing::warn!("the disk tier cannot be written; what it holds is given up");
        while let Some(segment) = self.shared.segments.oldest() {
            self.shared.segments.remove(segment.id.number);
            let _ = segment.file.truncate(0);
            let _ = self.shared.files.remove(&file_name(segment.id.number));
        }
    }

    /// The disk holds less than was said: the oldest segment goes.
    pub(super) fn give_room_back(&mut self) {
        let active = self.active.as_ref().map(|active| active.segment.id.number);
        let Some(oldest) = self
            .shared
            .segments
            .oldest()
            .filter(|oldest| Some(oldest.id.number) != active)
        else {
            return;
        };
        let number = oldest.id.number;
        let needs = |place: Place| place.segment == number || place.oldest_segment == number;
        for entry in self
            .shared
            .directory
            .iter()
            .filter(|entry| entry.place().is_some_and(needs))
        {
            self.shared.directory.remove_if_same(&entry);
        }
        self.shared.segments.remove(number);
        let _ = self.shared.files.remove(&file_name(number));
    }
}

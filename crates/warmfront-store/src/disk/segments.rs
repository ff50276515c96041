use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;

use super::record::SegmentId;
use crate::files::SegmentFile;

/// A segment: a file that is only ever appended to, and removed whole.
pub(crate) struct Segment {
    pub(super) id: SegmentId,
    pub(super) file: Box<dyn SegmentFile>,
    /// How many bytes of it count.
    bytes: AtomicU64,
}

impl Segment {
    pub(super) fn new(id: SegmentId, file: Box<dyn SegmentFile>, bytes: u64) -> Segment {
        Segment {
            id,
            file,
            bytes: AtomicU64::new(bytes),
        }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(super) fn set_bytes(&self, bytes: u64) {
        self.bytes.store(bytes, Ordering::Relaxed);
    }
}

impl std::fmt::Debug for Segment {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Segment({})", self.id.number)
    }
}

/// The segments there are, by number: a higher number is newer.
#[derive(Debug, Default)]
pub(super) struct Segments(RwLock<BTreeMap<u32, Arc<Segment>>>);

impl Segments {
    pub(super) fn get(&self, number: u32) -> Option<Arc<Segment>> {
        self.0.read().get(&number).cloned()
    }

    pub(super) fn has(&self, number: u32) -> bool {
        self.0.read().contains_key(&number)
    }

    pub(super) fn insert(&self, segment: Arc<Segment>) {
        self.0.write().insert(segment.id.number, segment);
    }

    pub(super) fn remove(&self, number: u32) {
        self.0.write().remove(&number);
    }

    pub(super) fn oldest(&self) -> Option<Arc<Segment>> {
        self.0.read().first_key_value().map(|(_, segment)| Arc::clone(segment))
    }

    pub(super) fn newest_number(&self) -> u32 {
        self.0.read().last_key_value().map_or(0, |(number, _)| *number)
    }

    pub(super) fn len(&self) -> usize {
        self.0.read().len()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.0.read().values().map(|segment| segment.bytes()).sum()
    }
}

/// A segment's file.
pub(super) fn file_name(number: u32) -> String {
    format!("segment-{number:08x}")
}

/// The number in a segment's file name; `None` for other files.
pub(super) fn file_number(name: &str) -> Option<u32> {
    let number = u32::from_str_radix(name.strip_prefix("segment-")?, 16).ok()?;
    (file_name(number) == name).then_some(number)
}

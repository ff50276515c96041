use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use warmfront_invalidation::{Proven, Stamp, Stamped};
use warmfront_model::{Epoch, Timestamp};

use crate::body::Contents;
use crate::memory::{SHARED_BYTES, allocated};
use crate::{Body, BodyReader, DiskEntry, Head, StoredHead};

/// A response that can answer more than the request that fetched it.
#[derive(Debug)]
pub struct StoredResponse {
    head: StoredHead,
    stamp: Stamp,
    /// The field that its cache tags were in when it came. Few have one: it may take more, so that the others take less.
    tag_header: Option<Box<Arc<str>>>,
    body: Body,
    origin_failed_until_ms: AtomicI64,
    /// What it is on disk.
    disk: ArcSwapOption<DiskEntry>,
}

impl StoredResponse {
    /// A response whose fetch was planned at `as_of`. `tag_header` is the field that its distribution has the cache tags
    /// in, in lower case: of what is on disk, this field's value is known without reading.
    pub fn new(head: Head, as_of: Epoch, tag_header: Option<Arc<str>>, body: Body) -> StoredResponse {
        StoredResponse::of_parts(head.into(), as_of, tag_header, body)
    }

    /// A response whose head is as it is stored.
    pub(crate) fn of_parts(head: StoredHead, as_of: Epoch, tag_header: Option<Arc<str>>, body: Body) -> StoredResponse {
        StoredResponse {
            head,
            stamp: Stamp::new(as_of),
            tag_header: tag_header.map(Box::new),
            body,
            origin_failed_until_ms: AtomicI64::new(i64::MIN),
            disk: ArcSwapOption::empty(),
        }
    }

    /// It was read from `entry`, or will be written as it.
    pub(crate) fn written_as(&self, entry: Arc<DiskEntry>) {
        self.disk.store(Some(entry));
    }

    /// What it is on disk, if anything.
    pub(crate) fn disk_entry(&self) -> Option<Arc<DiskEntry>> {
        self.disk.load_full()
    }

    /// The field that its cache tags were in when it came.
    pub(crate) fn tag_header(&self) -> Option<&Arc<str>> {
        self.tag_header.as_deref()
    }

    pub(crate) fn body(&self) -> &Body {
        &self.body
    }

    /// Whether its body is in memory.
    pub(crate) fn is_in_memory(&self) -> bool {
        matches!(self.body.contents(), Contents::Memory(_))
    }

    /// The same response with another body: the whole one, now that it has arrived.
    /// It has the as-of that this one has reached.
    pub fn with_body(&self, body: Body) -> StoredResponse {
        StoredResponse::of_parts(
            self.head.unshared(),
            self.stamp.as_of(),
            self.tag_header().cloned(),
            body,
        )
    }

    /// The same body under a new head and as-of: what a 304 makes of it.
    pub fn confirmed(&self, head: Head, as_of: Epoch) -> StoredResponse {
        StoredResponse::of_parts(head.into(), as_of, self.tag_header().cloned(), self.body.clone())
    }

    /// The head. Looking at it proves nothing; sending it needs the proof that [`StoredResponse::open`] asks for.
    pub fn head(&self) -> &StoredHead {
        &self.head
    }

    /// Opens the body of a response that is not covered.
    /// `None` if it is arriving, is too long to be kept, and its beginning is gone: it must be fetched again.
    pub fn open(proven: &Proven<StoredResponse>) -> Option<BodyReader> {
        proven.body.open()
    }

    /// The body of a response that is not covered, if it lies in memory.
    pub fn slices(proven: &Proven<StoredResponse>) -> Option<&[Bytes]> {
        match proven.body.contents() {
            Contents::Memory(slices) => Some(slices),
            Contents::Disk(_) | Contents::Arriving => None,
        }
    }

    /// The length of the body in bytes, if all of it has arrived.
    pub fn body_bytes(&self) -> Option<u64> {
        self.body.bytes()
    }

    /// The origin failed while this was stale: it is not asked again before `until`.
    ///
    /// Source: CloudFront Developer Guide, "How CloudFront processes and caches HTTP 4xx and 5xx status codes".
    pub fn origin_failed(&self, until: Timestamp) {
        self.origin_failed_until_ms.fetch_max(until.0, Ordering::Relaxed);
    }

    /// Whether the origin failed lately and is to be left alone at `now`.
    pub fn leaves_origin_alone(&self, now: Timestamp) -> bool {
        now.0 < self.origin_failed_until_ms.load(Ordering::Relaxed)
    }

    /// How many bytes of memory this takes besides its key.
    pub(crate) fn memory_bytes(&self) -> u64 {
        // The counts of an Arc, and the place in `quick_cache`: a slab entry with its links and the map's slot.
        const COUNTS_BYTES: usize = 16;
        const PLACE_BYTES: u64 = 72;
        let own = allocated(size_of::<StoredResponse>() + COUNTS_BYTES) + PLACE_BYTES;
        let fields = allocated(self.head.fields_bytes()) + SHARED_BYTES;
        own + fields + self.body.memory_bytes()
    }
}

impl Stamped for StoredResponse {
    fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    fn field_values<'a>(&'a self, name: &str) -> Option<impl Iterator<Item = &'a [u8]>> {
        Some(self.head.values(name))
    }
}

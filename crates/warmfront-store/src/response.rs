use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, StatusCode};
use warmfront_caching::Lifetime;
use warmfront_invalidation::{Proven, Stamp, Stamped};
use warmfront_model::{CacheTag, Epoch, Timestamp};

use crate::body::Contents;
use crate::{Body, BodyReader, DiskEntry};

/// Everything of a response but its body, ready to be sent.
#[derive(Clone, Debug)]
pub struct Head {
    /// The status.
    pub status: StatusCode,
    /// The fields that every viewer gets; what differs by viewer (Age, X-Cache) is added on the way.
    pub headers: HeaderMap,
    /// How long it may be used.
    pub lifetime: Lifetime,
    /// When it was received, or last confirmed by a 304.
    pub response_time: Timestamp,
}

impl Head {
    /// The same in as little memory as it takes: values that were read from a connection share its whole buffer.
    fn compact(&self) -> Head {
        let mut values = BytesMut::with_capacity(self.headers.values().map(HeaderValue::len).sum());
        self.headers
            .values()
            .for_each(|value| values.extend_from_slice(value.as_bytes()));
        let mut values: Bytes = values.freeze();
        let mut headers = HeaderMap::with_capacity(self.headers.len());
        for (name, value) in &self.headers {
            let copy = values.split_to(value.len());
            headers.append(
                name,
                HeaderValue::from_maybe_shared(copy).unwrap_or_else(|_| value.clone()),
            );
        }
        Head {
            headers,
            ..self.clone()
        }
    }
}

/// A response that can answer more than the request that fetched it.
#[derive(Debug)]
pub struct StoredResponse {
    head: Arc<Head>,
    stamp: Stamp,
    tags: Arc<[CacheTag]>,
    body: Body,
    origin_failed_until_ms: AtomicI64,
    /// What it is on disk.
    disk: OnceLock<Arc<DiskEntry>>,
}

impl StoredResponse {
    /// A response whose fetch was planned at `as_of`.
    pub fn new(head: Head, as_of: Epoch, tags: Arc<[CacheTag]>, body: Body) -> StoredResponse {
        StoredResponse {
            head: Arc::new(head),
            stamp: Stamp::new(as_of),
            tags,
            body,
            origin_failed_until_ms: AtomicI64::new(i64::MIN),
            disk: OnceLock::new(),
        }
    }

    /// It was read from `entry`, or will be written as it.
    pub(crate) fn written_as(&self, entry: Arc<DiskEntry>) {
        let _ = self.disk.set(entry);
    }

    /// What it is on disk, if anything.
    pub(crate) fn disk_entry(&self) -> Option<&Arc<DiskEntry>> {
        self.disk.get()
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
        StoredResponse {
            head: Arc::new(self.head.compact()),
            stamp: Stamp::new(self.stamp.as_of()),
            tags: Arc::clone(&self.tags),
            body,
            origin_failed_until_ms: AtomicI64::new(i64::MIN),
            disk: OnceLock::new(),
        }
    }

    /// The same body under a new head and as-of: what a 304 makes of it.
    pub fn confirmed(&self, head: Head, as_of: Epoch) -> StoredResponse {
        StoredResponse::new(head.compact(), as_of, Arc::clone(&self.tags), self.body.clone())
    }

    /// The head. Looking at it proves nothing; sending it needs the proof that [`StoredResponse::open`] asks for.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Opens the body of a response that is not covered.
    /// `None` if it is arriving, is too long to be kept, and its beginning is gone: it must be fetched again.
    pub fn open(proven: &Proven<StoredResponse>) -> Option<BodyReader> {
        proven.body.open()
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

    /// About how many bytes of memory this takes besides its key.
    pub(crate) fn memory_bytes(&self) -> u64 {
        // http's map keeps room for more fields than it has; see `cargo xtask bench store` for the sums.
        const FIELD_BYTES: usize = 112;
        const TAG_BYTES: usize = 64;
        const BOOKKEEPING_BYTES: usize = 500;
        let headers = &self.head.headers;
        let values: usize = headers.values().map(HeaderValue::len).sum();
        let fields = headers.capacity() * FIELD_BYTES + values;
        let tags: usize = self.tags.iter().map(|tag| tag.as_str().len() + TAG_BYTES).sum();
        let body = if self.is_in_memory() { self.body.bytes() } else { None };
        body.unwrap_or(0) + (fields + tags + BOOKKEEPING_BYTES) as u64
    }
}

impl Stamped for StoredResponse {
    fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    fn tags(&self) -> &[CacheTag] {
        &self.tags
    }
}

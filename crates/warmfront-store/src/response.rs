use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use http::{HeaderMap, StatusCode};
use warmfront_caching::Lifetime;
use warmfront_invalidation::{Proven, Stamp, Stamped};
use warmfront_model::{CacheTag, Epoch, Timestamp};

use crate::{Body, BodyReader};

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

/// A response that can answer more than the request that fetched it.
#[derive(Debug)]
pub struct StoredResponse {
    head: Arc<Head>,
    stamp: Stamp,
    tags: Arc<[CacheTag]>,
    body: Body,
    origin_failed_until_ms: AtomicI64,
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
        }
    }

    /// The same response with another body: the whole one, now that it has arrived.
    /// It has the as-of that this one has reached.
    pub fn with_body(&self, body: Body) -> StoredResponse {
        StoredResponse {
            head: Arc::clone(&self.head),
            stamp: Stamp::new(self.stamp.as_of()),
            tags: Arc::clone(&self.tags),
            body,
            origin_failed_until_ms: AtomicI64::new(i64::MIN),
        }
    }

    /// The same body under a new head and as-of: what a 304 makes of it.
    pub fn confirmed(&self, head: Head, as_of: Epoch) -> StoredResponse {
        StoredResponse::new(head, as_of, Arc::clone(&self.tags), self.body.clone())
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
        const FIELD_BYTES: usize = 64;
        const BOOKKEEPING_BYTES: usize = 400;
        let fields: usize = self
            .head
            .headers
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len() + FIELD_BYTES)
            .sum();
        let tags: usize = self.tags.iter().map(|tag| tag.as_str().len() + FIELD_BYTES).sum();
        self.body.bytes().unwrap_or(0) + (fields + tags + BOOKKEEPING_BYTES) as u64
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

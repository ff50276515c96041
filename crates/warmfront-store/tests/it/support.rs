use std::future::poll_fn;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, ETAG};
use http::{HeaderMap, HeaderValue, StatusCode};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use warmfront_caching::{FreshnessRule, Lifetime};
use warmfront_invalidation::{Index, InvalidationItem, Names, NormalUrl};
use warmfront_model::{DistributionId, Epoch, Incarnation, Revision, Timestamp};
use warmfront_store::{
    Body, BodyReader, DiskOptions, Files, Head, Recovered, Store, StoredHead, StoredResponse, Truncated,
};

pub const MIB: u64 = 1024 * 1024;
pub const DISK_BYTES: u64 = 64 * MIB;
pub const INCARNATION: Incarnation = Incarnation(7);

pub fn epoch(revision: u64) -> Epoch {
    Epoch {
        incarnation: INCARNATION,
        revision: Revision(revision),
    }
}

pub fn distribution() -> DistributionId {
    DistributionId::parse("E1U5RQF7T870K0").unwrap()
}

/// The bytes of one version of an object: no two slices of it, and no two versions, are alike.
pub fn content(seed: u64, length: usize) -> Bytes {
    const PERIOD: usize = 4_093;
    let mut rng = StdRng::seed_from_u64(seed);
    let mut bytes = [0; PERIOD];
    rng.fill(&mut bytes[..]);
    let mut bytes = bytes.repeat(length / PERIOD + 1);
    bytes.truncate(length);
    bytes.into()
}

pub fn head(etag: u64) -> Head {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(ETAG, HeaderValue::from_str(&format!("\"{etag}\"")).unwrap());
    headers.append("x-two", HeaderValue::from_static("first"));
    headers.append("x-two", HeaderValue::from_static("second"));
    headers.insert(TAG_HEADER, HeaderValue::from_static("other, Product:1"));
    Head {
        status: StatusCode::OK,
        headers,
        lifetime: Lifetime {
            fresh_secs: 60,
            rule: FreshnessRule::MaxAge,
            stale_while_revalidate_secs: 1,
            stale_if_error_secs: 2,
            initial_age_secs: 3,
        },
        response_time: Timestamp(1_700_000_000_123),
    }
}

/// CacheTagConfig.HeaderName of the distribution.
pub const TAG_HEADER: &str = "x-amz-meta-cache-tag";

pub fn response(as_of: Epoch, version: u64, body: Bytes) -> Arc<StoredResponse> {
    let head = head(version);
    let slices = body.chunks(65_536).map(Bytes::copy_from_slice).collect();
    Arc::new(StoredResponse::new(
        head,
        as_of,
        Some(TAG_HEADER.into()),
        Body::whole(slices),
    ))
}

pub fn open(memory_bytes: u64, files: impl Files, head: Epoch) -> (Store, Recovered) {
    open_sized(memory_bytes, DISK_BYTES, files, head)
}

pub fn open_sized(memory_bytes: u64, disk_bytes: u64, files: impl Files, head: Epoch) -> (Store, Recovered) {
    let options = DiskOptions {
        files: Box::new(files),
        bytes: disk_bytes,
        head,
    };
    Store::open(memory_bytes, options).unwrap()
}

pub fn names(key: &[u8]) -> Names<'_> {
    Names::new(key).or_tags_in(Some(TAG_HEADER))
}

pub fn item(key: &[u8]) -> InvalidationItem {
    InvalidationItem::Exact(NormalUrl::new(key))
}

/// What the store has under `key` that `index` does not cover, wherever it is: as-of, head and body.
///
/// `Some(Err)`: it broke off while it was read.
pub async fn look_up(
    store: &Store,
    index: &Index,
    key: &[u8],
) -> Option<Result<(Epoch, StoredHead, Vec<u8>), Truncated>> {
    let proven = if let Some(response) = store.get(key) {
        index.check(&distribution(), response, || names(key)).ok()?
    } else {
        let entry = store.get_on_disk(key)?;
        let entry = index.check(&distribution(), entry, || names(key)).ok()?;
        let response = store.load(entry.shared()).await?;
        index.check(&distribution(), response, || names(key)).ok()?
    };
    let reader = StoredResponse::open(&proven)?;
    let as_of = warmfront_invalidation::Stamped::stamp(&*proven).as_of();
    Some(read(reader).await.map(|body| (as_of, proven.head().clone(), body)))
}

pub async fn read(mut reader: BodyReader) -> Result<Vec<u8>, Truncated> {
    let mut bytes = Vec::new();
    while let Some(slice) = poll_fn(|context| reader.poll_next(context)).await {
        bytes.extend_from_slice(&slice?);
    }
    Ok(bytes)
}

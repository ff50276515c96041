//! What the store's measurements have in common.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use warmfront_caching::{FreshnessRule, Lifetime};
use warmfront_model::Timestamp;
use warmfront_store::{Head, abbreviate};

pub const MIB: u64 = 1024 * 1024;

/// What the edge stores for an object of a bucket, whose body has `bytes`: seven fields of the origin's and five of its own.
pub fn head(bytes: u64) -> Head {
    const FIELDS: [(&str, &str); 11] = [
        ("content-type", "text/html; charset=utf-8"),
        ("etag", "\"5eb63bbbe01eeed093cb22bb8f5acdc3\""),
        ("last-modified", "Sun, 22 Nov 2026 10:00:00 GMT"),
        ("cache-control", "public, max-age=86400"),
        ("date", "Sun, 22 Nov 2026 10:00:01 GMT"),
        ("server", "AmazonS3"),
        ("age", "0"),
        ("x-cache", "Hit from cloudfront"),
        ("via", "1.1 warmfront (CloudFront)"),
        ("x-amz-cf-pop", "LOC50-P1"),
        ("x-amz-cf-id", ""),
    ];
    let mut headers: HeaderMap = FIELDS
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .collect();
    for own in ["via", "x-amz-cf-pop"] {
        abbreviate(&HeaderName::from_static(own), &headers[own]);
    }
    headers.insert("content-length", HeaderValue::from(bytes));
    Head {
        status: StatusCode::OK,
        headers,
        lifetime: Lifetime {
            fresh_secs: 86_400,
            rule: FreshnessRule::MaxAge,
            stale_while_revalidate_secs: 0,
            stale_if_error_secs: 0,
            initial_age_secs: 0,
        },
        response_time: Timestamp(0),
    }
}

/// A line of `/proc/self/status`, such as `VmRSS:`, in bytes.
pub fn memory_of_process(label: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(label))
        .unwrap_or_default();
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().unwrap_or(0);
    kib * 1024
}

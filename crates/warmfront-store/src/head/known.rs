//! Names and whole fields that responses often have: one byte stands for each. The numbers live in memory only.

use std::sync::OnceLock;

use http::{HeaderName, HeaderValue, header};

/// The first number of a whole field; lower ones are names.
pub(super) const PAIRS_FROM: u8 = 128;

macro_rules! names {
    ($($name:literal),* $(,)?) => { [$(HeaderName::from_static($name)),*] };
}

macro_rules! pairs {
    ($($name:literal: $value:literal),* $(,)?) => {
        [$((HeaderName::from_static($name), HeaderValue::from_static($value))),*]
    };
}

/// Those of RFC 9110 and 9111, of the Fetch standard, of S3 (API Reference, GetObject) and CloudFront.
pub(super) static NAMES: [HeaderName; 72] = names![
    "accept-ranges",
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-expose-headers",
    "access-control-max-age",
    "age",
    "allow",
    "alt-svc",
    "cache-control",
    "cache-status",
    "cache-tag",
    "cdn-cache-control",
    "clear-site-data",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-length",
    "content-location",
    "content-range",
    "content-security-policy",
    "content-security-policy-report-only",
    "content-type",
    "cross-origin-embedder-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "date",
    "etag",
    "expires",
    "last-modified",
    "link",
    "location",
    "nel",
    "origin-agent-cluster",
    "permissions-policy",
    "pragma",
    "referrer-policy",
    "report-to",
    "reporting-endpoints",
    "retry-after",
    "server",
    "server-timing",
    "set-cookie",
    "sourcemap",
    "strict-transport-security",
    "surrogate-control",
    "surrogate-key",
    "timing-allow-origin",
    "vary",
    "via",
    "x-amz-cf-id",
    "x-amz-cf-pop",
    "x-amz-checksum-crc32",
    "x-amz-checksum-crc64nvme",
    "x-amz-checksum-sha256",
    "x-amz-checksum-type",
    "x-amz-id-2",
    "x-amz-meta-cache-tag",
    "x-amz-meta-tags",
    "x-amz-mp-parts-count",
    "x-amz-replication-status",
    "x-amz-request-id",
    "x-amz-server-side-encryption",
    "x-amz-storage-class",
    "x-amz-version-id",
    "x-cache",
    "x-content-type-options",
    "x-frame-options",
    "x-powered-by",
    "x-robots-tag",
    "x-xss-protection",
];

/// Fields that are the same in many responses.
pub(super) static PAIRS: [(HeaderName, HeaderValue); 25] = pairs![
    "accept-ranges": "bytes",
    "access-control-allow-origin": "*",
    "age": "0",
    "cache-control": "public, max-age=31536000, immutable",
    "content-encoding": "br",
    "content-encoding": "gzip",
    "content-encoding": "zstd",
    "content-type": "application/javascript",
    "content-type": "application/json",
    "content-type": "image/jpeg",
    "content-type": "image/png",
    "content-type": "image/svg+xml",
    "content-type": "image/webp",
    "content-type": "text/css",
    "content-type": "text/css; charset=utf-8",
    "content-type": "text/html",
    "content-type": "text/html; charset=utf-8",
    "content-type": "text/javascript",
    "content-type": "text/javascript; charset=utf-8",
    "server": "AmazonS3",
    "vary": "accept-encoding",
    "vary": "Accept-Encoding",
    "x-amz-cf-id": "",
    "x-amz-server-side-encryption": "AES256",
    "x-cache": "Hit from cloudfront",
];

/// A field that differs from response to response is not looked for.
pub(super) fn pair_number(name: &HeaderName, value: &HeaderValue) -> Option<u8> {
    if matches!(
        *name,
        header::DATE | header::ETAG | header::LAST_MODIFIED | header::CONTENT_LENGTH
    ) {
        return None;
    }
    let is_it = |pair: &(HeaderName, HeaderValue)| pair.0 == *name && pair.1 == *value;
    let own = || OWN_PAIRS.iter().map_while(OnceLock::get).position(is_it);
    number(PAIRS.iter().position(is_it).or_else(|| Some(PAIRS.len() + own()?)))
}

/// The field that [`pair_number`] gave the number of.
pub(super) fn pair(number: u8) -> Option<&'static (HeaderName, HeaderValue)> {
    let number = usize::from(number);
    PAIRS
        .get(number)
        .or_else(|| OWN_PAIRS.get(number.checked_sub(PAIRS.len())?)?.get())
}

/// Fields that this process puts into all its responses, as far as there is room; they are never forgotten.
pub(super) static OWN_PAIRS: [OnceLock<(HeaderName, HeaderValue)>; 32] = [const { OnceLock::new() }; 32];

/// Has a field that all responses of a node have take one byte in each that is stored from now on. Of so many nodes in one
/// process that there is no room for all, those of the last take what they are long.
pub fn abbreviate(name: &HeaderName, value: &HeaderValue) {
    let pair = (name.clone(), value.clone());
    for place in &OWN_PAIRS {
        if *place.get_or_init(|| pair.clone()) == pair {
            return;
        }
    }
}

pub(super) fn name_number(name: &HeaderName) -> Option<u8> {
    number(NAMES.iter().position(|known| known == name))
}

fn number(position: Option<usize>) -> Option<u8> {
    u8::try_from(position?).ok()
}

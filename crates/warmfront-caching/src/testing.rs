//! What the tables of all tests are written with.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use warmfront_model::{AcceptEncoding, Behavior, KeyPart, MethodSet, Timestamp, TtlBounds, ViewerProtocolPolicy};

use crate::{Asked, Rules, Switches};

/// 1994-11-06T08:49:37Z, the moment that RFC 9110 writes its dates with.
pub(crate) const NOW: Timestamp = Timestamp(784_111_777_000);

/// One header per line, `name: value`.
pub(crate) fn headers(lines: &str) -> HeaderMap {
    let mut map = HeaderMap::new();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').unwrap();
        map.append(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_str(value.trim()).unwrap(),
        );
    }
    map
}

/// The headers back as sorted lines.
pub(crate) fn lines(headers: &HeaderMap) -> Vec<String> {
    let line = |(name, value): (&HeaderName, &HeaderValue)| format!("{name}: {}", value.to_str().unwrap());
    let mut lines: Vec<String> = headers.iter().map(line).collect();
    lines.sort();
    lines
}

pub(crate) fn after_secs(secs: i64) -> Timestamp {
    Timestamp(NOW.0 + secs * 1000)
}

pub(crate) fn ttl(min_secs: u64, default_secs: u64, max_secs: u64) -> TtlBounds {
    TtlBounds {
        min_secs,
        default_secs,
        max_secs,
    }
}

pub(crate) fn only(names: &[&str]) -> KeyPart {
    KeyPart::Whitelist(names.iter().map(|&name| Arc::from(name)).collect())
}

/// MinTTL 0, DefaultTTL 86400, MaxTTL 31536000; nothing but the path in the key; a custom origin.
pub(crate) fn rules() -> Rules<'static> {
    Rules {
        ttl: ttl(0, 86_400, 31_536_000),
        cached_methods: MethodSet::GetHead,
        headers: &KeyPart::None,
        cookies: &KeyPart::None,
        origin_request_policy: None,
        accept_encoding: AcceptEncoding::default(),
        s3_origin: false,
        error_caching_min_ttl_secs: 10,
        switches: Switches::AWS,
    }
}

/// [`rules`] in the profile `edge`.
pub(crate) fn edge_rules() -> Rules<'static> {
    Rules {
        switches: Switches::EDGE,
        ..rules()
    }
}

/// A request without headers that matter.
pub(crate) fn asked(method: &Method) -> Asked<'_> {
    Asked {
        method,
        authorization: false,
        no_store: false,
    }
}

/// The behavior that [`rules`] are of, with a cache policy.
pub(crate) fn behavior() -> Behavior {
    Behavior {
        path_pattern: "*".into(),
        origin: 0,
        viewer_protocol_policy: ViewerProtocolPolicy::AllowAll,
        allowed_methods: MethodSet::All,
        cached_methods: MethodSet::GetHead,
        compress: false,
        ttl: rules().ttl,
        headers: KeyPart::None,
        cookies: KeyPart::None,
        query_strings: KeyPart::None,
        forward_whole_query: false,
        forward_other_headers: false,
        accept_encoding: AcceptEncoding::default(),
        origin_request_policy: None,
        response_headers_policy: None,
    }
}

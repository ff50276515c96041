mod cors;

use std::time::Duration;

use http::header::{DATE, HeaderName, HeaderValue, PRAGMA, SERVER};
use http::{HeaderMap, Method};
use warmfront_http::format_http_date;
use warmfront_model::{ResponseHeadersPolicy, SamplingRate, Timestamp};

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// What an answer is given to, and how it came about.
#[derive(Clone, Copy, Debug)]
pub struct Answered<'a> {
    /// The request's method.
    pub method: &'a Method,
    /// The request's headers.
    pub viewer: &'a HeaderMap,
    /// When it is answered.
    pub now: Timestamp,
    /// A value that is evenly distributed over all of its range, drawn for this answer.
    pub random: u32,
    /// Where the response came from.
    pub served: Served,
    /// How long the origin took, if this edge asked it for this answer.
    pub upstream: Option<Upstream>,
    /// How long the answer took, from the request's head to its own, unless it was there at once.
    pub downstream: Option<Duration>,
    /// X-Amz-Cf-Pop.
    pub pop: &'a str,
    /// X-Amz-Cf-Id.
    pub request_id: &'a str,
}

/// Where a response came from, as Server-Timing says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Served {
    /// The cache: `cdn-cache-hit`.
    FromCache,
    /// The cache of a regional node: `cdn-cache-hit`, too.
    FromRegion,
    /// The cache, after the origin confirmed it: `cdn-cache-refresh`.
    Refreshed,
    /// The origin: `cdn-cache-miss`.
    FromOrigin,
}

/// How long the parts of a request to an origin took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// Finding its address; zero on a connection that was there.
    pub dns: Duration,
    /// Connecting, TLS included; zero on a connection that was there.
    pub connect: Duration,
    /// From then on until its answer's head was here.
    pub first_byte: Duration,
}

/// Changes the headers of an answer as its behavior's policy says: first what is removed, then CORS headers, Server-Timing,
/// security headers and custom headers.
///
/// Server and Date are never missing: where they are removed, the edge's own take their place.
/// Only an answer's headers are to be given, never those of a stored copy.
///
/// Source: CloudFront Developer Guide, "Understand response headers policies".
pub fn apply_response_headers_policy(policy: &ResponseHeadersPolicy, headers: &mut HeaderMap, answered: &Answered<'_>) {
    for name in &policy.remove {
        headers.remove(&**name);
        if **name == *SERVER.as_str() {
            headers.insert(SERVER, HeaderValue::from_static("CloudFront"));
        } else if **name == *DATE.as_str() {
            headers.insert(DATE, format_http_date(answered.now));
        }
    }
    if let Some(cors) = &policy.cors {
        cors::add(cors, policy, headers, answered);
    }
    if let Some(rate) = policy.server_timing
        && is_timed(rate, answered)
        && let Some(value) = server_timing(answered)
    {
        headers.append(SERVER_TIMING, value);
    }
    for header in &policy.headers {
        set(headers, &header.name, &header.value, header.r#override);
    }
}

/// Sets a header unless the origin's stays. What is no HTTP is left out; validation refuses it earlier.
fn set(headers: &mut HeaderMap, name: &str, value: &str, r#override: bool) {
    let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) else {
        return;
    };
    if r#override || !headers.contains_key(&name) {
        headers.insert(name, value);
    }
}

/// Whether this answer is sampled. A viewer who asks with `Pragma: server-timing` always gets the header, unless the rate
/// is zero.
fn is_timed(rate: SamplingRate, answered: &Answered<'_>) -> bool {
    let asks = |value: &HeaderValue| {
        let mut directives = value.as_bytes().split(|&byte| byte == b',');
        directives.any(|directive| directive.trim_ascii().eq_ignore_ascii_case(b"server-timing"))
    };
    rate.takes(answered.random) || (!rate.is_zero() && answered.viewer.get_all(PRAGMA).iter().any(asks))
}

/// What the origin took, how the cache answered, where, the request's Id, and what the answer took in all. Durations are
/// in milliseconds.
///
/// Source: CloudFront Developer Guide, "Understand response headers policies", Server-Timing header.
fn server_timing(answered: &Answered<'_>) -> Option<HeaderValue> {
    let Answered { pop, request_id, .. } = answered;
    let upstream = answered.upstream.map_or_else(String::new, |upstream| {
        format!(
            "cdn-upstream-layer;desc=\"EDGE\",cdn-upstream-dns;dur={},cdn-upstream-connect;dur={},cdn-upstream-fbl;dur={},",
            upstream.dns.as_millis(),
            upstream.connect.as_millis(),
            upstream.first_byte.as_millis()
        )
    });
    let (cache, layer) = match answered.served {
        Served::FromCache => ("cdn-cache-hit", ",cdn-hit-layer;desc=\"EDGE\""),
        Served::FromRegion => ("cdn-cache-hit", ",cdn-hit-layer;desc=\"REC\""),
        Served::Refreshed => ("cdn-cache-refresh", ",cdn-hit-layer;desc=\"EDGE\""),
        Served::FromOrigin => ("cdn-cache-miss", ""),
    };
    let downstream = answered.downstream.map_or_else(String::new, |taken| {
        format!(",cdn-downstream-fbl;dur={}", taken.as_millis())
    });
    HeaderValue::try_from(format!(
        "{upstream}{cache},cdn-pop;desc=\"{pop}\",cdn-rid;desc=\"{request_id}\"{layer}{downstream}"
    ))
    .ok()
}

#[cfg(test)]
mod tests;

use http::StatusCode;

/// Under which condition a status code is cached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StatusRule {
    /// By the table of TTLs.
    ByTtl,
    /// By the table of TTLs if there is a Cache-Control field.
    WithCacheControl,
    /// For the time that the response states, if it does.
    WithFreshness,
    /// As an error, whatever the response says.
    Error,
    /// As an error, unless the response forbids it.
    ErrorUnlessForbidden,
    /// As an error if the response has `max-age` or `s-maxage`, and does not forbid it.
    ErrorWithMaxAge,
    /// Never.
    Never,
}

impl StatusRule {
    /// CloudFront's table.
    ///
    /// Source: CloudFront Developer Guide, "How CloudFront processes and caches HTTP 3xx status codes" and "... 4xx and
    /// 5xx status codes".
    pub(crate) fn of(status: StatusCode) -> StatusRule {
        match status.as_u16() {
            200..=299 | 301..=303 => StatusRule::ByTtl,
            // HTTP 3xx: 307 and 308 are cached only if the response has a Cache-Control field.
            307 | 308 => StatusRule::WithCacheControl,
            // HTTP 4xx and 5xx: always cached.
            404 | 414 | 500..=504 => StatusRule::Error,
            // AWS lists 403 with the line below. Kept without `max-age` too: a 403 from a bucket states nothing, and is
            // to be cached briefly.
            403 => StatusRule::ErrorUnlessForbidden,
            // HTTP 4xx and 5xx: cached only with `max-age` or `s-maxage`.
            400 | 405 | 412 | 415 => StatusRule::ErrorWithMaxAge,
            _ if is_never_stored(status) => StatusRule::Never,
            // Undocumented by AWS. RFC 9111 section 3: a final status may be stored if its freshness is stated.
            _ => StatusRule::WithFreshness,
        }
    }
}

/// An interim response and a 304 are no responses of their own, and a 416 speaks of one request's range.
pub(crate) fn is_never_stored(status: StatusCode) -> bool {
    matches!(status.as_u16(), 100..=199 | 304 | 416)
}

/// Whether a cache may guess how long a response with this status is fresh.
///
/// Source: RFC 9110 section 15.1. A 206 is not among them here: parts are not stored.
pub(crate) fn is_heuristically_cacheable(status: StatusCode) -> bool {
    matches!(
        status.as_u16(),
        200 | 203 | 204 | 300 | 301 | 308 | 404 | 405 | 410 | 414 | 501
    )
}

/// Whether the cache knows what a status code demands of caches, so that `must-understand` lets it store the response.
///
/// Source: RFC 9111 section 5.2.2.3; the final status codes of RFC 9110 section 15, and of RFC 6585.
pub(crate) fn is_understood(status: StatusCode) -> bool {
    matches!(
        status.as_u16(),
        200..=205 | 300..=303 | 305 | 307 | 308 | 400..=417 | 421 | 422 | 426 | 428 | 429 | 431 | 500..=505 | 511
    )
}

use http::header::{DATE, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use http::{HeaderMap, HeaderName, Method, StatusCode, header};
use warmfront_http::{Comparison, EntityTag, any_tag_matches, date_field};

/// What a viewer's conditions make of a stored response.
///
/// There is no "failed": If-Match and If-Unmodified-Since are for origins, and a cache does not evaluate them (RFC 9111
/// section 4.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// The whole response is sent.
    None,
    /// The viewer has it already: 304, with [`not_modified_headers`].
    NotModified,
}

/// Evaluates If-None-Match, and without it If-Modified-Since, against a stored response that may be used.
///
/// Only for GET and HEAD, and only if the stored response is a 200.
///
/// Source: RFC 9110 sections 13.1.2, 13.1.3, 13.2.1 and 13.2.2; RFC 9111 section 4.3.2.
pub fn viewer_conditions(
    method: &Method,
    request: &HeaderMap,
    stored_status: StatusCode,
    stored: &HeaderMap,
) -> Precondition {
    if !matches!(*method, Method::GET | Method::HEAD) || stored_status != StatusCode::OK {
        return Precondition::None;
    }
    // RFC 9110 section 13.1.3: If-Modified-Since is ignored if there is an If-None-Match.
    let not_modified = match any_tag_matches(request, IF_NONE_MATCH, EntityTag::of(stored), Comparison::Weak) {
        Some(matches) => matches,
        None => not_modified_since(request, stored),
    };
    if not_modified {
        Precondition::NotModified
    } else {
        Precondition::None
    }
}

/// RFC 9111 section 4.3.2: without Last-Modified the stored Date is compared.
fn not_modified_since(request: &HeaderMap, stored: &HeaderMap) -> bool {
    if !request.contains_key(IF_MODIFIED_SINCE) {
        return false;
    }
    let date = |headers, name| date_field(headers, name).flatten();
    let modified = date(stored, LAST_MODIFIED).or_else(|| date(stored, DATE));
    // RFC 9110 section 13.1.3: a value that is no date, or several, is ignored.
    match (modified, date(request, IF_MODIFIED_SINCE)) {
        (Some(modified), Some(since)) => modified <= since,
        _ => false,
    }
}

/// What a 304 made from a stored 200 carries of it: everything but the metadata of the body it does not have.
///
/// Last-Modified stays only where there is no ETag.
///
/// Source: RFC 9110 section 15.4.5.
pub fn not_modified_headers(stored: &HeaderMap) -> HeaderMap {
    const BODY: [HeaderName; 5] = [
        header::CONTENT_ENCODING,
        header::CONTENT_LANGUAGE,
        header::CONTENT_LENGTH,
        header::CONTENT_RANGE,
        header::CONTENT_TYPE,
    ];
    let mut headers = stored.clone();
    for name in BODY {
        headers.remove(name);
    }
    if headers.contains_key(ETAG) {
        headers.remove(LAST_MODIFIED);
    }
    headers
}

#[cfg(test)]
mod tests;

use http::header::{
    AGE, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, DATE, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use warmfront_http::{Comparison, EntityTag, date_field, format_http_date};
use warmfront_model::Timestamp;

use crate::asked::Asked;
use crate::rules::Rules;
use crate::sending::{stored_headers, viewer_headers};
use crate::storability::{Storability, storability};

/// The conditions that ask an origin whether a stored response still holds.
///
/// If-None-Match from its ETag and If-Modified-Since from its Last-Modified, as far as they are well formed; `None`
/// without either, and where cookies are forwarded unless the switch `conditions_with_cookies` is on: then the request is
/// sent without conditions.
///
/// Source: RFC 9111 section 4.3.1; CloudFront Developer Guide, "Request and response behavior for custom origins",
/// conditional requests.
pub fn revalidation_headers(stored: &HeaderMap, rules: &Rules<'_>) -> Option<HeaderMap> {
    if !has_validator(stored, rules) {
        return None;
    }
    let mut conditions = HeaderMap::new();
    if let (Some(_), Some(etag)) = (EntityTag::of(stored), stored.get(ETAG)) {
        conditions.insert(IF_NONE_MATCH, etag.clone());
    }
    if let (Some(_), Some(modified)) = (last_modified(stored), stored.get(LAST_MODIFIED)) {
        conditions.insert(IF_MODIFIED_SINCE, modified.clone());
    }
    Some(conditions)
}

/// Whether [`revalidation_headers`] has something to send.
pub(crate) fn has_validator(stored: &HeaderMap, rules: &Rules<'_>) -> bool {
    let conditional = rules.switches.conditions_with_cookies || !rules.cookies_forwarded();
    conditional && (EntityTag::of(stored).is_some() || last_modified(stored).is_some())
}

fn last_modified(headers: &HeaderMap) -> Option<Timestamp> {
    date_field(headers, LAST_MODIFIED).flatten()
}

/// Whether a 304 speaks of the stored response whose validators were sent; if not, the caller fetches anew without
/// conditions.
///
/// A strong ETag in the 304 must equal a strong one here, and a weak one the stored one by weak comparison. Where one of
/// them has no ETag, Last-Modified must be equal if both have it. A 304 without validators speaks of what was asked for,
/// since the conditions named one stored response alone.
///
/// Source: RFC 9111 section 4.3.4.
pub fn is_match_304(stored: &HeaderMap, from_304: &HeaderMap) -> bool {
    match (EntityTag::of(from_304), EntityTag::of(stored)) {
        (Some(new), Some(old)) if new.weak => new.matches(old, Comparison::Weak),
        (Some(new), Some(old)) => new.matches(old, Comparison::Strong),
        (Some(new), None) if !new.weak => false,
        _ => match (last_modified(from_304), last_modified(stored)) {
            (Some(new), Some(old)) => new == old,
            _ => true,
        },
    }
}

/// Whether a 200 to a HEAD speaks of the stored 200 to a GET, whose body has `stored_bytes`: every validator that it has
/// is the stored one, and so is its length if it states one. If not, what is stored is out of date.
///
/// Source: RFC 9111 section 4.3.5.
pub fn is_match_head(stored: &HeaderMap, stored_bytes: Option<u64>, from_head: &HeaderMap) -> bool {
    let is_same = |name: &HeaderName| from_head.get(name).is_none_or(|value| stored.get(name) == Some(value));
    let is_as_long = |length: &HeaderValue| {
        let n_bytes = length.to_str().ok().and_then(|text| text.parse().ok());
        n_bytes.is_some() && n_bytes == stored_bytes
    };
    is_same(&ETAG) && is_same(&LAST_MODIFIED) && from_head.get(CONTENT_LENGTH).is_none_or(is_as_long)
}

/// The stored fields, each replaced by the 304's where that has it.
///
/// Left as they are: Content-Length, and what describes the stored bytes (Content-Encoding, Content-Range, digests).
/// Fields that are not stored (hop-by-hop ones, say) are not taken over.
///
/// Source: RFC 9111 sections 3.1 and 3.2.
pub fn updated_headers(stored: &HeaderMap, from_304: &HeaderMap, rules: &Rules<'_>) -> HeaderMap {
    let mut updated = stored.clone();
    replace_fields(
        &mut updated,
        &stored_headers(viewer_headers(from_304.clone(), rules), rules),
    );
    updated
}

fn replace_fields(target: &mut HeaderMap, source: &HeaderMap) {
    const OF_THE_BODY: [HeaderName; 5] = [
        CONTENT_LENGTH,
        CONTENT_ENCODING,
        CONTENT_RANGE,
        HeaderName::from_static("content-md5"),
        HeaderName::from_static("content-digest"),
    ];
    for name in source.keys().filter(|name| !OF_THE_BODY.contains(name)) {
        target.remove(name);
        for value in source.get_all(name) {
            target.append(name.clone(), value.clone());
        }
    }
}

/// A stored response after a 304, or a 200 to a HEAD, that matches it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Freshened {
    /// Its fields from now on.
    pub headers: HeaderMap,
    /// Its lifetime from now on; or why it must not be kept any longer, though it may answer this request.
    pub storability: Storability,
}

/// Brings a stored response up to date with a 304 for which [`is_match_304`] holds, or a 200 to a HEAD for which
/// [`is_match_head`] does.
///
/// `from_304` is as the origin sent it, `rules` carry the ErrorCachingMinTTL of `stored_status`.
///
/// Source: RFC 9111 sections 4.3.4 and 4.3.5.
pub fn freshened(
    asked: Asked<'_>,
    stored_status: StatusCode,
    stored: &HeaderMap,
    from_304: &HeaderMap,
    rules: &Rules<'_>,
    now: Timestamp,
) -> Freshened {
    // RFC 9110 section 6.6.1: what comes without Date has the time it came at.
    let mut from_304 = from_304.clone();
    if !from_304.contains_key(DATE) {
        from_304.insert(DATE, format_http_date(now));
    }
    // Judged by all the 304 says, before fields that are not kept are left out.
    let mut whole = stored.clone();
    whole.remove(AGE);
    replace_fields(&mut whole, &from_304);
    let storability = storability(asked, stored_status, &whole, rules, now);
    Freshened {
        headers: updated_headers(stored, &from_304, rules),
        storability,
    }
}

#[cfg(test)]
mod tests;

use http::header::{
    ACCEPT_ENCODING, AGE, CONTENT_LENGTH, COOKIE, HeaderValue, SET_COOKIE, TRANSFER_ENCODING, USER_AGENT, VARY, VIA,
};
use http::{HeaderMap, HeaderName};
use warmfront_http::{Vary, remove_hop_by_hop};

use crate::generated::GENERATED;
use crate::governing::Governing;
use crate::rules::{Rules, names as names_header};

/// What of an origin's response goes to the viewer who caused it.
///
/// Removed: hop-by-hop fields, Set-Cookie unless cookies are forwarded, S3's request ids, and the fields that the edge
/// writes itself (Age, Via, X-Cache, X-Amz-Cf-*, X-Edge-*, X-Warmfront-*); and a Content-Length beside Transfer-Encoding,
/// which says nothing about the body that arrived. Vary keeps what CloudFront keeps, or all of it where it selects variants.
/// The age is to be read before, with [`initial_age_secs`](crate::initial_age_secs), and storability to be judged before.
///
/// Source: CloudFront Developer Guide, "Request and response behavior for custom origins" and "... for Amazon S3 origins";
/// RFC 9112 section 6.3.
pub fn viewer_headers(mut from_origin: HeaderMap, rules: &Rules<'_>) -> HeaderMap {
    if from_origin.contains_key(TRANSFER_ENCODING) {
        from_origin.remove(CONTENT_LENGTH);
    }
    remove_hop_by_hop(&mut from_origin);
    if !rules.cookies_forwarded() && !rules.switches.set_cookie_kept {
        from_origin.remove(SET_COOKIE);
    }
    remove_ours(&mut from_origin, rules.s3_origin);
    if !rules.switches.vary_selects {
        reduce_vary(&mut from_origin, rules);
    }
    from_origin
}

/// What of an interim response's fields goes to the viewer. Cookies never do.
///
/// Source: RFC 9110 section 15.2 (a proxy forwards interim responses); RFC 8297 section 2.
pub fn interim_headers(mut from_origin: HeaderMap) -> HeaderMap {
    remove_hop_by_hop(&mut from_origin);
    from_origin.remove(SET_COOKIE);
    from_origin.remove(CONTENT_LENGTH);
    remove_ours(&mut from_origin, true);
    from_origin
}

fn remove_ours(from_origin: &mut HeaderMap, s3_origin: bool) {
    let ours: Vec<HeaderName> = from_origin
        .keys()
        .filter(|name| is_written_by_the_edge(name, s3_origin))
        .cloned()
        .collect();
    for name in ours {
        from_origin.remove(name);
    }
}

fn is_written_by_the_edge(name: &HeaderName, s3_origin: bool) -> bool {
    if *name == AGE || *name == VIA {
        return true;
    }
    match name.as_str() {
        "x-cache" => true,
        "x-amz-id-2" | "x-amz-request-id" => s3_origin,
        name => ["x-amz-cf-", "x-edge-", "x-warmfront-"]
            .iter()
            .any(|prefix| name.starts_with(prefix)),
    }
}

/// Vary keeps Accept-Encoding, Cookie, headers that are forwarded, and User-Agent where the key tells devices apart;
/// `*` stays with MinTTL 0.
///
/// Source: CloudFront Developer Guide, "Request and response behavior for custom origins", Vary.
fn reduce_vary(headers: &mut HeaderMap, rules: &Rules<'_>) {
    let names = match Vary::parse(headers) {
        Vary::Fields(names) => names,
        Vary::Any if rules.ttl.min_secs == 0 => return,
        Vary::Any => Vec::new(),
    };
    if !headers.contains_key(VARY) {
        return;
    }
    let mut device_headers = GENERATED.iter().filter(|name| name.starts_with("cloudfront-is-"));
    let devices = device_headers.any(|name| names_header(rules.headers, name));
    let kept = |name: &&HeaderName| {
        **name == ACCEPT_ENCODING || **name == COOKIE || (devices && **name == USER_AGENT) || rules.is_forwarded(name)
    };
    let kept: Vec<&str> = names.iter().filter(kept).map(HeaderName::as_str).collect();
    headers.remove(VARY);
    if let Some(value) = (!kept.is_empty())
        .then(|| HeaderValue::from_str(&kept.join(", ")).ok())
        .flatten()
    {
        headers.insert(VARY, value);
    }
}

/// What of the viewer's response is kept with the stored copy: all but the fields that `no-cache="..."` and
/// `private="..."` name.
///
/// Source: RFC 9111 sections 5.2.2.4 and 5.2.2.7; CloudFront Developer Guide, "Request and response behavior for custom
/// origins", cookies.
pub fn stored_headers(mut to_viewer: HeaderMap, rules: &Rules<'_>) -> HeaderMap {
    let directives = Governing::of(&to_viewer, &rules.switches).directives;
    for name in directives.no_cache.fields().iter().chain(directives.private.fields()) {
        to_viewer.remove(name);
    }
    to_viewer
}

#[cfg(test)]
mod tests;

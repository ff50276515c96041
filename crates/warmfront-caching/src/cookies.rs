use std::sync::Arc;

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use warmfront_model::KeyPart;

/// The Cookie field that an origin is sent: the viewer's cookies that `part` takes in, sorted by name and then by value.
/// `None` if there is none.
///
/// What is sent is a function of what is in the cache key, whatever order the viewer sent it in: names are compared as
/// they stand, blanks before the equals sign included. Wildcards in whitelisted names stand for themselves.
///
/// Source: CloudFront Developer Guide, "Cache content based on cookies".
pub fn forwarded_cookies(viewer: &HeaderMap, part: &KeyPart) -> Option<HeaderValue> {
    cookies_taken_in(viewer, &[part])
}

/// The same for the cookies that any of `parts` takes in.
pub(crate) fn cookies_taken_in(viewer: &HeaderMap, parts: &[&KeyPart]) -> Option<HeaderValue> {
    let lines = viewer.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
    let pairs = lines
        .flat_map(|line| line.split(|&byte| byte == b';'))
        .map(<[u8]>::trim_ascii);
    let mut kept: Vec<&[u8]> = pairs
        .filter(|pair| !pair.is_empty() && parts.iter().any(|part| takes_in(part, name_of(pair))))
        .collect();
    kept.sort_unstable_by_key(|pair| (name_of(pair), *pair));
    HeaderValue::from_bytes(&kept.join(&b"; "[..]))
        .ok()
        .filter(|value| !value.is_empty())
}

/// A pair without an equals sign is all name.
fn name_of(pair: &[u8]) -> &[u8] {
    let end = pair.iter().position(|&byte| byte == b'=').unwrap_or(pair.len());
    &pair[..end]
}

fn takes_in(part: &KeyPart, name: &[u8]) -> bool {
    let listed = |list: &[Arc<str>]| list.iter().any(|item| item.as_bytes() == name);
    match part {
        KeyPart::None => false,
        KeyPart::Whitelist(list) => listed(list),
        KeyPart::AllExcept(list) => !listed(list),
        KeyPart::All => true,
    }
}

#[cfg(test)]
mod tests;

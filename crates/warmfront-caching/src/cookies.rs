use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use warmfront_model::KeyPart;

/// The Cookie field that an origin is sent (and that is part of the key): the viewer's cookies that `part` takes in,
/// sorted by name, those of one name in the viewer's order. `None` if there is none.
///
/// `wildcards`: whether `*` and `?` in a whitelisted name stand for other characters, as with legacy settings.
///
/// Source: CloudFront Developer Guide, "Cache content based on cookies".
pub fn forwarded_cookies(viewer: &HeaderMap, part: &KeyPart, wildcards: bool) -> Option<HeaderValue> {
    let lines = viewer.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
    let pairs = lines
        .flat_map(|line| line.split(|&byte| byte == b';'))
        .map(<[u8]>::trim_ascii);
    let mut kept: Vec<&[u8]> = pairs.filter(|pair| takes_in(part, name_of(pair), wildcards)).collect();
    kept.sort_by_key(|pair| name_of(pair));
    HeaderValue::from_bytes(&kept.join(&b"; "[..]))
        .ok()
        .filter(|value| !value.is_empty())
}

/// The cookie's name; a pair without an equals sign is all name.
fn name_of(pair: &[u8]) -> &[u8] {
    let end = pair.iter().position(|&byte| byte == b'=').unwrap_or(pair.len());
    pair[..end].trim_ascii_end()
}

fn takes_in(part: &KeyPart, name: &[u8], wildcards: bool) -> bool {
    let is = |item: &str| item.as_bytes() == name || (wildcards && matches_wildcards(item.as_bytes(), name));
    match part {
        _ if name.is_empty() => false,
        KeyPart::None => false,
        KeyPart::Whitelist(list) => list.iter().any(|item| is(item)),
        KeyPart::AllExcept(list) => !list.iter().any(|item| is(item)),
        KeyPart::All => true,
    }
}

/// `*` is 0 or more characters, `?` exactly one. Takes at most the product of both lengths in steps.
fn matches_wildcards(pattern: &[u8], name: &[u8]) -> bool {
    let (mut in_pattern, mut in_name) = (0, 0);
    let mut last_star: Option<(usize, usize)> = None;
    while in_name < name.len() {
        match pattern.get(in_pattern) {
            Some(b'*') => {
                last_star = Some((in_pattern, in_name));
                in_pattern += 1;
            }
            Some(&byte) if byte == b'?' || byte == name[in_name] => {
                in_pattern += 1;
                in_name += 1;
            }
            _ => {
                let Some((star, taken)) = last_star else { return false };
                last_star = Some((star, taken + 1));
                in_pattern = star + 1;
                in_name = taken + 1;
            }
        }
    }
    pattern[in_pattern..].iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests;

use http::header::ETAG;
use http::{HeaderMap, HeaderName};

use crate::list::trim;

/// An entity tag, borrowed from a field.
///
/// Source: RFC 9110 section 8.8.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntityTag<'a> {
    /// Whether it is marked `W/`.
    pub weak: bool,
    /// What stands between the quotes.
    pub opaque: &'a [u8],
}

/// How two entity tags are compared.
///
/// Source: RFC 9110 section 8.8.3.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Equal if both are strong and say the same.
    Strong,
    /// Equal if both say the same, weak or not.
    Weak,
}

impl<'a> EntityTag<'a> {
    /// Reads one entity tag that is all of `value`, blanks around it aside; `None` if it is malformed (unquoted, say).
    pub fn parse(value: &'a [u8]) -> Option<EntityTag<'a>> {
        let (tag, rest) = EntityTag::split(trim(value))?;
        rest.is_empty().then_some(tag)
    }

    /// The ETag of a response; `None` if it is absent, malformed, or there are several.
    pub fn of(headers: &'a HeaderMap) -> Option<EntityTag<'a>> {
        let mut values = headers.get_all(ETAG).iter();
        let first = values.next()?;
        if values.next().is_some() {
            return None;
        }
        EntityTag::parse(first.as_bytes())
    }

    /// Whether both name the same representation, as `comparison` defines it.
    pub fn matches(self, other: EntityTag<'_>, comparison: Comparison) -> bool {
        let both_strong = !self.weak && !other.weak;
        self.opaque == other.opaque && (both_strong || comparison == Comparison::Weak)
    }

    /// The tag at the start of `bytes`, and what follows it.
    fn split(bytes: &'a [u8]) -> Option<(EntityTag<'a>, &'a [u8])> {
        let (weak, quoted) = match bytes {
            [b'W', b'/', quoted @ ..] => (true, quoted),
            quoted => (false, quoted),
        };
        let inner = quoted.strip_prefix(b"\"")?;
        let end = inner.iter().position(|&byte| byte == b'"')?;
        // etagc: no blank, no control character; a backslash stands for itself.
        let opaque = &inner[..end];
        let plain = opaque.iter().all(|&byte| byte > 0x20 && byte != 0x7f);
        plain.then_some((EntityTag { weak, opaque }, &inner[end + 1..]))
    }
}

/// The entity tags in one field line, malformed members left out.
pub fn entity_tags(value: &[u8]) -> impl Iterator<Item = EntityTag<'_>> {
    let mut rest = value;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let read = EntityTag::split(trim(rest));
            let after = read.map_or(rest, |(_, after)| after);
            let comma = after.iter().position(|&byte| byte == b',').unwrap_or(after.len());
            let alone = trim(&after[..comma]).is_empty();
            rest = after.get(comma + 1..).unwrap_or_default();
            if let Some((tag, _)) = read.filter(|_| alone) {
                return Some(tag);
            }
        }
        None
    })
}

/// Whether the condition `name` (If-None-Match or If-Match) of a request names the representation with the tag `current`.
///
/// `None` without the field. `*` names every representation that exists, with or without a tag.
///
/// Source: RFC 9110 sections 13.1.1 and 13.1.2.
pub fn any_tag_matches(
    request: &HeaderMap,
    name: HeaderName,
    current: Option<EntityTag<'_>>,
    comparison: Comparison,
) -> Option<bool> {
    let mut lines = request.get_all(name).iter().peekable();
    lines.peek()?;
    let named = |tag: EntityTag<'_>| current.is_some_and(|current| current.matches(tag, comparison));
    Some(lines.any(|line| trim(line.as_bytes()) == b"*" || entity_tags(line.as_bytes()).any(named)))
}

#[cfg(test)]
mod tests;

//! Conditional requests: may the stored object be sent, or is it unchanged, or was something else expected?
//!
//! Source: RFC 9110 section 13.2.2, which S3 follows (API reference, GetObject, "Notes about returned header values").

use http::HeaderMap;

#[cfg(test)]
mod tests;

/// What a conditional request gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Proceed,
    NotModified,
    PreconditionFailed,
}

/// The four conditions, each as the client wrote it; dates in seconds since 1970.
#[derive(Clone, Debug, Default)]
pub(crate) struct Conditions<'a> {
    pub if_match: Option<&'a str>,
    pub if_none_match: Option<&'a str>,
    pub if_modified_since: Option<i64>,
    pub if_unmodified_since: Option<i64>,
}

impl<'a> Conditions<'a> {
    /// The conditions of a read, or with `x-amz-copy-source-` before their names those of a copy.
    /// A date that cannot be read is no condition (RFC 9110 section 13.1.3).
    pub(crate) fn from_headers(headers: &'a HeaderMap, before: &str) -> Conditions<'a> {
        let text = |name: &str| {
            headers
                .get(format!("{before}{name}"))
                .and_then(|value| value.to_str().ok())
        };
        Conditions {
            if_match: text("if-match"),
            if_none_match: text("if-none-match"),
            if_modified_since: text("if-modified-since").and_then(crate::dates::parse_http_date),
            if_unmodified_since: text("if-unmodified-since").and_then(crate::dates::parse_http_date),
        }
    }

    /// Decides for an object with this ETag (without quotes) and time of last change.
    pub(crate) fn evaluate(&self, etag: &str, modified_unix_secs: i64) -> Outcome {
        // 1 and 2: If-Match, and only without it If-Unmodified-Since.
        match (self.if_match, self.if_unmodified_since) {
            (Some(list), _) if !matches(list, etag, Strength::Strong) => return Outcome::PreconditionFailed,
            (None, Some(since)) if modified_unix_secs > since => return Outcome::PreconditionFailed,
            _ => {}
        }
        // 3 and 4: If-None-Match, and only without it If-Modified-Since.
        match (self.if_none_match, self.if_modified_since) {
            (Some(list), _) if matches(list, etag, Strength::Weak) => Outcome::NotModified,
            (None, Some(since)) if modified_unix_secs <= since => Outcome::NotModified,
            _ => Outcome::Proceed,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Strength {
    Strong,
    Weak,
}

/// Whether `list` is `*` or has the ETag among its own; as S3 does, an ETag without quotes is taken as well.
fn matches(list: &str, etag: &str, strength: Strength) -> bool {
    list.split(',')
        .map(str::trim)
        .any(|item| match item.strip_prefix("W/") {
            _ if item == "*" => true,
            Some(weak) => strength == Strength::Weak && unquoted(weak) == etag,
            None => unquoted(item) == etag,
        })
}

/// An ETag without its quotes, if it has them.
pub(crate) fn unquoted(etag: &str) -> &str {
    etag.strip_prefix('"')
        .and_then(|etag| etag.strip_suffix('"'))
        .unwrap_or(etag)
}

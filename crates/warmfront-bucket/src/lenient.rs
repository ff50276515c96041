//! Headers that a server ignores when it cannot read them, taken away before the protocol layer refuses them.
//!
//! Source: RFC 9110 section 14.2 (Range) and sections 13.1.3 and 13.1.4 (dates); S3 answers as if they were not there.

use http::{HeaderMap, HeaderValue};
use s3s::dto::Range;

use crate::dates;

/// Removes an unreadable Range, If-Modified-Since and If-Unmodified-Since. Signed headers stay: without them the
/// signature would not match, and who signs a header answers for it.
pub(crate) fn remove_unreadable(headers: &mut HeaderMap) {
    let authorization = headers
        .get("authorization")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let authorization = authorization.to_owned();
    for name in ["range", "if-modified-since", "if-unmodified-since"] {
        let is_signed = authorization.contains(&format!(";{name};")) || authorization.contains(&format!(";{name},"));
        let is_readable = |value: &HeaderValue| match value.to_str() {
            Ok(value) if name == "range" => Range::parse(value).is_ok(),
            Ok(value) => dates::parse_http_date(value).is_some(),
            Err(_) => false,
        };
        if !is_signed && headers.get(name).is_some_and(|value| !is_readable(value)) {
            headers.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &'static str, value: &'static str, authorization: &'static str, stays: bool) {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        headers.insert("authorization", authorization.parse().unwrap());
        remove_unreadable(&mut headers);
        assert_eq!(headers.contains_key(name), stays, "{name}: {value}");
    }

    #[test]
    fn only_what_cannot_be_read_goes_and_only_unsigned() {
        check("range", "bytes=0-1", "", true);
        check("range", "bytes=5-2", "", false);
        check("range", "bytes=0-1,3-4", "", false);
        check("range", "items=0-1", "", false);
        check(
            "range",
            "items=0-1",
            "AWS4-HMAC-SHA256 SignedHeaders=host;range;x-amz-date, Signature=0",
            true,
        );
        check(
            "range",
            "items=0-1",
            "AWS4-HMAC-SHA256 SignedHeaders=host;range, Signature=0",
            true,
        );
        check(
            "range",
            "items=0-1",
            "AWS4-HMAC-SHA256 SignedHeaders=host;x-amz-date, Signature=0",
            false,
        );
        check("if-modified-since", "yesterday", "", false);
        check("if-unmodified-since", "Sun, 06 Nov 1994 08:49:37 GMT", "", true);
    }
}

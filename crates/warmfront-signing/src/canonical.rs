//! The canonical request: one spelling for all requests that mean the same.
//!
//! Source: IAM User Guide, "Create a signed AWS API request", "Create a canonical request"; Amazon S3 API Reference,
//! "Signature Calculations for the Authorization Header", for S3's path.

use http::HeaderMap;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};

#[cfg(test)]
mod tests;

/// AWS's UriEncode leaves letters, digits and these four alone; hexadecimal digits are upper-case.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const ENCODED_IN_PATH: &AsciiSet = &ENCODED.remove(b'/');

/// How a service spells the path in its canonical request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PathForm {
    /// S3: every byte encoded once, `.`, `..` and `//` kept, since they are parts of a key.
    Once,
    /// All others: dot segments and doubled slashes removed, and what was sent encoded once more.
    Twice,
}

pub(crate) struct CanonicalRequest<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub path_form: PathForm,
    pub query: &'a str,
    pub headers: &'a HeaderMap,
    /// Lower-case names, sorted, joined by `;`.
    pub signed_headers: &'a str,
    pub payload_hash: &'a str,
}

impl CanonicalRequest<'_> {
    /// Header values may be any bytes, so the result is bytes.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        for line in [
            self.method,
            &canonical_path(self.path, self.path_form),
            &canonical_query(self.query),
        ] {
            out.extend_from_slice(line.as_bytes());
            out.push(b'\n');
        }
        for name in self.signed_headers.split(';') {
            push_header(&mut out, name, self.headers);
        }
        out.push(b'\n');
        out.extend_from_slice(self.signed_headers.as_bytes());
        out.push(b'\n');
        out.extend_from_slice(self.payload_hash.as_bytes());
        out
    }
}

/// `path` is as it stands on the wire.
pub(crate) fn canonical_path(path: &str, form: PathForm) -> String {
    match form {
        PathForm::Once => encode_once(path),
        PathForm::Twice => percent_encode(remove_dot_segments(path).as_bytes(), ENCODED_IN_PATH).to_string(),
    }
}

/// Sorted by encoded name, then by encoded value; `X-Amz-Signature` itself is left out.
///
/// `+` is a space here, as S3 reads it. A name without `=` has the empty value.
pub(crate) fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (encode_query_part(name), encode_query_part(value)))
        .filter(|(name, _)| name != "X-Amz-Signature")
        .collect();
    pairs.sort_unstable();
    let mut out = String::with_capacity(query.len());
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        out.push_str(&name);
        out.push('=');
        out.push_str(&value);
    }
    out
}

/// A query name or value as its bytes, with escapes and `+` resolved.
pub(crate) fn decode_query_part(part: &str) -> Vec<u8> {
    let with_spaces: Vec<u8> = part
        .bytes()
        .map(|byte| if byte == b'+' { b' ' } else { byte })
        .collect();
    percent_decode(&with_spaces).collect()
}

fn encode_query_part(part: &str) -> String {
    percent_encode(&decode_query_part(part), ENCODED).to_string()
}

/// Gives each byte of a path its one escaped or unescaped form. `%2F` stays apart from `/`, and a `%` that begins no
/// escape is itself escaped.
fn encode_once(path: &str) -> String {
    let mut out = String::with_capacity(path.len() + 16);
    for (index, segment) in path.split('/').enumerate() {
        if index > 0 {
            out.push('/');
        }
        let decoded: Vec<u8> = percent_decode(segment.as_bytes()).collect();
        out.extend(percent_encode(&decoded, ENCODED));
    }
    if out.is_empty() { "/".to_owned() } else { out }
}

fn remove_dot_segments(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            _ => kept.push(segment),
        }
    }
    let mut out = String::with_capacity(path.len() + 1);
    for segment in &kept {
        out.push('/');
        out.push_str(segment);
    }
    if kept.is_empty() || path.ends_with('/') {
        out.push('/');
    }
    out
}

/// `name:value`, several values of one name joined by commas in the order they came; each value trimmed, and each run
/// of blanks within it made one space.
fn push_header(out: &mut Vec<u8>, name: &str, headers: &HeaderMap) {
    out.extend_from_slice(name.as_bytes());
    out.push(b':');
    for (index, value) in headers.get_all(name).iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        let words = value
            .as_bytes()
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty());
        for (index, word) in words.enumerate() {
            if index > 0 {
                out.push(b' ');
            }
            out.extend_from_slice(word);
        }
    }
    out.push(b'\n');
}

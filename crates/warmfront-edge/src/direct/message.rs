use std::cell::Cell;

use http::header::{CONNECTION, CONTENT_LENGTH, DATE, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, Method, Response, StatusCode};

use crate::body::ViewerBody;

/// Whether an answer can be written as it is: its head says how its body is framed, and the body lies in memory. What hyper
/// would add to a head is left to hyper.
///
/// Source: RFC 9112 section 6.3; RFC 9110 section 6.6.1 (Date).
pub(crate) fn is_writable(response: &Response<ViewerBody>, method: &Method) -> bool {
    let head = response.headers();
    let Some(slices) = response.body().in_memory() else {
        return false;
    };
    let has_no_body = method == Method::HEAD || response.status() == StatusCode::NOT_MODIFIED;
    let n_bytes: usize = slices.iter().map(|slice| slice.len()).sum();
    let says_length = || {
        let mut lengths = head.get_all(CONTENT_LENGTH).iter();
        let length = lengths.next().and_then(|length| length.to_str().ok()?.parse().ok());
        length == Some(n_bytes) && lengths.next().is_none()
    };
    let is_framed = if has_no_body { n_bytes == 0 } else { says_length() };
    let may_have_body = response.status().as_u16() >= 200 && response.status() != StatusCode::NO_CONTENT;
    is_framed
        && may_have_body
        && head.contains_key(DATE)
        && (method != Method::HEAD || head.contains_key(CONTENT_LENGTH))
        && ![CONNECTION, TRANSFER_ENCODING, UPGRADE]
            .iter()
            .any(|name| head.contains_key(name))
}

/// Appends the head of an HTTP/1.1 response.
///
/// Source: RFC 9112 sections 4 and 5.
pub(crate) fn write_head(text: &mut Vec<u8>, status: StatusCode, headers: &HeaderMap) {
    write_status(text, status);
    for (name, value) in headers {
        write_field(text, name.as_str().as_bytes(), value.as_bytes());
    }
    text.extend_from_slice(b"\r\n");
}

/// Appends a status line.
pub(crate) fn write_status(text: &mut Vec<u8>, status: StatusCode) {
    if status == StatusCode::OK {
        text.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
        return;
    }
    text.extend_from_slice(b"HTTP/1.1 ");
    text.extend_from_slice(status.as_str().as_bytes());
    text.push(b' ');
    text.extend_from_slice(status.canonical_reason().unwrap_or_default().as_bytes());
    text.extend_from_slice(b"\r\n");
}

/// Appends a field line.
pub(crate) fn write_field(text: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    text.extend_from_slice(name);
    text.extend_from_slice(b": ");
    text.extend_from_slice(value);
    text.extend_from_slice(b"\r\n");
}

thread_local! {
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A scratch that grew beyond this is given back.
const SCRATCH_BYTES_MAX: usize = 64 * 1024;

/// Lends an empty buffer that this thread uses again.
pub(super) fn with_scratch<T>(use_it: impl FnOnce(&mut Vec<u8>) -> T) -> T {
    let mut scratch = SCRATCH.take();
    scratch.clear();
    let result = use_it(&mut scratch);
    if scratch.capacity() <= SCRATCH_BYTES_MAX {
        SCRATCH.set(scratch);
    }
    result
}

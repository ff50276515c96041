use std::cell::Cell;

use http::header::{CONNECTION, CONTENT_LENGTH, DATE, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

use crate::body::ViewerBody;

/// Whether an answer can be written as it is: the body lies in memory, and the head says nothing else of its length. What
/// hyper would add to a head besides Content-Length is left to hyper.
///
/// Source: RFC 9112 section 6.3; RFC 9110 section 6.6.1 (Date).
pub(crate) fn is_writable(response: &Response<ViewerBody>, method: &Method) -> bool {
    let head = response.headers();
    let Some(slices) = response.body().in_memory() else {
        return false;
    };
    let has_no_body = method == Method::HEAD || response.status() == StatusCode::NOT_MODIFIED;
    let n_bytes: usize = slices.iter().map(|slice| slice.len()).sum();
    let may_say_length = || {
        let mut lengths = head.get_all(CONTENT_LENGTH).iter();
        let is_right =
            |length: &HeaderValue| length.to_str().ok().and_then(|length| length.parse().ok()) == Some(n_bytes);
        lengths.next().is_none_or(is_right) && lengths.next().is_none()
    };
    let is_framed = if has_no_body { n_bytes == 0 } else { may_say_length() };
    is_framed
        && (has_no_body || may_have_body(response.status()))
        && head.contains_key(DATE)
        && (method != Method::HEAD || head.contains_key(CONTENT_LENGTH))
        && ![CONNECTION, TRANSFER_ENCODING, UPGRADE]
            .iter()
            .any(|name| head.contains_key(name))
}

/// Whether a response with this status to a GET has a body, be it empty.
///
/// Source: RFC 9110 sections 15.2, 15.3.5 and 15.4.5.
pub(crate) fn may_have_body(status: StatusCode) -> bool {
    !status.is_informational() && status != StatusCode::NO_CONTENT && status != StatusCode::NOT_MODIFIED
}

/// Adds the length of an answer's body to its head, if it is not there: a body without would end with the connection.
///
/// Source: RFC 9112 section 6.3.
pub(crate) fn say_length(response: &mut Response<ViewerBody>, method: &Method) {
    let has_body = method != Method::HEAD && response.status() != StatusCode::NOT_MODIFIED;
    if has_body && !response.headers().contains_key(CONTENT_LENGTH) {
        let slices = response.body().in_memory().unwrap_or_default();
        let n_bytes: usize = slices.iter().map(|slice| slice.len()).sum();
        response
            .headers_mut()
            .insert(CONTENT_LENGTH, HeaderValue::from(n_bytes));
    }
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

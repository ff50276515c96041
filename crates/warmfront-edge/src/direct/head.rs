use std::mem::MaybeUninit;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, HeaderName, HeaderValue, TRANSFER_ENCODING, UPGRADE};
use http::{Method, Request, Uri, Version, request};

/// More fields than hyper takes are for it to refuse.
const FIELDS_MAX: usize = 100;

/// What the bytes from a viewer begin with.
pub(super) enum Read {
    /// Not a whole head.
    Part,
    /// A GET or HEAD over HTTP/1.1 that may be answered here: its head, and how many bytes that has.
    Direct { head: request::Parts, n_bytes: usize },
    /// Another request without a body; so many bytes.
    ForHyper { n_bytes: usize },
    /// A request with a body, one that leads to another protocol, or no request.
    ForHyperForGood,
}

/// Reads a request's head. `bytes` are not empty.
///
/// Source: RFC 9112 sections 3, 5 and 6.3: a request without Content-Length and Transfer-Encoding ends with its head.
pub(super) fn read(bytes: &[u8]) -> Read {
    let shared = Bytes::copy_from_slice(bytes);
    let mut fields = [const { MaybeUninit::uninit() }; FIELDS_MAX];
    let mut parsed = httparse::Request::new(&mut []);
    let n_bytes = match parsed.parse_with_uninit_headers(&shared, &mut fields) {
        Ok(httparse::Status::Complete(n_bytes)) => n_bytes,
        Ok(httparse::Status::Partial) => return Read::Part,
        Err(_) => return Read::ForHyperForGood,
    };
    let method = parsed
        .method
        .and_then(|method| Method::from_bytes(method.as_bytes()).ok());
    let uri = parsed
        .path
        .and_then(|path| Uri::from_maybe_shared(shared.slice_ref(path.as_bytes())).ok());
    let (Some(method), Some(uri)) = (method, uri) else {
        return Read::ForHyperForGood;
    };
    let mut is_direct = parsed.version == Some(1) && matches!(method, Method::GET | Method::HEAD);
    if method == Method::CONNECT {
        return Read::ForHyperForGood;
    }
    let (mut head, ()) = Request::new(()).into_parts();
    head.headers.reserve(parsed.headers.len());
    for field in parsed.headers.iter() {
        let name = HeaderName::from_bytes(field.name.as_bytes());
        let value = HeaderValue::from_maybe_shared(shared.slice_ref(field.value));
        let (Ok(name), Ok(value)) = (name, value) else {
            return Read::ForHyperForGood;
        };
        match name {
            CONTENT_LENGTH | TRANSFER_ENCODING | UPGRADE | EXPECT => return Read::ForHyperForGood,
            CONNECTION => is_direct &= value.as_bytes().eq_ignore_ascii_case(b"keep-alive"),
            _ => {}
        }
        head.headers.append(name, value);
    }
    if !is_direct {
        return Read::ForHyper { n_bytes };
    }
    head.method = method;
    head.uri = uri;
    head.version = Version::HTTP_11;
    Read::Direct { head, n_bytes }
}

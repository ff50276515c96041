use std::mem::MaybeUninit;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, HeaderName, HeaderValue, TRANSFER_ENCODING, UPGRADE};
use http::{Method, Request, Uri, Version, request};

/// More fields than hyper takes are for it to refuse.
const FIELDS_MAX: usize = 100;

/// A whole head, of a request that ends with it.
pub(super) struct Head {
    /// How many bytes it has.
    pub(super) n_bytes: usize,
    /// Of a GET or HEAD over HTTP/1.1, which may be answered here.
    pub(super) parts: Option<request::Parts>,
}

/// Why there is no such head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoHead {
    /// Its end is not here yet.
    Part,
    /// It is a request with a body, one that leads to another protocol, or no request.
    ForHyper,
}

/// Reads a request's head. `bytes` are not empty.
///
/// Source: RFC 9112 sections 3, 5 and 6.3: a request without Content-Length and Transfer-Encoding ends with its head.
pub(super) fn read(bytes: &[u8]) -> Result<Head, NoHead> {
    let shared = Bytes::copy_from_slice(bytes);
    let mut fields = [const { MaybeUninit::uninit() }; FIELDS_MAX];
    let mut parsed = httparse::Request::new(&mut []);
    let n_bytes = match parsed.parse_with_uninit_headers(&shared, &mut fields) {
        Ok(httparse::Status::Complete(n_bytes)) => n_bytes,
        Ok(httparse::Status::Partial) => return Err(NoHead::Part),
        Err(_) => return Err(NoHead::ForHyper),
    };
    let method = parsed
        .method
        .and_then(|method| Method::from_bytes(method.as_bytes()).ok());
    let uri = parsed
        .path
        .and_then(|path| Uri::from_maybe_shared(shared.slice_ref(path.as_bytes())).ok());
    let (Some(method), Some(uri)) = (method, uri) else {
        return Err(NoHead::ForHyper);
    };
    let mut is_direct = parsed.version == Some(1) && matches!(method, Method::GET | Method::HEAD);
    if method == Method::CONNECT {
        return Err(NoHead::ForHyper);
    }
    let (mut head, ()) = Request::new(()).into_parts();
    head.headers.reserve(parsed.headers.len());
    for field in parsed.headers.iter() {
        let name = HeaderName::from_bytes(field.name.as_bytes());
        let value = HeaderValue::from_maybe_shared(shared.slice_ref(field.value));
        let (Ok(name), Ok(value)) = (name, value) else {
            return Err(NoHead::ForHyper);
        };
        match name {
            CONTENT_LENGTH | TRANSFER_ENCODING | UPGRADE | EXPECT => return Err(NoHead::ForHyper),
            CONNECTION => is_direct &= value.as_bytes().eq_ignore_ascii_case(b"keep-alive"),
            _ => {}
        }
        head.headers.append(name, value);
    }
    head.method = method;
    head.uri = uri;
    head.version = Version::HTTP_11;
    Ok(Head {
        n_bytes,
        parts: is_direct.then_some(head),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What becomes of `text`, in one word, and how many bytes of it are a head.
    fn word(text: &str) -> (&'static str, usize) {
        match read(text.as_bytes()) {
            Ok(Head {
                n_bytes,
                parts: Some(_),
            }) => ("direct", n_bytes),
            Ok(Head { n_bytes, parts: None }) => ("hyper", n_bytes),
            Err(NoHead::Part) => ("part", 0),
            Err(NoHead::ForHyper) => ("for good", 0),
        }
    }

    #[test]
    fn only_what_ends_with_its_head_is_read() {
        let cases = [
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "direct"),
            ("HEAD / HTTP/1.1\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\n", "direct"),
            ("\r\nGET / HTTP/1.1\nHost: a\n\n", "direct"),
            ("GET / HTTP/1.1\r\nHost: a\r\n", "part"),
            ("GE", "part"),
            ("GET / HTTP/1.0\r\n\r\n", "hyper"),
            ("GET / HTTP/1.1\r\nConnection: close\r\n\r\n", "hyper"),
            (
                "GET / HTTP/1.1\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n",
                "hyper",
            ),
            ("POST / HTTP/1.1\r\n\r\n", "hyper"),
            ("OPTIONS * HTTP/1.1\r\n\r\n", "hyper"),
            ("GET / HTTP/1.1\r\ncontent-length: 0\r\n\r\n", "for good"),
            ("GET / HTTP/1.1\r\nTRANSFER-ENCODING: chunked\r\n\r\n", "for good"),
            ("GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n", "for good"),
            ("GET / HTTP/1.1\r\nExpect: 100-continue\r\n\r\n", "for good"),
            ("CONNECT a:80 HTTP/1.1\r\n\r\n", "for good"),
            ("GET / HTTP/1.1\r\nbad field\r\n\r\n", "for good"),
            ("GET / HTTP/1.1\r\nContent-Length : 5\r\n\r\n", "for good"),
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "for good"),
            ("\u{16}\u{3}\u{1}", "for good"),
        ];
        for (text, expected) in cases {
            let (what, n_bytes) = word(text);
            assert_eq!(what, expected, "{text:?}");
            if matches!(what, "direct" | "hyper") {
                assert_eq!(n_bytes, text.len(), "{text:?}");
                assert_eq!(
                    word(&format!("{text}GET / HT")),
                    (what, n_bytes),
                    "what follows changes nothing"
                );
            }
        }
        let many = |n: usize| format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(n));
        assert_eq!((word(&many(100)).0, word(&many(101)).0), ("direct", "for good"));
    }

    proptest! {
        #[test]
        fn no_bytes_panic_and_a_head_ends_within_them(
            target in "[ -~]{0,40}", fields in proptest::collection::vec("[!-~]{0,12}:[\\x00-\\x7f]{0,20}", 0..6), end in "\\PC{0,8}",
        ) {
            let text = format!("GET {target} HTTP/1.1\r\n{}\r\n\r\n{end}", fields.join("\r\n"));
            let (what, n_bytes) = word(&text);
            prop_assert!(n_bytes <= text.len());
            if what == "direct" {
                prop_assert!(text[..n_bytes].ends_with('\n'));
            }
        }
    }
}

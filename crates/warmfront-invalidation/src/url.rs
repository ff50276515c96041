use std::fmt;

use warmfront_model::CacheTag;

/// A URL's path, and its query string where the cache key has one, in the one form in which URLs are compared.
///
/// Percent-encoding of characters that need none is decoded, characters that need it are encoded, and hex digits are
/// upper-case; so `~`, `'`, a space and UTF-8 match however they were written. An encoded `/ ? # % & = +` stays encoded,
/// since it means something else there than the bare character does. Case matters otherwise.
///
/// Source: RFC 3986 section 6.2.2; CloudFront Developer Guide, "What you need to know when invalidating files".
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NormalUrl(Box<[u8]>);

impl NormalUrl {
    /// Brings `raw` (a path, with or without `?` and a query string) into the normal form.
    pub fn new(raw: &[u8]) -> NormalUrl {
        let mut normal = Vec::with_capacity(raw.len());
        let mut rest = raw;
        while let Some((&byte, after)) = rest.split_first() {
            match (byte, encoded_byte(rest)) {
                (b'%', Some(decoded)) => {
                    rest = &rest[3..];
                    if is_plain(decoded) {
                        normal.push(decoded);
                    } else {
                        push_encoded(&mut normal, decoded);
                    }
                }
                _ => {
                    rest = after;
                    if is_plain(byte) || is_delimiter(byte) {
                        normal.push(byte);
                    } else {
                        push_encoded(&mut normal, byte);
                    }
                }
            }
        }
        NormalUrl(normal.into_boxed_slice())
    }

    /// The normal form: ASCII.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for NormalUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", String::from_utf8_lossy(&self.0))
    }
}

/// The URLs that name a stored response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The one it is stored under.
    pub url: NormalUrl,
    /// For the default root object: the distribution's root, with the same query string.
    pub root: Option<NormalUrl>,
}

/// What an invalidation can name a stored response by.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Its URLs.
    pub names: &'a Names,
    /// Its cache tags.
    pub tags: &'a [CacheTag],
}

fn encoded_byte(text: &[u8]) -> Option<u8> {
    let digit = |byte: &u8| {
        char::from(*byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    match text {
        [b'%', high, low, ..] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    }
}

/// Means the same whether it is percent-encoded or not.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$'()*,;:@".contains(&byte)
}

/// Means something else when it is percent-encoded.
fn is_delimiter(byte: u8) -> bool {
    b"/?&=+".contains(&byte)
}

fn push_encoded(normal: &mut Vec<u8>, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    normal.extend([b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(left: &str, right: &str) {
        assert_eq!(
            NormalUrl::new(left.as_bytes()),
            NormalUrl::new(right.as_bytes()),
            "{left} and {right}"
        );
    }

    #[test]
    fn spellings_of_one_url_are_equal() {
        check("/~user", "/%7Euser");
        check("/~user", "/%7euser");
        check("/it's", "/it%27s");
        check("/a b", "/a%20b");
        check("/grün", "/gr%C3%BCn");
        check("/grün", "/gr%c3%bcn");
        check("/a%2fb", "/a%2Fb");
        check("/100%", "/100%25");
        check("/a*b", "/a%2Ab");
        check("/a[1]|{2}", "/a%5B1%5D%7C%7B2%7D");
    }

    #[test]
    fn what_differs_in_meaning_stays_apart() {
        for (left, right) in [
            ("/a%2Fb", "/a/b"),
            ("/a%3Fb", "/a?b"),
            ("/A", "/a"),
            ("/a?x=1%262", "/a?x=1&2"),
            ("/a?x=+", "/a?x=%2B"),
        ] {
            assert_ne!(
                NormalUrl::new(left.as_bytes()),
                NormalUrl::new(right.as_bytes()),
                "{left} and {right}"
            );
        }
    }

    proptest! {
        #[test]
        fn the_normal_form_is_ascii_and_its_own_normal_form(raw in proptest::collection::vec(any::<u8>(), 0..60)) {
            let once = NormalUrl::new(&raw);
            prop_assert!(once.as_bytes().is_ascii());
            prop_assert_eq!(NormalUrl::new(once.as_bytes()), once);
        }
    }
}

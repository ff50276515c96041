use std::borrow::Cow;
use std::fmt;

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
        NormalUrl(normal(raw).into_owned().into_boxed_slice())
    }

    /// Whether two spellings are of one URL.
    pub fn is_same(left: &[u8], right: &[u8]) -> bool {
        left == right || normal(left) == normal(right)
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

/// What invalidations can name a stored response by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names<'a> {
    pub(crate) url: Cow<'a, [u8]>,
    pub(crate) root: Option<Cow<'a, [u8]>>,
    pub(crate) tag_header: Option<&'a str>,
}

impl<'a> Names<'a> {
    /// By the path that it is stored under, with its query string if the cache key has one, however that is spelled.
    pub fn new(url: &'a [u8]) -> Names<'a> {
        Names {
            url: normal(url),
            root: None,
            tag_header: None,
        }
    }

    /// And, as the default root object, by the distribution's root with the same `query`, which is empty or begins with `?`.
    pub fn or_root(self, query: &'a [u8]) -> Names<'a> {
        let root = if query.is_empty() {
            Cow::Borrowed(&b"/"[..])
        } else {
            Cow::Owned([b"/", &*normal(query)].concat())
        };
        Names {
            root: Some(root),
            ..self
        }
    }

    /// And by the cache tags in the field `header`, a name in lower case.
    pub fn or_tags_in(self, header: Option<&'a str>) -> Names<'a> {
        Names {
            tag_header: header,
            ..self
        }
    }
}

/// The normal form of `raw`, which usually has it already.
pub(crate) fn normal(raw: &[u8]) -> Cow<'_, [u8]> {
    // Piece by piece, and each without a branch for each byte: every look-up that asks the index begins here.
    const PIECE_BYTES: usize = 16;
    let is_normal = |piece: &[u8]| piece.iter().fold(true, |kept, &byte| kept & KEPT[usize::from(byte)]);
    let mut pieces = raw.chunks_exact(PIECE_BYTES);
    if pieces.all(is_normal) && is_normal(pieces.remainder()) {
        return Cow::Borrowed(raw);
    }
    let n_normal = raw.iter().take_while(|&&byte| KEPT[usize::from(byte)]).count();
    Cow::Owned(normal_from(raw, n_normal))
}

/// The normal form of `raw`, whose first `n_normal` bytes have it.
fn normal_from(raw: &[u8], n_normal: usize) -> Vec<u8> {
    let (already, mut rest) = raw.split_at(n_normal);
    let mut normal = Vec::with_capacity(raw.len() + 16);
    normal.extend_from_slice(already);
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
                if KEPT[usize::from(byte)] {
                    normal.push(byte);
                } else {
                    push_encoded(&mut normal, byte);
                }
            }
        }
    }
    normal
}

/// The bytes that stand for themselves: those that mean the same whether they are encoded or not, and the delimiters.
const KEPT: [bool; 256] = {
    let mut kept = [false; 256];
    let mut byte = 0_u8;
    loop {
        kept[byte as usize] = is_plain(byte) || is_delimiter(byte);
        if byte == u8::MAX {
            break kept;
        }
        byte += 1;
    }
};

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
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'\'' | b'(' | b')' | b'*' | b',' | b';' | b':' | b'@'
        )
}

/// Means something else when it is percent-encoded.
const fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'/' | b'?' | b'&' | b'=' | b'+')
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

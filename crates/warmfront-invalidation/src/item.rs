use thiserror::Error;
use warmfront_model::CacheTag;

use crate::NormalUrl;

/// The longest invalidation path, in characters.
///
/// Source: CloudFront Developer Guide, "What you need to know when invalidating files".
pub const PATH_CHARACTERS_MAX: usize = 4_000;

/// One item of an invalidation batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvalidationItem {
    /// `/*`: the whole distribution.
    Everything,
    /// A path without a wildcard, with its query string if it has one.
    Exact(NormalUrl),
    /// Everything that begins with what stands before a trailing `*`.
    Prefix(NormalUrl),
    /// `#tag`.
    Tag(CacheTag),
}

/// Why an item was refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum InvalidPath {
    /// Neither a path nor a tag.
    #[error("{0:?} does not begin with a slash: write /{0}, or #{0} for a cache tag")]
    NoLeadingSlash(String),
    /// Longer than [`PATH_CHARACTERS_MAX`].
    #[error("a path has at most {PATH_CHARACTERS_MAX} characters, this one {0}")]
    TooLong(usize),
    /// A `*` before the end.
    #[error(
        "{path:?} has a * before its end: a wildcard counts only as the last character. \
         Invalidate {prefix:?}, or write %2A for a file whose name has an asterisk"
    )]
    WildcardInside {
        /// The path as given.
        path: String,
        /// The shortest wildcard path that covers what was meant.
        prefix: String,
    },
    /// A `#` inside a path.
    #[error("{0:?} has a fragment, which no request carries: leave it out, or write %23 for a # in a file's name")]
    Fragment(String),
    /// Not a cache tag.
    #[error(
        "{0:?} is no cache tag: # and 1 to {max} printable ASCII characters, no comma, no space",
        max = CacheTag::LENGTH_MAX
    )]
    Tag(String),
}

impl InvalidationItem {
    /// Reads one item as it stands in `Paths.Items`.
    ///
    /// # Errors
    /// [`InvalidPath`] says what is wrong and what to write instead. A `*` anywhere but at the end is refused (AWS takes
    /// it for a literal and clears nothing).
    ///
    /// Source: CloudFront Developer Guide, "What you need to know when invalidating files", "Invalidate by cache tag".
    pub fn parse(text: &str) -> Result<InvalidationItem, InvalidPath> {
        if let Some(tag) = text.strip_prefix('#') {
            return CacheTag::parse(tag)
                .map(InvalidationItem::Tag)
                .ok_or_else(|| InvalidPath::Tag(shortened(text)));
        }
        if !text.starts_with('/') {
            return Err(InvalidPath::NoLeadingSlash(shortened(text)));
        }
        let n_characters = text.chars().count();
        if n_characters > PATH_CHARACTERS_MAX {
            return Err(InvalidPath::TooLong(n_characters));
        }
        if text.contains('#') {
            return Err(InvalidPath::Fragment(shortened(text)));
        }
        let (path, wildcard) = match text.strip_suffix('*') {
            Some(path) => (path, true),
            None => (text, false),
        };
        if let Some(at) = path.find('*') {
            return Err(InvalidPath::WildcardInside {
                path: shortened(text),
                prefix: format!("{}*", shortened(&path[..at])),
            });
        }
        let url = NormalUrl::new(path.as_bytes());
        Ok(match (wildcard, path) {
            (true, "/") => InvalidationItem::Everything,
            (true, _) => InvalidationItem::Prefix(url),
            (false, _) => InvalidationItem::Exact(url),
        })
    }

    /// Whether the item counts towards the quota of wildcards in progress.
    pub fn is_wildcard(&self) -> bool {
        matches!(self, InvalidationItem::Everything | InvalidationItem::Prefix(_))
    }
}

fn shortened(text: &str) -> String {
    const CHARACTERS_MAX: usize = 200;
    match text.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> NormalUrl {
        NormalUrl::new(text.as_bytes())
    }

    #[test]
    fn a_star_at_the_end_is_a_wildcard() {
        assert_eq!(InvalidationItem::parse("/*"), Ok(InvalidationItem::Everything));
        assert_eq!(
            InvalidationItem::parse("/assets/*"),
            Ok(InvalidationItem::Prefix(url("/assets/")))
        );
        assert_eq!(
            InvalidationItem::parse("/a.jpg?x=1*"),
            Ok(InvalidationItem::Prefix(url("/a.jpg?x=1")))
        );
        assert_eq!(
            InvalidationItem::parse("/index.html"),
            Ok(InvalidationItem::Exact(url("/index.html")))
        );
        assert_eq!(InvalidationItem::parse("/"), Ok(InvalidationItem::Exact(url("/"))));
    }

    #[test]
    fn a_star_elsewhere_is_refused_with_the_way_out() {
        let refused = InvalidationItem::parse("/assets/app.*.js").unwrap_err();
        assert_eq!(
            refused,
            InvalidPath::WildcardInside {
                path: "/assets/app.*.js".into(),
                prefix: "/assets/app.*".into()
            }
        );
        assert!(refused.to_string().contains("only as the last character"));
        assert!(InvalidationItem::parse("/**").is_err());
        assert_eq!(
            InvalidationItem::parse("/a%2Ab"),
            Ok(InvalidationItem::Exact(url("/a*b")))
        );
    }

    #[test]
    fn items_are_paths_or_tags() {
        assert_eq!(
            InvalidationItem::parse("#Sku:1"),
            Ok(InvalidationItem::Tag(CacheTag::parse("sku:1").unwrap()))
        );
        assert_eq!(
            InvalidationItem::parse("index.html"),
            Err(InvalidPath::NoLeadingSlash("index.html".into()))
        );
        assert_eq!(
            InvalidationItem::parse(""),
            Err(InvalidPath::NoLeadingSlash(String::new()))
        );
        assert_eq!(
            InvalidationItem::parse("*"),
            Err(InvalidPath::NoLeadingSlash("*".into()))
        );
        assert_eq!(
            InvalidationItem::parse("/a#b"),
            Err(InvalidPath::Fragment("/a#b".into()))
        );
        for tag in ["#", "#a b", "#a,b"] {
            assert_eq!(InvalidationItem::parse(tag), Err(InvalidPath::Tag(tag.into())));
        }
    }

    #[test]
    fn four_thousand_characters_pass_and_one_more_does_not() {
        let path = format!("/{}", "ü".repeat(3_999));
        assert!(InvalidationItem::parse(&path).is_ok());
        assert_eq!(
            InvalidationItem::parse(&format!("{path}x")),
            Err(InvalidPath::TooLong(4_001))
        );
    }
}

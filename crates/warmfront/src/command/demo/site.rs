//! The site of the demo: the front page of a harbour's newspaper, and what belongs to it.

use bytes::Bytes;

/// The bucket it is kept in.
pub const BUCKET: &str = "harbour-light";

/// The page that changes, as a key in the bucket.
pub const FRONT_PAGE: &str = "index.html";

const FRONT_PAGE_TEXT: &str = include_str!("site/index.html");

/// HTML keeps its name, so browsers look again after a minute.
const SHORT: &str = "max-age=60";

/// A name with a fingerprint never gets other bytes.
const LONG: &str = "max-age=31536000, immutable";

/// One object of the site.
#[derive(Clone, Copy, Debug)]
pub struct SiteFile {
    /// Its key in the bucket.
    pub key: &'static str,
    /// Its bytes.
    pub bytes: &'static [u8],
    /// Its Content-Type.
    pub content_type: &'static str,
    /// Its Cache-Control.
    pub cache_control: &'static str,
}

/// Everything but the front page.
pub const FILES: [SiteFile; 6] = [
    html("tides.html", include_bytes!("site/tides.html")),
    html("about.html", include_bytes!("site/about.html")),
    SiteFile {
        key: "assets/site.db978f51.css",
        bytes: include_bytes!("site/assets/site.db978f51.css"),
        content_type: "text/css; charset=utf-8",
        cache_control: LONG,
    },
    SiteFile {
        key: "assets/tide.1fe922be.js",
        bytes: include_bytes!("site/assets/tide.1fe922be.js"),
        content_type: "text/javascript; charset=utf-8",
        cache_control: LONG,
    },
    SiteFile {
        key: "favicon.svg",
        bytes: include_bytes!("site/favicon.svg"),
        content_type: "image/svg+xml",
        cache_control: SHORT,
    },
    SiteFile {
        key: "robots.txt",
        bytes: include_bytes!("site/robots.txt"),
        content_type: "text/plain; charset=utf-8",
        cache_control: SHORT,
    },
];

/// Content-Type and Cache-Control of the front page.
pub const FRONT_PAGE_HEADERS: (&str, &str) = ("text/html; charset=utf-8", SHORT);

const fn html(key: &'static str, bytes: &'static [u8]) -> SiteFile {
    SiteFile {
        key,
        bytes,
        content_type: "text/html; charset=utf-8",
        cache_control: SHORT,
    }
}

/// The front page in its edition `number`.
pub fn edition(number: u32) -> Bytes {
    Bytes::from(FRONT_PAGE_TEXT.replacen("Edition 1<", &format!("Edition {number}<"), 1))
}

/// Which edition a front page is; `None` if it is none.
pub fn edition_of(page: &[u8]) -> Option<u32> {
    let (_, rest) = std::str::from_utf8(page).ok()?.split_once(">Edition ")?;
    rest.split_once('<')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn editions_differ_and_are_recognised() {
        assert_eq!(edition_of(&edition(1)), Some(1));
        assert_eq!(edition_of(&edition(12)), Some(12));
        assert_eq!(edition_of(b"<Error><Code>AccessDenied</Code></Error>"), None);
    }

    #[test]
    fn every_file_that_a_page_refers_to_is_there() {
        let pages = FILES
            .iter()
            .filter(|file| file.key.ends_with(".html"))
            .map(|file| file.bytes);
        for page in pages.chain([FRONT_PAGE_TEXT.as_bytes()]) {
            let page = std::str::from_utf8(page).unwrap();
            for marker in ["href=\"/", "src=\"/"] {
                for reference in page.split(marker).skip(1) {
                    let key = reference.split('"').next().unwrap();
                    assert!(key.is_empty() || FILES.iter().any(|file| file.key == key), "{key}");
                }
            }
        }
    }
}

//! Which URLs are looked at, and what is right about what they show.

use std::collections::BTreeSet;

use super::Page;
use crate::digest::Digest;
use crate::manifest::{Entry, Manifest};
use crate::references::references;
use crate::site::Site;
use crate::urls::request_path;

/// Changed URLs that are looked at, at most; pages come first.
const CHANGED_MAX: usize = 400;

/// URLs that did not change and are looked at all the same.
const SAMPLE_MAX: usize = 20;

/// One URL to look at.
#[derive(Clone, Debug)]
pub struct Check {
    /// Its path.
    pub path: String,
    /// What it shall show.
    pub expected: Expected,
    /// Whether the release changed that.
    pub changed: bool,
    /// When its content was live, in milliseconds since 1970, if it was invalidated after that.
    pub live_ms: Option<i64>,
}

/// What a URL shall show.
#[derive(Clone, Debug)]
pub enum Expected {
    /// This file.
    File(Entry),
    /// Not what was there.
    Gone,
}

/// Pages first, then the rest of what changed, then a sample evenly spread over what did not. What no URL shows cannot be looked at.
pub fn checks(
    site: &Site,
    bucket: &str,
    manifest: &Manifest,
    changed: &BTreeSet<&str>,
    removed: &[String],
) -> Vec<Check> {
    let path_of = |key: &str| site.urls_of(bucket, key).first().map(|(url, _)| request_path(url));
    let check = |(key, entry): (&String, &Entry), changed: bool| {
        Some(Check {
            path: path_of(key)?,
            expected: Expected::File(entry.clone()),
            changed,
            live_ms: None,
        })
    };
    let is_changed = |(key, _): &(&String, &Entry)| changed.contains(key.as_str());
    let mut touched: Vec<(&String, &Entry)> = manifest.files.iter().filter(is_changed).collect();
    touched.sort_by_key(|(_, entry)| std::cmp::Reverse(entry.class));
    let touched = touched.into_iter().filter_map(|file| check(file, true));
    let mut checks: Vec<Check> = touched.take(CHANGED_MAX).collect();
    // An error page may answer for a page that is gone.
    let removed = removed.iter().filter(|_| site.error_pages.is_empty());
    let gone = removed.filter_map(|key| {
        Some(Check {
            path: path_of(key)?,
            expected: Expected::Gone,
            changed: true,
            live_ms: None,
        })
    });
    checks.extend(gone.take(CHANGED_MAX));
    let rest: Vec<(&String, &Entry)> = manifest.files.iter().filter(|file| !is_changed(file)).collect();
    let stride = rest.len().div_ceil(SAMPLE_MAX).max(1);
    checks.extend(rest.into_iter().step_by(stride).filter_map(|file| check(file, false)));
    checks
}

/// The paths of all URLs of a manifest's files.
pub fn urls(site: &Site, bucket: &str, manifest: &Manifest) -> BTreeSet<String> {
    let of_key = |key: &String| site.urls_of(bucket, key).into_iter().map(|(url, _)| request_path(&url));
    manifest.files.keys().flat_map(of_key).collect()
}

/// What was seen of one URL.
#[derive(Debug, Default)]
pub struct Seen {
    /// The whole URL.
    pub url: String,
    /// What is wrong.
    pub problem: Option<String>,
    /// What may be wrong.
    pub warning: Option<String>,
    /// `x-cache` of each answer.
    pub x_cache: Vec<String>,
    /// The POPs that answered.
    pub pops: BTreeSet<String>,
    /// What the page loads.
    pub references: BTreeSet<String>,
}

impl Seen {
    /// Adds one answer.
    pub fn add(&mut self, page: Page, check: &Check, now_ms: i64) {
        if self.problem.is_none() {
            self.problem = problem(&page, &check.expected);
        }
        if self.warning.is_none() {
            let old = || old_copy(&page, now_ms - check.live_ms?);
            self.warning = warning(&page, &check.expected).or_else(old);
        }
        if page.content_type.starts_with("text/html") && page.status == 200 {
            self.references = references(&check.path, &page.body);
        }
        self.x_cache.push(page.x_cache);
        self.pops.extend(Some(page.pop).filter(|pop| !pop.is_empty()));
    }
}

/// An invalidated URL is shown from a copy that was fetched before the release's last file was live, `live_for_ms` ago. Its bytes are
/// looked at elsewhere: with the right ones, only headers can be old. Age may be rounded up by a second.
///
/// Source: RFC 9111 section 5.1.
fn old_copy(page: &Page, live_for_ms: i64) -> Option<String> {
    let age_secs = page.age_secs.filter(|_| page.status == 200)?;
    let live_for_secs = u64::try_from(live_for_ms).unwrap_or(0).div_ceil(1_000);
    (age_secs > live_for_secs + 1).then(|| {
        format!("its age is {age_secs} s, but it was invalidated when the release went live {live_for_secs} s ago: an old copy")
    })
}

/// What viewers are told about caching is not what the file is stored with.
fn warning(page: &Page, expected: &Expected) -> Option<String> {
    let Expected::File(Entry { headers, .. }) = expected else {
        return None;
    };
    (page.status == 200 && page.cache_control != headers.cache_control).then(|| {
        format!(
            "Cache-Control is {:?}, stored was {:?}",
            page.cache_control, headers.cache_control
        )
    })
}

fn problem(page: &Page, expected: &Expected) -> Option<String> {
    let entry = match expected {
        Expected::Gone if page.status == 200 => return Some("it was removed, and is still shown".into()),
        Expected::Gone => return None,
        Expected::File(entry) => entry,
    };
    if page.status != 200 {
        return Some(format!("status {}", page.status));
    }
    let digest = Digest::of(&page.body);
    if digest != entry.digest {
        return Some(format!(
            "other bytes: expected {}, got {digest} ({})",
            entry.digest, page.x_cache
        ));
    }
    if page.content_type != entry.headers.content_type {
        return Some(format!(
            "Content-Type {:?}, expected {:?}",
            page.content_type, entry.headers.content_type
        ));
    }
    None
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;

    use bytes::Bytes;

    use super::*;
    use crate::headers::Rules;
    use crate::site::View;
    use crate::site::tests::{site, view};

    fn entry(path: &str, content: &str) -> Entry {
        let decision = Rules::default().decide(path, false);
        Entry {
            digest: Digest::of(content.as_bytes()),
            size: content.len() as u64,
            class: decision.class,
            headers: decision.headers,
            etag: None,
            distrusted: false,
        }
    }

    pub fn page(status: u16, body: &str) -> Page {
        Page {
            status,
            content_type: "text/html; charset=utf-8".into(),
            cache_control: "no-cache".into(),
            x_cache: "Miss from cloudfront".into(),
            pop: "IAD89-P3".into(),
            age_secs: None,
            body: Bytes::copy_from_slice(body.as_bytes()),
        }
    }

    #[test]
    fn bytes_status_and_type_count() {
        let expected = Expected::File(entry("a.html", "new"));
        assert_eq!(problem(&page(200, "new"), &expected), None);
        assert!(problem(&page(200, "old"), &expected).unwrap().contains("other bytes"));
        assert!(problem(&page(403, "new"), &expected).unwrap().contains("403"));
        let plain = Page {
            content_type: "text/plain".into(),
            ..page(200, "new")
        };
        assert!(problem(&plain, &expected).unwrap().contains("text/plain"));
        assert!(problem(&page(200, "x"), &Expected::Gone).is_some());
        assert_eq!(problem(&page(404, "x"), &Expected::Gone), None);
        assert_eq!(warning(&page(200, "new"), &expected), None);
        let lasting = Page {
            cache_control: "max-age=60".into(),
            ..page(200, "new")
        };
        assert!(warning(&lasting, &expected).unwrap().contains("max-age=60"));
    }

    #[test]
    fn a_copy_older_than_the_release_is_told() {
        let aged = |age_secs| Page {
            age_secs,
            ..page(200, "new")
        };
        assert_eq!(old_copy(&aged(None), 0), None);
        assert_eq!(old_copy(&aged(Some(11)), 9_500), None);
        assert!(old_copy(&aged(Some(12)), 9_500).unwrap().contains("12 s"));
        assert!(old_copy(&aged(Some(2)), -5_000).is_some());
    }

    #[test]
    fn pages_come_first_and_the_rest_is_sampled() {
        let mut files: BTreeMap<String, Entry> = (0..1_000)
            .map(|n| format!("live/p{n:04}.png"))
            .map(|key| (key.clone(), entry(&key, "x")))
            .collect();
        files.insert("live/z.html".into(), entry("z.html", "x"));
        let manifest = Manifest { files };
        let changed = BTreeSet::from(["live/p0007.png", "live/z.html"]);
        let mut site = site();
        site.default_view.origin_path = "/live".into();
        site.views = vec![("/p0000*".into(), View { bucket: None, ..view() })];
        let found = checks(&site, "site", &manifest, &changed, &["live/old page.html".into()]);
        let paths: Vec<&str> = found.iter().map(|check| check.path.as_str()).collect();
        assert_eq!(paths[..3], ["/z.html", "/p0007.png", "/old%20page.html"]);
        assert!((4..=3 + SAMPLE_MAX).contains(&paths.len()), "{}", paths.len());
        assert!(!paths.contains(&"/p0000.png"), "another origin's");
    }
}

//! Which URLs a release must invalidate, which it can wait for, and which need nothing; each with its reason.

use std::collections::{BTreeMap, BTreeSet};

use crate::diff::{Change, Kind};
use crate::headers::Class;
use crate::settings::IndexUrls;
use crate::site::{Site, View, edge_ttl_secs};
use crate::urls::{may_rewrite_index, url_forms};

#[cfg(test)]
mod tests;

/// What becomes of the URLs of one changed file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing at the edge can be stale.
    Nothing(String),
    /// What is cached under these paths expires by itself within this many seconds.
    Expiry(u64, Vec<String>),
    /// These paths must be invalidated.
    Paths(Vec<String>),
}

/// The sum over all changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Affected {
    /// Paths to invalidate, each with its first reason.
    pub paths: BTreeMap<String, String>,
    /// Paths under which something expires by itself within so many seconds, each with its first reason.
    pub expiring: BTreeMap<String, (u64, String)>,
    /// Seconds to wait after the last upload for what expires by itself under any path.
    pub expiry_secs: u64,
    /// Changed files that need no invalidation, and why.
    pub spared: BTreeMap<String, String>,
    /// What somebody should know.
    pub warnings: Vec<String>,
}

/// What decides besides the change and the distribution.
#[derive(Clone, Copy, Debug)]
pub struct Wishes<'a> {
    /// The bucket's name.
    pub bucket: &'a str,
    /// Which URLs show an index page.
    pub index_urls: IndexUrls,
    /// The longest expiry that is waited for instead of being paid for.
    pub expiry_wait_secs: u64,
}

/// Adds up what the changes need.
pub fn affected(site: &Site, changes: &[Change], wishes: Wishes<'_>) -> Affected {
    let mut sum = Affected::default();
    for change in changes {
        let urls = site.urls_of(wishes.bucket, &change.key);
        let mut spared = vec!["the behavior for its URL leads to another origin".to_owned()];
        let mut is_spared = true;
        for (url, view) in &urls {
            match need(site, change, url, view, wishes) {
                Need::Nothing(reason) => spared.push(reason),
                Need::Expiry(secs, paths) => {
                    is_spared = false;
                    for path in paths {
                        let expiring = sum.expiring.entry(path).or_insert_with(|| (secs, reason_of(change)));
                        expiring.0 = expiring.0.max(secs);
                    }
                }
                Need::Paths(paths) => {
                    is_spared = false;
                    for path in paths {
                        sum.paths.entry(path).or_insert_with(|| reason_of(change));
                    }
                }
            }
        }
        if let (true, Some(reason)) = (is_spared, spared.pop()) {
            sum.spared.insert(change.key.clone(), reason);
        }
        for (url, _) in &urls {
            error_page_shown_elsewhere(site, url, wishes, &mut sum);
        }
        warn_of_browsers(change, &mut sum);
    }
    sum
}

/// What one URL of a changed file needs.
fn need(site: &Site, change: &Change, url: &str, view: &View, wishes: Wishes<'_>) -> Need {
    if change.class == Class::Fingerprinted {
        match change.kind {
            Kind::New => return Need::Nothing("a new fingerprinted name: nobody has asked for it yet".into()),
            Kind::Removed | Kind::Replaced | Kind::HeadersOnly => {}
        }
    }
    if change.stays {
        return Need::Nothing("stays for open tabs, and is collected later".into());
    }
    let ttl_secs = cached_secs(site, change, view);
    let forms = || url_forms(site, url, may_rewrite_index(view, wishes.index_urls));
    if view.ttl.caching_disabled() {
        return Need::Nothing("its behavior caches nothing".into());
    }
    // An ETag stays when only headers change, so a revalidation may bring the old headers back.
    if change.kind != Kind::HeadersOnly {
        if ttl_secs == 0 {
            return Need::Nothing("the edge checks it with the origin each time".into());
        }
        if ttl_secs <= wishes.expiry_wait_secs {
            return Need::Expiry(ttl_secs, forms());
        }
    }
    Need::Paths(forms())
}

/// How long the edge may show what it has for this file, in the worst of the states it may have fetched it in.
fn cached_secs(site: &Site, change: &Change, view: &View) -> u64 {
    let seen = change.seen_headers.iter();
    let longest = seen
        .map(|headers| edge_ttl_secs(Some(&headers.cache_control), view.ttl))
        .max();
    match (change.kind, longest) {
        (Kind::New, _) | (_, None) => site.absence_ttl_secs(view),
        (_, Some(longest)) => longest,
    }
}

fn reason_of(change: &Change) -> String {
    let what = match change.kind {
        Kind::New => "is new: its absence may be cached",
        Kind::Replaced => "has new content",
        Kind::HeadersOnly => "has new headers",
        Kind::Removed => "is removed",
    };
    format!("{} {what}", change.key)
}

/// A changed error page is cached under every URL that led to it.
fn error_page_shown_elsewhere(site: &Site, url: &str, wishes: Wishes<'_>, sum: &mut Affected) {
    for page in &site.error_pages {
        let shown = page
            .page
            .as_deref()
            .is_some_and(|shown| shown.trim_start_matches('/') == &url[1..]);
        if !shown {
            continue;
        }
        if page.min_ttl_secs <= wishes.expiry_wait_secs {
            sum.expiry_secs = sum.expiry_secs.max(page.min_ttl_secs);
        } else {
            let reason = format!(
                "{url} is shown for status {} under any URL, for {} s",
                page.status, page.min_ttl_secs
            );
            sum.paths.insert("/*".into(), reason);
        }
    }
}

/// A browser keeps a page for its max-age, and no invalidation reaches it there.
fn warn_of_browsers(change: &Change, sum: &mut Affected) {
    const WORTH_SAYING_SECS: u64 = 300;
    if change.class == Class::Fingerprinted || change.kind == Kind::New {
        return;
    }
    let browser_secs = |cache_control: &str| {
        let directives = cache_control
            .split(',')
            .map(|directive| directive.trim().to_ascii_lowercase());
        let directives: Vec<String> = directives.collect();
        if directives
            .iter()
            .any(|directive| directive == "no-cache" || directive == "no-store")
        {
            return None;
        }
        directives
            .iter()
            .find_map(|directive| directive.strip_prefix("max-age=")?.parse::<u64>().ok())
    };
    let seen = change.seen_headers.iter();
    let longest = seen.filter_map(|headers| browser_secs(&headers.cache_control)).max();
    if let Some(secs) = longest.filter(|secs| *secs >= WORTH_SAYING_SECS) {
        sum.warnings.push(format!(
            "{}: browsers may show the old one for up to {secs} s more (it was sent with max-age={secs}); no invalidation reaches them",
            change.key
        ));
    }
}

/// The paths alone.
pub fn path_set(affected: &Affected) -> BTreeSet<String> {
    affected.paths.keys().cloned().collect()
}

//! What a release changes: by digest and by headers, key by key.

use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::headers::{Class, Headers};
use crate::manifest::{Entry, Manifest};

#[cfg(test)]
mod tests;

/// An object as it lies in the bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// Its content, if it says: another tool's object does not.
    pub digest: Option<Digest>,
    /// Its headers.
    pub headers: Headers,
}

/// What happens to one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// There was nothing.
    New,
    /// Its bytes change (or nobody knows what they were).
    Replaced,
    /// Its bytes stay, its headers change.
    HeadersOnly,
    /// It is not part of the site any more.
    Removed,
}

/// One key that changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The key.
    pub key: String,
    /// What happens to it.
    pub kind: Kind,
    /// Its class: the new one, or for a removed key the one it had.
    pub class: Class,
    /// The headers under which the edge may have it cached, one for each state it may have been fetched in.
    pub seen_headers: Vec<Headers>,
    /// Its content before, if known.
    pub old_digest: Option<Digest>,
    /// It is removed from the site, but stays in the bucket for tabs that are open, until it is collected.
    pub stays: bool,
}

/// Everything that the difference depends on.
#[derive(Clone, Copy, Debug)]
pub struct Before<'a> {
    /// The objects in the bucket under the site's prefix, as far as they concern this release.
    pub live: &'a BTreeMap<String, Live>,
    /// The manifest of the last release that was finished.
    pub finished: Option<&'a Manifest>,
    /// The manifests of releases that began since and were not finished: any of their files may be in the bucket or at the edge.
    pub unfinished: &'a [Manifest],
}

/// The changes from `before` to `target`, in the order of their keys.
///
/// A key counts as changed if the bucket's object differs, or if an earlier, unfinished release may have shown viewers something
/// else, or if the last finished release had something else: so what an interrupted release still owed is never forgotten.
/// An object that no manifest knows is left alone.
pub fn diff(before: Before<'_>, target: &Manifest) -> Vec<Change> {
    let mut changes = Vec::new();
    for (key, entry) in &target.files {
        if let Some(kind) = kind_of(before, key, entry) {
            changes.push(Change {
                key: key.clone(),
                kind,
                class: entry.class,
                seen_headers: seen_headers(before, key),
                old_digest: old_digest(before, key),
                stays: false,
            });
        }
    }
    let known = before.finished.into_iter().chain(before.unfinished);
    let mut removed: BTreeMap<&String, &Entry> = BTreeMap::new();
    for manifest in known {
        removed.extend(
            manifest
                .files
                .iter()
                .filter(|(key, _)| !target.files.contains_key(*key)),
        );
    }
    for (key, entry) in removed {
        changes.push(Change {
            key: key.clone(),
            kind: Kind::Removed,
            class: entry.class,
            seen_headers: seen_headers(before, key),
            old_digest: old_digest(before, key),
            stays: stays_for_open_tabs(entry),
        });
    }
    changes.sort_by(|a, b| a.key.cmp(&b.key));
    changes
}

/// All states that a viewer may have been shown for this key: what lies there, and what the manifests say.
fn states<'a>(before: Before<'a>, key: &'a str) -> impl Iterator<Item = (Option<Digest>, &'a Headers)> {
    let live = before.live.get(key).map(|live| (live.digest, &live.headers));
    let manifests = before.finished.into_iter().chain(before.unfinished);
    let recorded = manifests.filter_map(move |manifest| {
        manifest
            .files
            .get(key)
            .map(|entry| (Some(entry.digest), &entry.headers))
    });
    live.into_iter().chain(recorded)
}

fn kind_of(before: Before<'_>, key: &str, entry: &Entry) -> Option<Kind> {
    let mut seen = states(before, key).peekable();
    if seen.peek().is_none() {
        return Some(Kind::New);
    }
    let (mut same_bytes, mut same_headers) = (true, true);
    for (digest, headers) in seen {
        same_bytes &= digest == Some(entry.digest);
        same_headers &= *headers == entry.headers;
    }
    // What a manifest knows but the bucket has lost, somebody has deleted: it is put back.
    if !before.live.contains_key(key) {
        return Some(Kind::Replaced);
    }
    match (same_bytes, same_headers) {
        (true, true) => None,
        (true, false) => Some(Kind::HeadersOnly),
        (false, _) => Some(Kind::Replaced),
    }
}

fn seen_headers(before: Before<'_>, key: &str) -> Vec<Headers> {
    let mut seen: Vec<Headers> = Vec::new();
    for (_, headers) in states(before, key) {
        if !seen.contains(headers) {
            seen.push(headers.clone());
        }
    }
    seen
}

fn old_digest(before: Before<'_>, key: &str) -> Option<Digest> {
    let live = before.live.get(key).and_then(|live| live.digest);
    live.or_else(|| Some(before.finished?.files.get(key)?.digest))
}

/// Whether a file that the site does not have any more is kept for tabs that still show the old pages: whatever a page loads,
/// but not what people open by itself.
pub fn stays_for_open_tabs(entry: &Entry) -> bool {
    let media_type = entry.headers.content_type.split(';').next().unwrap_or_default().trim();
    let kind = media_type.split('/').next().unwrap_or_default();
    let is_loaded = matches!(kind, "image" | "font" | "audio" | "video")
        || matches!(
            media_type,
            "text/javascript" | "application/javascript" | "text/css" | "application/wasm"
        );
    entry.class == Class::Fingerprinted || (entry.class == Class::Other && is_loaded)
}

/// Fingerprinted names that stood for other bytes before: the name proves nothing, and browsers keep the old bytes for a year.
pub fn changed_under_their_names<'a>(
    files: impl IntoIterator<Item = (&'a str, Digest)>,
    earlier: &[&Manifest],
) -> Vec<String> {
    let stood_for_others = |key: &str, digest: Digest| {
        earlier
            .iter()
            .filter_map(|manifest| manifest.files.get(key))
            .any(|entry| entry.digest != digest || entry.distrusted)
    };
    files
        .into_iter()
        .filter(|(key, digest)| crate::fingerprint::fingerprint(key).is_some() && stood_for_others(key, *digest))
        .map(|(key, _)| key.to_owned())
        .collect()
}

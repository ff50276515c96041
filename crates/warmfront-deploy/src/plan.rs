//! A release before it happens: what is uploaded, removed and invalidated, why, and at what price. The dry run is the plan, and the plan
//! is what is carried out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::affected::{Affected, Wishes, affected, path_set};
use crate::cover::{FILES_MAX, Limits, WILDCARDS_MAX, cover};
use crate::diff::{Before, Change, Kind, Live, diff};
use crate::digest::Digest;
use crate::headers::Class;
use crate::hurry::hurry;
use crate::manifest::Manifest;
use crate::month::Month;
use crate::settings::Settings;
use crate::site::Site;
use crate::target::{Listed, MULTIPART_BYTES_MIN, PathCount};

#[cfg(test)]
mod tests;

/// The version of the plan's form; another one is refused.
pub const FORMAT: u32 = 1;

/// Where the bytes of an upload come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The file below the plan's folder.
    File(PathBuf),
    /// The bytes lie under the key already: only headers change.
    InPlace,
    /// They lie under another key of the bucket.
    Key(String),
    /// They lie among the kept objects of the state.
    Kept,
}

/// One object that is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// Its key; content and headers are in the plan's manifest.
    pub key: String,
    /// Where its bytes come from.
    pub source: Source,
    /// Whether nothing was there before.
    pub is_new: bool,
    /// The content that it replaces, if that is known: it is kept for a rollback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Digest>,
}

/// A release as it was decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The version of this form.
    pub format: u32,
    /// The release's Id.
    pub release: String,
    /// When it was made, in milliseconds since 1970.
    pub made_ms: i64,
    /// The release that a rollback brings back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_to: Option<String>,
    /// The bucket.
    pub bucket: String,
    /// The distribution's Id.
    pub distribution: String,
    /// Its ARN; empty in a plan of an earlier version.
    #[serde(default)]
    pub distribution_arn: String,
    /// The site's prefix in the bucket.
    pub prefix: String,
    /// Where the state was when it was made, as that was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The folder of the built site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// The last finished release, on which this plan builds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// Unfinished releases that this one finishes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub supersedes: Vec<String>,
    /// The digest of the bucket's listing that the plan was made by.
    pub listing: Digest,
    /// The metadata that carries cache tags.
    pub tag_metadata: String,
    /// Everything that the site consists of afterwards.
    pub manifest: Manifest,
    /// What is written.
    pub uploads: Vec<Upload>,
    /// Keys that are deleted once the new pages are live.
    pub removals: Vec<String>,
    /// Keys that are no part of the site any more, but stay for open tabs until they are collected.
    pub staying: Vec<String>,
    /// The invalidation: paths within the quotas.
    pub paths: Vec<String>,
    /// Why: every URL that must be invalidated, with its reason. The paths cover them.
    pub reasons: BTreeMap<String, String>,
    /// Changed files that need no invalidation, and why.
    pub spared: BTreeMap<String, String>,
    /// URLs that are not invalidated because they expire by themselves within so many seconds.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub expiring: BTreeMap<String, u64>,
    /// Seconds to wait after the last write, for what expires by itself.
    pub expiry_secs: u64,
    /// What somebody should know.
    pub warnings: Vec<String>,
    /// Files that stay as they are.
    pub n_unchanged: usize,
    /// Objects under the prefix that no release knows: they are left alone.
    pub n_strangers: usize,
}

/// What a plan is made from.
#[derive(Debug)]
pub struct Input<'a> {
    /// The new release's Id.
    pub release: String,
    /// Now, in milliseconds since 1970.
    pub now_ms: i64,
    /// The bucket.
    pub bucket: &'a str,
    /// The site's prefix in it.
    pub prefix: &'a str,
    /// The distribution.
    pub site: &'a Site,
    /// The settings.
    pub settings: &'a Settings,
    /// What the site shall consist of.
    pub target: Manifest,
    /// The bucket's listing under the prefix.
    pub listing: &'a [Listed],
    /// What lies under the keys that concern the release.
    pub live: BTreeMap<String, Live>,
    /// The last finished release.
    pub finished: Option<(&'a str, &'a Manifest)>,
    /// Releases that began since and were not finished.
    pub unfinished: &'a [(String, Manifest)],
    /// The metadata that carries cache tags.
    pub tag_metadata: &'a str,
    /// The month so far, if that is known.
    pub month: Option<&'a Month>,
    /// Warnings that came up before.
    pub warnings: Vec<String>,
}

/// More would be deleted than the guard allows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{n_removed} of the site's {n_files} files would be removed, which is more than {limit}")]
pub struct TooManyDeletions {
    /// How many.
    pub n_removed: usize,
    /// Of how many that the site had.
    pub n_files: usize,
    /// The limit that is passed, by the name of its setting.
    pub limit: String,
}

impl Plan {
    /// Decides what the release does. `source` finds the bytes of a change.
    pub fn new(input: Input<'_>, mut source: impl FnMut(&Change) -> Source) -> Plan {
        let unfinished: Vec<Manifest> = input.unfinished.iter().map(|(_, manifest)| manifest.clone()).collect();
        let before = Before {
            live: &input.live,
            finished: input.finished.map(|(_, manifest)| manifest),
            unfinished: &unfinished,
        };
        let changes = diff(before, &input.target);
        let wishes = Wishes {
            bucket: input.bucket,
            index_urls: input.settings.index_urls,
            expiry_wait_secs: input.settings.expiry_wait_secs,
        };
        let sum = affected(input.site, &changes, wishes);
        let sum = hurry(sum, input.month, input.settings.hurry_paths_max);
        let mut paths = cover(&path_set(&sum), Limits::new(input.settings.paths_max));
        if paths.len() > 1 && flushes_nothing(&input) {
            paths = vec!["/*".into()];
        }
        let Affected {
            paths: reasons,
            expiring,
            expiry_secs,
            spared,
            warnings,
        } = sum;
        let removed = |stays: bool| {
            let removed = changes
                .iter()
                .filter(move |change| change.kind == Kind::Removed && change.stays == stays);
            removed.map(|change| change.key.clone()).collect()
        };
        let written = || changes.iter().filter(|change| change.kind != Kind::Removed);
        let uploads = written().map(|change| Upload {
            key: change.key.clone(),
            source: if change.kind == Kind::HeadersOnly {
                Source::InPlace
            } else {
                source(change)
            },
            is_new: change.kind == Kind::New,
            replaces: change.old_digest.filter(|_| change.kind == Kind::Replaced),
        });
        let uploads: Vec<Upload> = uploads.collect();
        let n_strangers = n_strangers(&input, &unfinished);
        let expiring: BTreeMap<String, u64> = expiring.into_iter().map(|(path, (secs, _))| (path, secs)).collect();
        let expiry_secs = expiring.values().copied().fold(expiry_secs, u64::max);
        let warnings = input
            .warnings
            .into_iter()
            .chain(warnings)
            .chain(crowded(&paths, input.month));
        let warnings = warnings.collect();
        let manifest = with_etags(input.target, &uploads, input.listing);
        Plan {
            format: FORMAT,
            release: input.release,
            made_ms: input.now_ms,
            rollback_to: None,
            bucket: input.bucket.into(),
            distribution: input.site.distribution.clone(),
            distribution_arn: input.site.arn.clone(),
            prefix: input.prefix.into(),
            state: None,
            folder: None,
            base: input.finished.map(|(id, _)| id.to_owned()),
            supersedes: input.unfinished.iter().map(|(id, _)| id.clone()).collect(),
            listing: listing_digest(input.listing),
            tag_metadata: input.tag_metadata.into(),
            n_unchanged: manifest.files.len() - uploads.len(),
            uploads,
            manifest,
            removals: removed(false),
            staying: removed(true),
            paths,
            reasons,
            spared,
            expiring,
            expiry_secs,
            warnings,
            n_strangers,
        }
    }

    /// Whether there is nothing to do at all.
    pub fn is_empty(&self) -> bool {
        self.uploads.is_empty()
            && self.removals.is_empty()
            && self.paths.is_empty()
            && self.supersedes.is_empty()
            && self.staying.is_empty()
    }

    /// The uploads of a class, in the order of their keys.
    pub fn uploads_of(&self, class: Class) -> impl Iterator<Item = &Upload> {
        let of_class = move |upload: &&Upload| {
            self.manifest
                .files
                .get(&upload.key)
                .is_some_and(|entry| entry.class == class)
        };
        self.uploads.iter().filter(of_class)
    }

    /// Whether an upload is so large that it is sent in parts.
    pub fn goes_in_parts(&self, upload: &Upload) -> bool {
        let entry = self.manifest.files.get(&upload.key);
        matches!(upload.source, Source::File(_)) && entry.is_some_and(|entry| entry.size >= MULTIPART_BYTES_MIN)
    }

    /// Bytes that are sent.
    pub fn bytes_sent(&self) -> u64 {
        let sent = self
            .uploads
            .iter()
            .filter(|upload| matches!(upload.source, Source::File(_)));
        sent.filter_map(|upload| self.manifest.files.get(&upload.key))
            .map(|entry| entry.size)
            .sum()
    }

    /// Refuses to remove more than the settings allow: a build that went wrong must not empty the site.
    ///
    /// # Errors
    /// Says which limit is passed.
    pub fn guard_deletions(&self, settings: &Settings) -> Result<(), TooManyDeletions> {
        let fingerprinted = |key: &&String| crate::fingerprint::fingerprint(key).is_none();
        let n_removed = self.removals.len() + self.staying.iter().filter(fingerprinted).count();
        let n_files =
            n_removed + self.manifest.files.len() - self.uploads.iter().filter(|upload| upload.is_new).count();
        let refuse = |limit: String| TooManyDeletions {
            n_removed,
            n_files,
            limit,
        };
        if n_removed > settings.delete_max {
            return Err(refuse(format!("delete_max = {}", settings.delete_max)));
        }
        let ratio = n_removed as f64 / n_files.max(1) as f64;
        if n_removed > 1 && ratio > settings.delete_ratio_max {
            return Err(refuse(format!("delete_ratio_max = {}", settings.delete_ratio_max)));
        }
        Ok(())
    }
}

/// Whether `/*` clears nothing but the absence of files: before the first release there was nothing, and all of the distribution is the site.
fn flushes_nothing(input: &Input<'_>) -> bool {
    let mut views = input.site.all_views();
    input.finished.is_none()
        && input.unfinished.is_empty()
        && input.listing.is_empty()
        && views.all(|view| view.prefix_in(input.bucket).as_deref() == Some(input.prefix))
}

/// What stays as it is keeps the ETag that the bucket lists, by which the next release knows that nobody has written since.
fn with_etags(mut target: Manifest, uploads: &[Upload], listing: &[Listed]) -> Manifest {
    let written: BTreeSet<&str> = uploads.iter().map(|upload| upload.key.as_str()).collect();
    for listed in listing.iter().filter(|listed| !written.contains(listed.key.as_str())) {
        if let Some(entry) = target.files.get_mut(&listed.key) {
            entry.etag = Some(listed.etag.clone());
        }
    }
    target
}

/// Says so if others' invalidations leave too little room under the quotas for now.
fn crowded(paths: &[String], month: Option<&Month>) -> Option<String> {
    let (ours, others) = (PathCount::of(paths), month?.in_progress);
    let both = ours + others;
    let is_full = both.files > FILES_MAX as u64 || both.wildcards > WILDCARDS_MAX as u64;
    (is_full && !paths.is_empty()).then(|| {
        format!(
            "invalidations in progress already hold {} of {FILES_MAX} paths and {} of {WILDCARDS_MAX} wildcards: this one waits until \
             enough of them have completed",
            others.files, others.wildcards
        )
    })
}

fn n_strangers(input: &Input<'_>, unfinished: &[Manifest]) -> usize {
    let known = |key: &str| {
        input.target.files.contains_key(key)
            || input
                .finished
                .is_some_and(|(_, manifest)| manifest.files.contains_key(key))
            || unfinished.iter().any(|manifest| manifest.files.contains_key(key))
    };
    input.listing.iter().filter(|listed| !known(&listed.key)).count()
}

/// Changes whenever anybody writes, adds or deletes an object's bytes under the prefix.
pub fn listing_digest(listing: &[Listed]) -> Digest {
    let mut text = String::new();
    for Listed { key, size, etag } in listing {
        text.push_str(&format!("{key}\0{size}\0{etag}\n"));
    }
    Digest::of(text.as_bytes())
}

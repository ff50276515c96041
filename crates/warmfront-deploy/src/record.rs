//! How far a release has come: the journal that makes any interruption harmless.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The steps of a release, in their order. Each can be repeated without harm, so an interrupted one simply begins again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The bytes that will be replaced or removed are copied into the state, for a rollback.
    Keep,
    /// Fingerprinted files are uploaded: nobody refers to them yet.
    Assets,
    /// Each of them is seen in the bucket, with its digest.
    CheckAssets,
    /// Other files are uploaded.
    Others,
    /// Pages are uploaded: from now on the release is live.
    Pages,
    /// Removed pages and documents are deleted.
    Remove,
    /// The invalidation is created.
    Invalidate,
    /// It completes, and what expires by itself expires.
    Wait,
    /// Viewers are shown the release.
    Verify,
    /// What no kept release needs is collected.
    Retire,
    /// Nothing is left to do.
    Done,
}

impl Step {
    /// All of them.
    pub const ALL: [Step; 11] = [
        Step::Keep,
        Step::Assets,
        Step::CheckAssets,
        Step::Others,
        Step::Pages,
        Step::Remove,
        Step::Invalidate,
        Step::Wait,
        Step::Verify,
        Step::Retire,
        Step::Done,
    ];

    /// The one after this; the last has none but itself.
    pub fn next(self) -> Step {
        let at = Step::ALL.iter().position(|step| *step == self).unwrap_or(0);
        Step::ALL.get(at + 1).copied().unwrap_or(Step::Done)
    }

    /// Its name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Step::Keep => "keep",
            Step::Assets => "assets",
            Step::CheckAssets => "check assets",
            Step::Others => "others",
            Step::Pages => "pages",
            Step::Remove => "remove",
            Step::Invalidate => "invalidate",
            Step::Wait => "wait",
            Step::Verify => "verify",
            Step::Retire => "retire",
            Step::Done => "done",
        }
    }
}

/// One invalidation of a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// Its caller reference.
    pub caller_reference: String,
    /// Its Id.
    pub id: String,
    /// How many paths it has.
    pub n_paths: u64,
    /// Whether it reads `Completed`.
    pub is_completed: bool,
}

/// How far a release has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The release's Id.
    pub release: String,
    /// The step that comes next: all before it are finished.
    pub next: Step,
    /// Its invalidations.
    pub sent: Vec<Sent>,
    /// When the last of its files was live, in milliseconds since 1970.
    pub live_ms: Option<i64>,
    /// The ETags of what this run has written.
    #[serde(skip)]
    pub etags: BTreeMap<String, String>,
}

impl Record {
    /// A release that is about to begin.
    pub fn new(release: &str) -> Record {
        Record {
            release: release.into(),
            next: Step::Keep,
            sent: Vec::new(),
            live_ms: None,
            etags: BTreeMap::new(),
        }
    }
}

/// Splits an invalidation into batches that one request takes. Source: CloudFront Developer Guide, "Concurrent invalidation request
/// maximum": 3,000 paths, of which 15 wildcards.
pub fn batches(paths: &[String]) -> Vec<Vec<String>> {
    let (wildcards, exact): (Vec<&String>, Vec<&String>) =
        paths.iter().partition(|path| crate::cover::is_wildcard(path));
    let mut files = exact.chunks(crate::cover::FILES_MAX);
    let mut stars = wildcards.chunks(crate::cover::WILDCARDS_MAX);
    let mut batches = Vec::new();
    loop {
        let batch: Vec<String> = [files.next(), stars.next()]
            .into_iter()
            .flatten()
            .flatten()
            .map(|path| (*path).clone())
            .collect();
        if batch.is_empty() {
            return batches;
        }
        batches.push(batch);
    }
}

/// The caller reference of a batch: the same release and the same paths are the same invalidation, however often it is tried.
pub fn caller_reference(release: &str, number: usize, paths: &[String]) -> String {
    let digest = crate::digest::Digest::of(paths.join("\n").as_bytes()).to_string();
    format!("warmfront-{release}-{number}-{}", &digest[..12])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_come_after_their_assets_and_before_the_invalidation() {
        assert!(Step::ALL.is_sorted());
        assert!(Step::CheckAssets < Step::Pages && Step::Pages < Step::Invalidate && Step::Wait < Step::Retire);
        assert_eq!(Step::Retire.next(), Step::Done);
        assert_eq!(Step::Done.next(), Step::Done);
    }

    #[test]
    fn batches_fit_a_request() {
        let paths: Vec<String> = (0..3_001)
            .map(|number| format!("/{number}"))
            .chain(["/a/*".into()])
            .collect();
        let batches = batches(&paths);
        assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [3_001, 1]);
        assert_eq!(batches[0].last().unwrap(), "/a/*");
        assert!(super::batches(&[]).is_empty());
    }

    #[test]
    fn a_retry_is_the_same_invalidation() {
        let paths = ["/a".to_owned(), "/b".to_owned()];
        let first = caller_reference("r1", 0, &paths);
        assert_eq!(first, caller_reference("r1", 0, &paths));
        assert_ne!(first, caller_reference("r2", 0, &paths));
        assert_ne!(first, caller_reference("r1", 1, &paths));
        assert_ne!(first, caller_reference("r1", 0, &paths[..1]));
    }
}

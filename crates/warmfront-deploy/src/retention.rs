//! Which files nobody needs any more: by reachability from the releases that are kept.

use std::collections::BTreeSet;

use crate::digest::Digest;
use crate::manifest::Manifest;

/// How long files are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// This many releases before the newest keep their files.
    pub releases: usize,
    /// Files stay this long after the release that dropped them.
    pub days: u32,
}

const DAY_MS: i64 = 86_400_000;

/// How many releases, counted from the oldest, are past both terms: more than `releases` newer ones exist, and the release
/// that replaced it is older than `days`. The newest never is.
pub fn n_expired(finished_ms: &[i64], terms: Terms, now_ms: i64) -> usize {
    let n_candidates = finished_ms.len().saturating_sub(terms.releases + 1);
    let replaced_long_ago = |replaced_ms: &&i64| now_ms - **replaced_ms > i64::from(terms.days) * DAY_MS;
    finished_ms
        .iter()
        .skip(1)
        .take(n_candidates)
        .take_while(replaced_long_ago)
        .count()
}

/// Keys of the expired releases that no kept release has. Keys that no release knows are never in it. The newest release is the last.
pub fn collectable(releases: &[Manifest], n_expired: usize) -> BTreeSet<String> {
    let (expired, kept) = releases.split_at(n_expired.min(releases.len()));
    let needed = |key: &String| kept.iter().any(|release| release.files.contains_key(key));
    let candidates = expired.iter().flat_map(|release| release.files.keys());
    candidates.filter(|key| !needed(key)).cloned().collect()
}

/// Contents that some kept release has: what else lies among the kept objects can go.
pub fn needed_contents(releases: &[Manifest], n_expired: usize) -> BTreeSet<Digest> {
    let kept = releases.iter().skip(n_expired);
    kept.flat_map(|release| release.files.values().map(|entry| entry.digest))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::headers::{Class, Headers};
    use crate::manifest::Entry;

    fn manifest(keys: &[&str]) -> Manifest {
        let entry = |key: &&str| Entry {
            digest: Digest::of(key.as_bytes()),
            size: 1,
            class: Class::Fingerprinted,
            headers: Headers::default(),
            etag: None,
            distrusted: false,
        };
        Manifest {
            files: keys.iter().map(|key| ((*key).to_owned(), entry(key))).collect(),
        }
    }

    #[test]
    fn both_terms_must_be_over() {
        let day = |number: i64| number * DAY_MS;
        let terms = Terms { releases: 1, days: 7 };
        for (finished, now, expected) in [
            (&[][..], 0, 0),
            (&[day(0)], day(100), 0),
            (&[day(0), day(1)], day(100), 0),
            // The first was replaced on day 1.
            (&[day(0), day(1), day(2)], day(8), 0),
            (&[day(0), day(1), day(2)], day(9), 1),
            (&[day(0), day(1), day(2), day(3)], day(9), 1),
            (&[day(0), day(1), day(2), day(3)], day(30), 2),
        ] {
            assert_eq!(n_expired(finished, terms, now), expected, "{finished:?} at {now}");
        }
    }

    #[test]
    fn what_a_kept_release_has_stays() {
        let releases = [manifest(&["a", "b"]), manifest(&["b", "c"]), manifest(&["d"])];
        assert_eq!(collectable(&releases, 1), BTreeSet::from(["a".to_owned()]));
        assert_eq!(collectable(&releases, 0), BTreeSet::new());
        assert!(needed_contents(&releases, 1).contains(&Digest::of(b"b")));
        assert!(!needed_contents(&releases, 1).contains(&Digest::of(b"a")));
    }
}

//! From URLs to invalidation paths under the quotas: the exact paths while they fit, else the deepest common wildcards.
//!
//! The cheapest cover, which weighs what a wildcard flushes besides, can take this function's place.

use std::collections::{BTreeMap, BTreeSet};

#[cfg(test)]
mod tests;

/// Paths without a wildcard that may be in progress. Source: CloudFront Developer Guide, "Concurrent invalidation request maximum".
pub const FILES_MAX: usize = 3_000;

/// Paths with a wildcard that may be in progress. Source: the same.
pub const WILDCARDS_MAX: usize = 15;

/// How many paths a plan may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Without a wildcard.
    pub files_max: usize,
    /// With one.
    pub wildcards_max: usize,
}

impl Limits {
    /// CloudFront's, with `files_max` no larger than what the settings allow.
    pub fn new(files_max: usize) -> Limits {
        Limits {
            files_max: files_max.min(FILES_MAX),
            wildcards_max: WILDCARDS_MAX,
        }
    }
}

/// Covers `wanted` (paths, some of which end in `*`; tags begin with `#`) within `limits`.
///
/// Every wanted path is in the result, or a wildcard of the result covers it. The result is sorted and has no path that
/// another one covers. `/*` covers all and always fits.
pub fn cover(wanted: &BTreeSet<String>, limits: Limits) -> Vec<String> {
    let (wildcards, exact): (BTreeSet<String>, BTreeSet<String>) =
        wanted.iter().cloned().partition(|path| is_wildcard(path));
    let mut chosen = Cover { exact, wildcards };
    chosen.drop_covered();
    while chosen.exact.len() > limits.files_max || chosen.wildcards.len() > limits.wildcards_max {
        let too_many_files = chosen.exact.len() > limits.files_max;
        let Some(folder) = chosen.deepest_folder(too_many_files).or_else(|| chosen.root()) else {
            break; // Nothing but tags is left, and no path covers a tag.
        };
        chosen.wildcards.insert(format!("{folder}*"));
        chosen.drop_covered();
    }
    chosen.exact.into_iter().chain(chosen.wildcards).collect()
}

/// Whether one path of the result covers another. Source: CloudFront Developer Guide, "What you need to know when invalidating files".
pub fn covers(path: &str, other: &str) -> bool {
    match path.strip_suffix('*') {
        Some(prefix) if path.starts_with('/') => other.starts_with(prefix),
        _ => path == other,
    }
}

/// Whether it is a path that ends in `*`.
pub fn is_wildcard(path: &str) -> bool {
    path.starts_with('/') && path.ends_with('*')
}

struct Cover {
    exact: BTreeSet<String>,
    wildcards: BTreeSet<String>,
}

impl Cover {
    fn drop_covered(&mut self) {
        let all = self.wildcards.clone();
        let covered = |path: &String| all.iter().any(|wildcard| wildcard != path && covers(wildcard, path));
        self.wildcards.retain(|path| !covered(path));
        self.exact.retain(|path| !covered(path));
    }

    /// The root, unless it is covered already.
    fn root(&self) -> Option<String> {
        (!self.wildcards.contains("/*")).then(|| "/".into())
    }

    /// The deepest folder that draws at least two paths together; among equally deep ones that with the most. If there are too
    /// many files, at least one of the two must be a file, else both are wildcards. A tag lies in no folder.
    fn deepest_folder(&self, too_many_files: bool) -> Option<String> {
        let mut inside: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for path in self.exact.iter().filter(|path| path.starts_with('/')) {
            for (at, _) in path.match_indices('/') {
                inside.entry(&path[..=at]).or_default().0 += 1;
            }
        }
        for path in &self.wildcards {
            // `/a/*` lies in the folder `/`, not in `/a/`: drawing it into itself would gain nothing.
            let body = path.trim_end_matches('*').trim_end_matches('/');
            for (at, _) in body.match_indices('/') {
                inside.entry(&path[..=at]).or_default().1 += 1;
            }
        }
        let gains = |(n_files, n_wildcards): (usize, usize)| match too_many_files {
            true => n_files >= 1 && n_files + n_wildcards >= 2,
            false => n_wildcards >= 2,
        };
        let depth = |folder: &str| folder.matches('/').count();
        inside
            .into_iter()
            .filter(|(_, counts)| gains(*counts))
            .max_by_key(|(folder, (n_files, n_wildcards))| (depth(folder), n_files + n_wildcards))
            .map(|(folder, _)| folder.to_owned())
    }
}

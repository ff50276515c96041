//! From URLs to invalidation paths under the quotas: the exact paths while they fit, else the deepest common wildcards.
//!
//! The cheapest cover, which weighs what a wildcard flushes besides, can take this function's place.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::ops::Bound;

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
/// another one covers. `/*` covers all and always fits. While there are too many, the deepest folder that draws at least two together
/// becomes a wildcard; among equally deep ones that with the most.
pub fn cover(wanted: &BTreeSet<String>, limits: Limits) -> Vec<String> {
    let mut chosen = Cover::new(wanted);
    chosen.shrink(
        limits,
        |n_files, n_all| n_files >= 1 && n_all >= 2,
        |chosen, limits| chosen.exact.len() > limits.files_max,
    );
    chosen.shrink(
        limits,
        |n_files, n_all| n_all - n_files >= 2,
        |chosen, limits| chosen.prefixes.len() > limits.wildcards_max,
    );
    let wildcards = chosen.prefixes.iter().map(|prefix| format!("{prefix}*"));
    chosen.exact.iter().cloned().chain(wildcards).collect()
}

/// Whether it is a path that ends in `*`.
pub fn is_wildcard(path: &str) -> bool {
    path.starts_with('/') && path.ends_with('*')
}

/// How much a folder holds.
#[derive(Clone, Copy, Debug, Default)]
struct Inside {
    n_files: usize,
    /// Files and wildcards. `/a/*` lies in the folder `/`, not in `/a/`: drawing it into itself would gain nothing.
    n_all: usize,
}

struct Cover {
    exact: BTreeSet<String>,
    /// The wildcards without their `*`.
    prefixes: BTreeSet<String>,
    /// By folder, with `/` at both ends. A tag lies in no folder.
    folders: BTreeMap<String, Inside>,
}

impl Cover {
    fn new(wanted: &BTreeSet<String>) -> Cover {
        let (wildcards, exact): (Vec<&String>, Vec<&String>) = wanted.iter().partition(|path| is_wildcard(path));
        let mut prefixes: BTreeSet<String> = BTreeSet::new();
        let sorted: BTreeSet<&str> = wildcards.iter().filter_map(|path| path.strip_suffix('*')).collect();
        for prefix in sorted {
            if !is_covered(&prefixes, prefix) {
                prefixes.insert(prefix.to_owned());
            }
        }
        let exact = exact.into_iter().filter(|path| !is_covered(&prefixes, path));
        let exact: BTreeSet<String> = exact.cloned().collect();
        let mut folders: BTreeMap<String, Inside> = BTreeMap::new();
        for path in exact.iter().filter(|path| path.starts_with('/')) {
            for folder in folders_of(path) {
                let inside = folders.entry(folder.to_owned()).or_default();
                (inside.n_files, inside.n_all) = (inside.n_files + 1, inside.n_all + 1);
            }
        }
        for prefix in &prefixes {
            for folder in folders_of(prefix.strip_suffix('/').unwrap_or(prefix)) {
                folders.entry(folder.to_owned()).or_default().n_all += 1;
            }
        }
        Cover {
            exact,
            prefixes,
            folders,
        }
    }

    /// Draws folders together until it is not `too_many` any more. `gains` judges a folder by its files, and by all in it.
    fn shrink(
        &mut self,
        limits: Limits,
        gains: impl Fn(usize, usize) -> bool,
        too_many: impl Fn(&Cover, Limits) -> bool,
    ) {
        let rank = |(folder, inside): (&String, &Inside)| {
            let depth = folder.matches('/').count();
            gains(inside.n_files, inside.n_all).then(|| (depth, inside.n_all, folder.clone()))
        };
        let mut ranked: BinaryHeap<(usize, usize, String)> = self.folders.iter().filter_map(rank).collect();
        while too_many(self, limits) {
            let Some((_, n_all, folder)) = ranked.pop() else {
                self.draw("/");
                return; // What is left are tags, and no path covers a tag.
            };
            // What has changed since it was ranked was ranked again.
            let inside = self.folders.get(&folder);
            if inside.is_none_or(|inside| inside.n_all != n_all || !gains(inside.n_files, n_all)) {
                continue;
            }
            self.draw(&folder);
            for above in folders_of(&folder[..folder.len() - 1]) {
                ranked.extend(self.folders.get_key_value(above).and_then(rank));
            }
        }
    }

    /// Puts a wildcard in place of all that lies in a folder.
    fn draw(&mut self, folder: &str) {
        let n_files = take_below(&mut self.exact, folder);
        let n_all = n_files + take_below(&mut self.prefixes, folder);
        self.prefixes.insert(folder.to_owned());
        let below = self
            .folders
            .range::<str, _>((Bound::Included(folder), Bound::Unbounded));
        let below: Vec<String> = below
            .map(|(name, _)| name.clone())
            .take_while(|name| name.starts_with(folder))
            .collect();
        for name in &below {
            self.folders.remove(name);
        }
        for above in folders_of(&folder[..folder.len() - 1]) {
            if let Some(inside) = self.folders.get_mut(above) {
                inside.n_files -= n_files;
                inside.n_all = inside.n_all + 1 - n_all;
            }
        }
    }
}

/// The folders that a path lies in, from the root down.
fn folders_of(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..=at])
}

/// Whether one of `prefixes`, none of which begins with another, is a beginning of `path`: then it is the last one that sorts before.
fn is_covered(prefixes: &BTreeSet<String>, path: &str) -> bool {
    let before = prefixes.range::<str, _>((Bound::Unbounded, Bound::Included(path)));
    path.starts_with('/') && { before }
        .next_back()
        .is_some_and(|prefix| path.starts_with(prefix.as_str()))
}

/// Removes what begins with `folder`, and counts it.
fn take_below(paths: &mut BTreeSet<String>, folder: &str) -> usize {
    let below = paths.range::<str, _>((Bound::Included(folder), Bound::Unbounded));
    let below: Vec<String> = below.take_while(|path| path.starts_with(folder)).cloned().collect();
    for path in &below {
        paths.remove(path);
    }
    below.len()
}

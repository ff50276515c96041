//! The month so far: paths on the bill, invalidations of others in progress, and how long invalidations take.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};

use crate::cost::month_of;
use crate::price;
use crate::session::{DeployError, Session};
use crate::target::{Condition, Invalidation, PathCount};

/// How many durations are remembered.
const COMPLETIONS_MAX: usize = 9;

const NAME: &str = "month.json";

/// What the state remembers of the month, so that only new invalidations are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Month {
    /// `2026-11`.
    month: String,
    /// The paths of each of the month's invalidations. They never change.
    paths: BTreeMap<String, PathCount>,
    /// How long the site's last invalidations took until `Completed`, in milliseconds; from month to month.
    completions_ms: Vec<u64>,
    /// What others have in progress now.
    #[serde(skip)]
    pub in_progress: PathCount,
}

impl Month {
    /// Paths of the month so far.
    pub fn n_paths(&self) -> u64 {
        self.paths.values().map(|count| count.sum()).sum()
    }

    /// Free paths that are left if no other distribution of the account used any.
    pub fn free_left(&self) -> u64 {
        price::free_left(self.n_paths())
    }

    /// How long an invalidation usually takes, in milliseconds: the median of the last ones.
    pub fn completion_ms(&self) -> Option<u64> {
        let mut sorted = self.completions_ms.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied()
    }

    fn remember_completion(&mut self, took_ms: u64) {
        self.completions_ms.push(took_ms);
        let surplus = self.completions_ms.len().saturating_sub(COMPLETIONS_MAX);
        self.completions_ms.drain(..surplus);
    }
}

impl Session {
    /// The month so far of this distribution. What was learned is kept in the state, as far as that can be written.
    ///
    /// # Errors
    /// If the invalidations cannot be listed.
    pub async fn month(&self) -> Result<Month, DeployError> {
        let (begin, name, ..) = month_of(self.clock.now().0);
        // What cannot be read is learned anew.
        let kept: Option<(Month, String)> = self.state.read(NAME).await.unwrap_or_default();
        let mut month = kept.map(|(kept, _)| kept).unwrap_or_default();
        if month.month != name {
            month.paths.clear();
            month.month = name;
        }
        let known: BTreeSet<String> = month.paths.keys().cloned().collect();
        let (listed, learned) = self.count_paths(&self.distribution, begin, &known).await?;
        month.paths.extend(learned);
        let running = listed.iter().filter(|listed| !listed.is_completed);
        month.in_progress = running
            .filter_map(|listed| month.paths.get(&listed.id))
            .fold(PathCount::default(), |sum, count| sum + *count);
        Ok(month)
    }

    /// The invalidations of a distribution since `begin`, in seconds since 1970, and the paths of those that are not `known`: they never
    /// change.
    pub(crate) async fn count_paths(
        &self,
        distribution: &str,
        begin: i64,
        known: &BTreeSet<String>,
    ) -> Result<(Vec<Invalidation>, BTreeMap<String, PathCount>), DeployError> {
        let patience = &self.patience;
        let listed = patience.attempt(|| self.cdn.invalidations(distribution, begin, known));
        let listed = listed.await?;
        let unknown = listed.iter().filter(|listed| !known.contains(&listed.id));
        let asked = stream::iter(unknown).map(|listed| async move {
            let count = match listed.paths {
                Some(count) => count,
                None => {
                    let ask = || self.cdn.invalidation(distribution, &listed.id);
                    patience.attempt(ask).await?.paths.unwrap_or_default()
                }
            };
            Ok::<_, DeployError>((listed.id.clone(), count))
        });
        let counts = asked.buffer_unordered(self.options.n_parallel).try_collect().await?;
        Ok((listed, counts))
    }

    /// Remembers how long invalidations took. Only the next plan's choice hangs on it.
    pub(crate) async fn learn(&self, took_ms: &[u64]) {
        if took_ms.is_empty() {
            return;
        }
        let mut month = match self.month_seen() {
            Some(month) => month,
            None => self
                .state
                .read(NAME)
                .await
                .ok()
                .flatten()
                .map(|(kept, _)| kept)
                .unwrap_or_default(),
        };
        took_ms.iter().for_each(|took_ms| month.remember_completion(*took_ms));
        // Without it the next run asks again.
        let _ = self.state.write(NAME, &month, Condition::Any).await;
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A month in which `n_used` paths were sent, and invalidations took so long.
    pub(crate) fn month(n_used: u64, completions_ms: &[u64]) -> Month {
        let count = PathCount {
            files: n_used,
            wildcards: 0,
        };
        Month {
            paths: BTreeMap::from([("I1".to_owned(), count)]),
            completions_ms: completions_ms.to_vec(),
            ..Month::default()
        }
    }

    /// A month in which others have this in progress.
    pub(crate) fn busy_month(files: u64, wildcards: u64) -> Month {
        Month {
            in_progress: PathCount { files, wildcards },
            ..Month::default()
        }
    }

    #[test]
    fn one_slow_hour_does_not_decide() {
        assert_eq!(month(0, &[]).completion_ms(), None);
        let mut seen = month(0, &[20, 30, 40_000]);
        assert_eq!(seen.completion_ms(), Some(30));
        (0..100).for_each(|_| seen.remember_completion(7));
        assert_eq!(
            (seen.completion_ms(), seen.completions_ms.len()),
            (Some(7), COMPLETIONS_MAX)
        );
    }
}

//! Free paths against time: what would expire by itself within seconds can be invalidated instead, if that is faster and free.

use crate::affected::Affected;
use crate::month::Month;

/// Adds what expires by itself to the invalidation, if the month's free paths pay for it and it is not known to take longer.
///
/// `paths_max` is how many paths a release may use for that; 0 always waits. Without knowledge of the month nothing is spent.
/// `Completed` is judged by this site's last invalidations; while there was none yet, the invalidation is tried.
pub fn hurry(mut sum: Affected, month: Option<&Month>, paths_max: usize) -> Affected {
    let wait_ms = sum.expiring.values().map(|(secs, _)| secs * 1_000).max();
    let (Some(wait_ms), Some(month)) = (wait_ms, month) else {
        return sum;
    };
    let n_more = sum
        .expiring
        .keys()
        .filter(|path| !sum.paths.contains_key(*path))
        .count();
    let n_all = (sum.paths.len() + n_more) as u64;
    let is_free = n_all <= month.free_left();
    let is_faster = month
        .completion_ms()
        .is_none_or(|completion_ms| completion_ms < wait_ms);
    // Another wait of the same length would go on all the same.
    let gains = sum.expiry_secs * 1_000 < wait_ms;
    if n_more <= paths_max && is_free && is_faster && gains {
        for (path, (_, reason)) in std::mem::take(&mut sum.expiring) {
            sum.paths.entry(path).or_insert(reason);
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::month::tests::month;

    fn expiring(n_paths: usize, secs: u64) -> Affected {
        let path = |number: usize| (format!("/{number}"), (secs, "changed".to_owned()));
        Affected {
            expiring: (0..n_paths).map(path).collect(),
            ..Affected::default()
        }
    }

    #[test]
    fn free_paths_buy_time_while_there_are_any_and_only_if_it_is_time() {
        for (what, sum, month, paths_max, expected) in [
            ("nobody knows the month", expiring(3, 1), None, 50, 0),
            ("free and fast", expiring(3, 1), Some(month(0, &[20, 30])), 50, 3),
            (
                "nothing is known of the time",
                expiring(3, 1),
                Some(month(0, &[])),
                50,
                3,
            ),
            (
                "slower than waiting",
                expiring(3, 1),
                Some(month(0, &[6_000, 9_000])),
                50,
                0,
            ),
            (
                "the free paths are used up",
                expiring(3, 1),
                Some(month(998, &[20])),
                50,
                0,
            ),
            ("the last free ones", expiring(3, 1), Some(month(997, &[20])), 50, 3),
            (
                "more than the setting allows",
                expiring(3, 1),
                Some(month(0, &[20])),
                2,
                0,
            ),
            ("never", expiring(3, 1), Some(month(0, &[20])), 0, 0),
        ] {
            let after = hurry(sum, month.as_ref(), paths_max);
            assert_eq!(after.paths.len(), expected, "{what}");
            assert_eq!(after.expiring.is_empty(), expected > 0, "{what}");
        }
    }

    #[test]
    fn what_must_be_invalidated_counts_against_the_free_paths_too() {
        let mut sum = expiring(3, 1);
        sum.paths = BTreeMap::from([("/0".to_owned(), String::new()), ("/x".to_owned(), String::new())]);
        assert_eq!(hurry(sum.clone(), Some(&month(996, &[])), 50).paths.len(), 4);
        assert_eq!(hurry(sum, Some(&month(997, &[])), 50).paths.len(), 2);
    }

    #[test]
    fn an_error_page_that_is_waited_for_anyway_leaves_nothing_to_gain() {
        let sum = Affected {
            expiry_secs: 1,
            ..expiring(3, 1)
        };
        assert!(hurry(sum, Some(&month(0, &[])), 50).paths.is_empty());
    }
}

//! What invalidations cost this month.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::price::{forecast, free_left, of_month};
use crate::session::{DeployError, Session};
use crate::target::Fault;

/// The month so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// `2026-11`.
    pub month: String,
    /// Paths by distribution.
    pub paths: BTreeMap<String, u64>,
    /// Paths of all distributions looked at.
    pub n_paths: u64,
    /// Free paths that are left.
    pub free_left: u64,
    /// What they cost on AWS.
    pub price: String,
    /// Paths of the whole month at this pace.
    pub forecast_paths: u64,
    /// What those would cost.
    pub forecast_price: String,
    /// Whether every distribution of the account was counted; the free paths are the account's.
    pub whole_account: bool,
}

/// The month's beginning in seconds since 1970, its name, the day that is running, and how many days it has.
pub(crate) fn month_of(now_ms: i64) -> (i64, String, u32, u32) {
    let now = jiff::Timestamp::from_millisecond(now_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let zoned = now.to_zoned(jiff::tz::TimeZone::UTC);
    let date = zoned.date();
    let first = date.first_of_month().to_zoned(jiff::tz::TimeZone::UTC);
    let begin = first.map(|first| first.timestamp().as_second()).unwrap_or(0);
    let number = |value: i8| u32::try_from(value).unwrap_or(1);
    (
        begin,
        zoned.strftime("%Y-%m").to_string(),
        number(date.day()),
        number(date.days_in_month()),
    )
}

/// The sums of a month.
fn sums(now_ms: i64, paths: BTreeMap<String, u64>, whole_account: bool) -> Cost {
    let (_, month, day, n_days) = month_of(now_ms);
    let n_paths = paths.values().sum();
    let forecast_paths = forecast(n_paths, day, n_days);
    Cost {
        month,
        n_paths,
        paths,
        free_left: free_left(n_paths),
        price: of_month(n_paths).to_string(),
        forecast_paths,
        forecast_price: of_month(forecast_paths).to_string(),
        whole_account,
    }
}

impl Session {
    /// Counts the paths of this calendar month (UTC), a wildcard as one and a tag as one: of every distribution of the account if that is allowed, else of this one.
    ///
    /// # Errors
    /// If the distribution's invalidations cannot be listed.
    pub async fn cost(&self) -> Result<Cost, DeployError> {
        let now_ms = self.clock.now().0;
        let (begin, ..) = month_of(now_ms);
        let (distributions, whole_account) = match self.patience.attempt(|| self.cdn.distributions()).await {
            Ok(all) => (all, true),
            Err(error) if error.fault == Fault::Denied => (vec![self.distribution.clone()], false),
            Err(error) => return Err(error.into()),
        };
        let mut paths = BTreeMap::new();
        for distribution in distributions {
            let (_, counts) = self.count_paths(&distribution, begin, &BTreeSet::new()).await?;
            paths.insert(distribution, counts.values().map(|count| count.sum()).sum());
        }
        Ok(sums(now_ms, paths, whole_account))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-15T12:00:00Z.
    const MIDDLE_OF_NOVEMBER_MS: i64 = 1_794_744_000_000;

    #[test]
    fn a_month_begins_at_midnight_utc() {
        let (begin, month, day, n_days) = month_of(MIDDLE_OF_NOVEMBER_MS);
        assert_eq!((begin, &*month, day, n_days), (1_793_491_200, "2026-11", 15, 30));
    }

    #[test]
    fn the_sums_of_the_guide() {
        let cost = |n_paths| {
            sums(
                MIDDLE_OF_NOVEMBER_MS,
                BTreeMap::from([("E1".to_owned(), n_paths)]),
                true,
            )
        };
        // 10 deploys a month with 20 files each, then 50 files 100 times a month.
        assert_eq!((cost(200).price.as_str(), cost(200).free_left), ("0.00 USD", 800));
        assert_eq!((cost(5_000).price.as_str(), cost(5_000).free_left), ("20.00 USD", 0));
        assert_eq!(
            (cost(600).forecast_paths, cost(600).forecast_price.as_str()),
            (1_200, "1.00 USD")
        );
    }

    #[test]
    fn all_distributions_share_the_free_paths() {
        let paths = BTreeMap::from([("E1".to_owned(), 800), ("E2".to_owned(), 400)]);
        assert_eq!(sums(MIDDLE_OF_NOVEMBER_MS, paths, true).price, "1.00 USD");
    }
}

//! What invalidation paths cost on AWS.
//!
//! Source: CloudFront Developer Guide, "Pay for file invalidation": the first 1,000 paths of a calendar month are free for the
//! account, each further one is 0.005 USD; a wildcard is one path, and so is a tag.

use std::fmt;

/// Paths of a calendar month that cost nothing.
pub const FREE_PATHS_PER_MONTH: u64 = 1_000;

/// A tenth of a US cent: the price of a path is five of these.
const MILLS_PER_PATH: u64 = 5;

/// An amount in thousandths of a US dollar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Usd(pub u64);

impl fmt::Display for Usd {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, mills) = (self.0 / 1000, self.0 % 1000);
        if mills.is_multiple_of(10) {
            write!(formatter, "{whole}.{:02} USD", mills / 10)
        } else {
            write!(formatter, "{whole}.{mills:03} USD")
        }
    }
}

/// What a whole month with this many paths costs.
pub fn of_month(n_paths: u64) -> Usd {
    Usd(n_paths.saturating_sub(FREE_PATHS_PER_MONTH) * MILLS_PER_PATH)
}

/// What `n_more` paths cost in a month in which `n_used` were sent already.
pub fn of_more(n_used: u64, n_more: u64) -> Usd {
    Usd(of_month(n_used + n_more).0 - of_month(n_used).0)
}

/// Free paths that the month has left.
pub fn free_left(n_used: u64) -> u64 {
    FREE_PATHS_PER_MONTH.saturating_sub(n_used)
}

/// How many paths the whole month will have at the pace so far. `days_passed` counts the day that is running.
pub fn forecast(n_used: u64, days_passed: u32, days_in_month: u32) -> u64 {
    n_used * u64::from(days_in_month) / u64::from(days_passed.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sums_of_the_guide() {
        // 10 deploys a month with 20 files each; 50 files, 100 times a month.
        assert_eq!(of_month(10 * 20), Usd(0));
        assert_eq!(of_month(50 * 100).to_string(), "20.00 USD");
        // The same hundred releases by wildcard.
        assert_eq!(of_month(100).to_string(), "0.00 USD");
    }

    #[test]
    fn the_free_paths_are_used_first() {
        for (used, more, price, left) in [
            (0, 1_000, "0.00 USD", 1_000),
            (0, 1_001, "0.005 USD", 1_000),
            (999, 2, "0.005 USD", 1),
            (5_000, 3, "0.015 USD", 0),
            (990, 30, "0.10 USD", 10),
        ] {
            assert_eq!(of_more(used, more).to_string(), price, "{used} + {more}");
            assert_eq!(free_left(used), left);
        }
    }

    #[test]
    fn a_forecast_goes_on_at_the_same_pace() {
        assert_eq!(forecast(100, 10, 30), 300);
        assert_eq!(forecast(7, 0, 31), 217);
    }
}

use std::fmt;

use jiff::tz::TimeZone;
use warmfront_model::Timestamp;

/// A calendar month in UTC, the period that invalidation paths are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    /// The year.
    pub year: i16,
    /// 1 to 12.
    pub month: i8,
}

impl Month {
    /// The month that `moment` falls in. Moments beyond the years -9999 to 9999 count as January 1970.
    pub fn of(moment: Timestamp) -> Month {
        let moment = jiff::Timestamp::from_millisecond(moment.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let date = moment.to_zoned(TimeZone::UTC).date();
        Month {
            year: date.year(),
            month: date.month(),
        }
    }
}

impl fmt::Display for Month {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04}-{:02}", self.year, self.month)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_turn_at_midnight_utc() {
        let month = |ms| Month::of(Timestamp(ms)).to_string();
        // 2024-02-29T23:59:59.999Z and the millisecond after.
        assert_eq!(month(1_709_251_199_999), "2024-02");
        assert_eq!(month(1_709_251_200_000), "2024-03");
        assert_eq!(month(-1), "1969-12");
        assert_eq!(month(i64::MAX), "1970-01");
    }
}

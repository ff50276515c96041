use std::time::Duration;

/// A moment in milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Whole seconds since 1970, rounded towards the past.
    pub fn unix_secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The moment `duration` later; saturates at the end of time.
    pub fn plus(self, duration: Duration) -> Timestamp {
        let duration_ms = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Timestamp(self.0.saturating_add(duration_ms))
    }

    /// How long after `earlier` this is, in whole seconds rounded down; 0 if it is not after it.
    pub fn secs_since(self, earlier: Timestamp) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0) / 1000
    }

    /// The moment `secs` seconds after 1970 (negative: before).
    pub fn from_unix_secs(secs: i64) -> Timestamp {
        Timestamp(secs.saturating_mul(1000))
    }
}

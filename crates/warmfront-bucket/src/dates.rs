//! Times as S3 writes them.

use s3s::dto::{Timestamp as S3Timestamp, TimestampFormat};
use time::OffsetDateTime;

/// Milliseconds since 1970 as the protocol layer's time; beyond its range, 1970.
pub(crate) fn from_ms(ms: i64) -> S3Timestamp {
    let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000);
    moment.unwrap_or(OffsetDateTime::UNIX_EPOCH).into()
}

/// Seconds since 1970 as the protocol layer's time; beyond its range, 1970.
pub(crate) fn from_unix_secs(secs: i64) -> S3Timestamp {
    from_ms(secs.saturating_mul(1000))
}

/// The protocol layer's time in seconds since 1970.
pub(crate) fn to_unix_secs(moment: S3Timestamp) -> i64 {
    OffsetDateTime::from(moment).unix_timestamp()
}

/// Reads `Sun, 06 Nov 1994 08:49:37 GMT`; seconds since 1970.
pub(crate) fn parse_http_date(text: &str) -> Option<i64> {
    S3Timestamp::parse(TimestampFormat::HttpDate, text)
        .ok()
        .map(to_unix_secs)
}

/// Writes `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(crate) fn http_date(ms: i64) -> String {
    let mut text = Vec::new();
    match from_ms(ms).format(TimestampFormat::HttpDate, &mut text) {
        Ok(()) => String::from_utf8(text).unwrap_or_default(),
        Err(_) => String::new(),
    }
}

/// Writes `1994-11-06T08:49:37.000Z`.
pub(crate) fn iso_date(ms: i64) -> String {
    let mut text = Vec::new();
    match from_ms(ms).format(TimestampFormat::DateTime, &mut text) {
        Ok(()) => String::from_utf8(text).unwrap_or_default(),
        Err(_) => String::new(),
    }
}

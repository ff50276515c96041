use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, HeaderName, HeaderValue};
use warmfront_model::Timestamp;

/// The last second that an HTTP date can name: the end of the year 9999.
const UNIX_SECS_MAX: i64 = 253_402_300_799;

/// Reads an HTTP date in any of its three forms: IMF-fixdate, RFC 850, asctime.
///
/// `None` for anything else, for a date that does not exist and for one before 1970.
/// Two digits of a year stand for 1970 to 2069.
///
/// Source: RFC 9110 section 5.6.7.
pub fn parse_http_date(value: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(value).ok()?;
    let since_1970 = httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(Timestamp::from_unix_secs(i64::try_from(since_1970.as_secs()).ok()?))
}

/// The date in field `name`: `None` without the field, `Some(None)` if it holds no date or there are several fields.
///
/// Source: RFC 9110 section 5.6.7; section 13.1.3 for several values.
pub fn date_field(headers: &HeaderMap, name: HeaderName) -> Option<Option<Timestamp>> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    if values.next().is_some() {
        return Some(None);
    }
    Some(parse_http_date(first.as_bytes()))
}

/// Writes `moment` as IMF-fixdate, fractions of a second dropped; the years 1970 to 9999 bound it.
///
/// Source: RFC 9110 section 5.6.7.
pub fn format_http_date(moment: Timestamp) -> HeaderValue {
    let secs = moment.unix_secs().clamp(0, UNIX_SECS_MAX).unsigned_abs();
    let text = httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(secs));
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("Thu, 01 Jan 1970 00:00:00 GMT"))
}

#[cfg(test)]
mod tests;

use http::HeaderMap;
use http::header::AGE;

use crate::list::{elements, unquote};

/// The value that every larger number of seconds is taken for: 2^31.
///
/// Source: RFC 9111 section 1.2.2.
pub const DELTA_SECONDS_MAX: u64 = 1 << 31;

/// Reads a number of seconds, as a token or a quoted string; `None` unless it is digits alone.
pub(crate) fn delta_seconds(argument: &[u8]) -> Option<u64> {
    let digits = unquote(argument)?;
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let saturating = |secs: u64, digit: &u8| (secs * 10 + u64::from(digit - b'0')).min(DELTA_SECONDS_MAX);
    Some(digits.iter().fold(0, saturating))
}

/// The Age field in whole seconds, at most [`DELTA_SECONDS_MAX`].
///
/// The first member counts if there are several, and a value that is no number is ignored.
///
/// Source: RFC 9111 section 5.1.
pub fn age_field(headers: &HeaderMap) -> Option<u64> {
    let value = headers.get(AGE)?.as_bytes();
    elements(value).next().and_then(delta_seconds)
}

#[cfg(test)]
mod tests;

use std::time::Duration;

use thiserror::Error;

/// The longest duration that is taken, in days: a century.
const DAYS_MAX: u64 = 36_500;

/// Units in the order in which they may follow each other, with their length in milliseconds.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// What was given is no duration.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum InvalidDuration {
    /// It does not have the form.
    #[error("write whole numbers with units, largest first, like 250ms, 60s, 5m or 1h30m (units: d, h, m, s, ms)")]
    Form,
    /// It is longer than [`DAYS_MAX`].
    #[error("a duration is at most {DAYS_MAX}d")]
    TooLong,
}

/// Reads a duration like `250ms`, `60s`, `5m` or `1h30m`: whole numbers with units, each unit at most once, largest first.
///
/// # Errors
/// [`InvalidDuration`] for any other form (a number without a unit too) and for more than a century.
pub fn parse(text: &str) -> Result<Duration, InvalidDuration> {
    let mut rest = text;
    let mut units = UNITS.iter();
    let mut total_ms: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at(digits);
        let letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, tail) = tail.split_at(letters);
        if number.is_empty() {
            return Err(InvalidDuration::Form);
        }
        let &(_, unit_ms) = units.find(|(name, _)| *name == unit).ok_or(InvalidDuration::Form)?;
        let number: u64 = number.parse().map_err(|_| InvalidDuration::TooLong)?;
        let part_ms = number.checked_mul(unit_ms).ok_or(InvalidDuration::TooLong)?;
        total_ms = total_ms.checked_add(part_ms).ok_or(InvalidDuration::TooLong)?;
        rest = tail;
    }
    match total_ms {
        _ if text.is_empty() => Err(InvalidDuration::Form),
        total_ms if total_ms > DAYS_MAX * 86_400_000 => Err(InvalidDuration::TooLong),
        total_ms => Ok(Duration::from_millis(total_ms)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_units_add_up() {
        let check = |text: &str, expected_ms: u64| {
            assert_eq!(parse(text), Ok(Duration::from_millis(expected_ms)), "{text}");
        };
        check("250ms", 250);
        check("60s", 60_000);
        check("5m", 300_000);
        check("1h30m", 5_400_000);
        check("1d2h3m4s5ms", 93_784_005);
        check("0s", 0);
        check("36500d", 3_153_600_000_000);
    }

    #[test]
    fn anything_else_is_refused() {
        for wrong in [
            "", "60", "s", "60 s", " 60s", "60s ", "-5s", "1.5s", "30m1h", "5m5m", "60S", "60sec", "1h30", "６０s",
        ] {
            assert_eq!(parse(wrong), Err(InvalidDuration::Form), "{wrong:?}");
        }
        for wrong in ["36501d", "99999999999999999999s", "18446744073709551615d", "36500d1ms"] {
            assert_eq!(parse(wrong), Err(InvalidDuration::TooLong), "{wrong:?}");
        }
    }
}

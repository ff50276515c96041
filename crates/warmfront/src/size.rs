use thiserror::Error;

/// What was given is no amount of bytes.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum InvalidSize {
    /// It does not have the form.
    #[error("write a whole number with a unit, like 64MiB, 512KB or 2GiB (units: B, KB, MB, GB, KiB, MiB, GiB)")]
    Form,
    /// It does not fit a signed 64-bit number of bytes.
    #[error("that is more than any machine holds")]
    TooLarge,
}

/// Reads an amount of bytes like `64MiB` (powers of 1,024) or `64MB` (powers of 1,000).
///
/// # Errors
/// [`InvalidSize`] for any other form and for more than 2^63 - 1 bytes.
pub fn parse(text: &str) -> Result<u64, InvalidSize> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit_bytes: u64 = match unit {
        "B" => 1,
        "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(InvalidSize::Form),
    };
    if number.is_empty() {
        return Err(InvalidSize::Form);
    }
    let number: u64 = number.parse().map_err(|_| InvalidSize::TooLarge)?;
    number
        .checked_mul(unit_bytes)
        .filter(|bytes| i64::try_from(*bytes).is_ok())
        .ok_or(InvalidSize::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_and_decimal_units_differ() {
        assert_eq!(parse("64MiB"), Ok(67_108_864));
        assert_eq!(parse("64MB"), Ok(64_000_000));
        assert_eq!(parse("2GiB"), Ok(2_147_483_648));
        assert_eq!(parse("512KB"), Ok(512_000));
        assert_eq!(parse("1KiB"), Ok(1_024));
        assert_eq!(parse("7B"), Ok(7));
    }

    #[test]
    fn a_bare_number_or_an_unknown_unit_is_refused() {
        for wrong in ["", "64", "MiB", "64 MiB", "64mib", "-1MiB", "1.5GiB", "64TiB"] {
            assert_eq!(parse(wrong), Err(InvalidSize::Form), "{wrong:?}");
        }
        for wrong in ["9223372036854775808B", "99999999999999999999B", "9000000000GiB"] {
            assert_eq!(parse(wrong), Err(InvalidSize::TooLarge), "{wrong:?}");
        }
    }
}

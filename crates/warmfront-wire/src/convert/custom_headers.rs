use std::sync::Arc;

use super::ConfigError;
use super::distribution::at_most;
use super::error::{ensure, repeated};
use crate::ErrorCode;
use crate::types::Origin;

const HEADERS_MAX: usize = 30;
const NAME_BYTES_MAX: usize = 256;
const VALUE_BYTES_MAX: usize = 1_783;
const TOTAL_BYTES_MAX: usize = 10_240;

/// Headers that cannot be added for the origin; those that end in `-` stand for all that begin so.
///
/// Source: CloudFront Developer Guide, "Custom headers that CloudFront can't add to origin requests".
const FORBIDDEN: &[&str] = &[
    "cache-control",
    "connection",
    "content-length",
    "cookie",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "max-forwards",
    "pragma",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "request-range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-amz-",
    "x-edge-",
    "x-real-ip",
];

/// Names and values in configured order.
pub(super) type NamesAndValues = Vec<(Arc<str>, Arc<str>)>;

/// Checks the headers that an origin wants to be sent: names in lower case, and values.
pub(super) fn custom_headers(origin: &Origin) -> Result<NamesAndValues, ConfigError> {
    let headers: Vec<_> = origin
        .custom_headers
        .iter()
        .flat_map(|headers| &headers.items)
        .collect();
    at_most(
        HEADERS_MAX,
        headers.len(),
        "custom headers",
        ErrorCode::TooManyOriginCustomHeaders,
    )?;
    let mut checked = NamesAndValues::new();
    for header in headers {
        let name = header.header_name.to_ascii_lowercase();
        check_name(&name)?;
        check_value(&name, &header.header_value)?;
        checked.push((Arc::from(name), Arc::from(header.header_value.as_str())));
    }
    if let Some(name) = repeated(checked.iter().map(|(name, _)| &**name)) {
        return Err(ConfigError::argument(format!(
            "The parameter HeaderName contains {name} more than once."
        )));
    }
    let total: usize = checked.iter().map(|(name, value)| name.len() + value.len()).sum();
    ensure(total <= TOTAL_BYTES_MAX, || {
        ConfigError::argument(format!(
            "The names and values of custom headers have {total} characters in all; the maximum is {TOTAL_BYTES_MAX}."
        ))
    })?;
    Ok(checked)
}

fn check_name(name: &str) -> Result<(), ConfigError> {
    ensure(
        (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(is_token),
        || {
            ConfigError::argument(format!(
                "The parameter HeaderName contains {name:?}, which is no header name."
            ))
        },
    )?;
    let is_forbidden = |pattern: &str| {
        if pattern.ends_with('-') {
            name.starts_with(pattern)
        } else {
            name == pattern
        }
    };
    ensure(!FORBIDDEN.iter().any(|pattern| is_forbidden(pattern)), || {
        ConfigError::argument(format!(
            "The parameter HeaderName contains {name}, which is not allowed."
        ))
    })
}

/// The value is not shown: it is often a secret shared with the origin.
fn check_value(name: &str, value: &str) -> Result<(), ConfigError> {
    let valid =
        value.len() <= VALUE_BYTES_MAX && value.bytes().all(|byte| byte == b'\t' || (0x20..0x7f).contains(&byte));
    ensure(valid, || {
        ConfigError::argument(format!(
            "The parameter HeaderValue of {name} must be printable ASCII of at most {VALUE_BYTES_MAX} characters."
        ))
    })
}

/// A character of a header's name.
///
/// Source: RFC 9110 section 5.6.2, `tchar`.
pub(super) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{CustomHeaders, OriginCustomHeader};

    fn check(headers: &[(&str, &str)]) -> Result<NamesAndValues, ErrorCode> {
        let items: Vec<_> = headers
            .iter()
            .map(|(name, value)| OriginCustomHeader {
                header_name: (*name).to_owned(),
                header_value: (*value).to_owned(),
            })
            .collect();
        let quantity = i32::try_from(items.len()).unwrap();
        let origin = Origin {
            custom_headers: Some(CustomHeaders { quantity, items }),
            ..Origin::default()
        };
        custom_headers(&origin).map_err(|error| error.code)
    }

    #[test]
    fn names_are_kept_in_lower_case_and_in_order() {
        let headers = check(&[("X-Secret", "A b"), ("Authorization", "")]).unwrap();
        assert_eq!(
            headers,
            [("x-secret".into(), "A b".into()), ("authorization".into(), "".into())]
        );
    }

    #[test]
    fn headers_of_the_connection_and_of_cloudfront_are_refused() {
        for name in [
            "Host",
            "cookie",
            "X-Amz-Date",
            "X-Edge-Anything",
            "Range",
            "Via",
            "X-Real-Ip",
            "",
            "a b",
            "é",
        ] {
            assert_eq!(check(&[(name, "a")]), Err(ErrorCode::InvalidArgument), "{name:?}");
        }
        assert_eq!(check(&[("a", "b\r\nc: d")]), Err(ErrorCode::InvalidArgument));
        assert_eq!(check(&[("a", "1"), ("A", "2")]), Err(ErrorCode::InvalidArgument));
    }

    #[test]
    fn counts_and_lengths_are_those_of_the_quotas() {
        let names: Vec<String> = (0..31).map(|number| format!("x-{number}")).collect();
        let headers: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "a")).collect();
        assert!(check(&headers[..30]).is_ok());
        assert_eq!(check(&headers), Err(ErrorCode::TooManyOriginCustomHeaders));
        assert!(check(&[(&"n".repeat(256), &"v".repeat(1_783))]).is_ok());
        assert_eq!(check(&[(&"n".repeat(257), "")]), Err(ErrorCode::InvalidArgument));
        assert_eq!(check(&[("n", &"v".repeat(1_784))]), Err(ErrorCode::InvalidArgument));
        let long = "v".repeat(1_783);
        let headers: Vec<(&str, &str)> = names[..6].iter().map(|name| (name.as_str(), long.as_str())).collect();
        assert_eq!(check(&headers), Err(ErrorCode::InvalidArgument));
    }

    #[test]
    fn a_value_is_in_no_message() {
        let header = OriginCustomHeader {
            header_name: "x".to_owned(),
            header_value: "hunter2".to_owned(),
        };
        assert!(!format!("{header:?}").contains("hunter2"));
    }
}

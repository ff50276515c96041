use thiserror::Error;

use crate::ErrorCode;

/// A configuration that is refused: CloudFront's code, and a message that names what was wrong.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{message}")]
pub struct ConfigError {
    /// The code of the error document.
    pub code: ErrorCode,
    /// The message of the error document.
    pub message: String,
}

impl ConfigError {
    /// An error with this code and message.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> ConfigError {
        ConfigError {
            code,
            message: message.into(),
        }
    }

    /// `InvalidArgument` with this message.
    pub(super) fn argument(message: impl Into<String>) -> ConfigError {
        ConfigError::new(ErrorCode::InvalidArgument, message)
    }
}

/// `Ok` if the rule holds.
pub(super) fn ensure(holds: bool, error: impl FnOnce() -> ConfigError) -> Result<(), ConfigError> {
    if holds { Ok(()) } else { Err(error()) }
}

/// A member that counts as absent when it is empty, as CloudFront's replies write absent strings.
pub(super) fn given(member: Option<&String>) -> Option<&str> {
    member.map(String::as_str).filter(|text| !text.is_empty())
}

/// The first value that occurs twice.
pub(super) fn repeated<'a>(values: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = std::collections::BTreeSet::new();
    values.into_iter().find(|value| !seen.insert(*value))
}

use std::fmt;

use thiserror::Error;

use crate::ErrorCode;

/// Why a body could not be read. Its text is the message of the error document.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum XmlError {
    /// Nothing was sent.
    #[error("This operation requires a body. Ensure that the body is present and the Content-Type header is set.")]
    MissingBody,
    /// More bytes than [`BODY_BYTES_MAX`](crate::BODY_BYTES_MAX).
    #[error("The body has {bytes} bytes; at most {max} are read.")]
    TooLarge {
        /// How many were sent.
        bytes: usize,
        /// How many are read.
        max: usize,
    },
    /// No XML, or XML of a kind that is refused.
    #[error("The XML in the body cannot be read: {0}.")]
    Malformed(String),
    /// A required member is missing.
    #[error("1 validation error detected: Value null at '{at}' failed to satisfy constraint: Member must not be null")]
    MissingMember {
        /// Where, as CloudFront writes it: `invalidationBatch.paths`.
        at: String,
    },
    /// A member's value is no number, no boolean, no time, or not one of those that are allowed.
    #[error("1 validation error detected: Value '{value}' at '{at}' failed to satisfy constraint: {constraint}")]
    InvalidValue {
        /// Where, as CloudFront writes it.
        at: String,
        /// What was sent, at most its first 256 characters.
        value: String,
        /// What was expected.
        constraint: String,
    },
    /// A `Quantity` differs from the number of `Items` beside it.
    #[error("The value of Quantity at '{at}' is {quantity}, but {items} items were sent.")]
    InconsistentQuantities {
        /// The structure that contains both.
        at: String,
        /// What it says.
        quantity: i32,
        /// How many there are.
        items: usize,
    },
}

impl XmlError {
    /// The code of the error document.
    pub fn code(&self) -> ErrorCode {
        match self {
            XmlError::MissingBody => ErrorCode::MissingBody,
            XmlError::TooLarge { .. } => ErrorCode::EntityTooLarge,
            XmlError::Malformed(_) | XmlError::MissingMember { .. } | XmlError::InvalidValue { .. } => {
                ErrorCode::MalformedXML
            }
            XmlError::InconsistentQuantities { .. } => ErrorCode::InconsistentQuantities,
        }
    }
}

/// Where in a document a value stands, written as CloudFront does: `distributionConfig.origins.items.1.member.id`.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    parent: Option<&'a Place<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Member(&'a str),
    Item(usize),
}

impl<'a> Place<'a> {
    pub(crate) fn root(name: &'a str) -> Self {
        Place {
            parent: None,
            step: Step::Member(name),
        }
    }

    pub(crate) fn member(&'a self, name: &'a str) -> Self {
        Place {
            parent: Some(self),
            step: Step::Member(name),
        }
    }

    /// The item at this position, counted from 1.
    pub(crate) fn item(&'a self, position: usize) -> Self {
        Place {
            parent: Some(self),
            step: Step::Item(position),
        }
    }

    pub(crate) fn missing(&self) -> XmlError {
        XmlError::MissingMember { at: self.to_string() }
    }

    pub(crate) fn invalid(&self, value: &str, constraint: impl Into<String>) -> XmlError {
        let value = value.chars().take(256).collect();
        XmlError::InvalidValue {
            at: self.to_string(),
            value,
            constraint: constraint.into(),
        }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            write!(formatter, "{parent}.")?;
        }
        match self.step {
            Step::Member(name) => {
                let mut letters = name.chars();
                let first = letters.next().map(|letter| letter.to_ascii_lowercase());
                write!(formatter, "{}{}", first.unwrap_or_default(), letters.as_str())
            }
            Step::Item(position) => write!(formatter, "{position}.member"),
        }
    }
}

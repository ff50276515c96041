//! What the three kinds of policies have in common: a name, a comment, and lists of names.

use std::sync::Arc;

use warmfront_model::KeyPart;

use super::ConfigError;
use super::distribution::at_most;
use super::error::{ensure, repeated};
use crate::ErrorCode;

const NAME_CHARACTERS_MAX: usize = 128;
const COMMENT_CHARACTERS_MAX: usize = 128;
const NAMES_PER_LIST_MAX: usize = 10;
const NAMES_BYTES_MAX: usize = 1_024;

/// Headers that neither a key nor an origin request policy can name; those that end in `-` stand for all that begin so.
///
/// Source: CloudFront Developer Guide, "Cache content based on request headers", the table of headers.
const FORBIDDEN: &[&str] = &[
    "cache-control",
    "connection",
    "content-length",
    "cookie",
    "expect",
    "max-forwards",
    "pragma",
    "proxy-",
    "request-range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-amz-cf-",
    "x-edge-",
    "x-forwarded-proto",
    "x-real-ip",
];

/// One of a policy's lists, as it was sent.
pub(super) struct List<'a> {
    /// The member that says how the list is meant, and its value.
    pub(super) behavior: (&'static str, &'a str),
    /// The names; empty if there is no list.
    pub(super) names: &'a [String],
    /// The code for too many of them.
    pub(super) too_many: ErrorCode,
}

impl List<'_> {
    /// Checks a list: there are names exactly where the behavior needs them, at most ten, none twice.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let (member, behavior) = self.behavior;
        let lists = !matches!(behavior, "none" | "all" | "allViewer");
        ensure(lists != self.names.is_empty(), || {
            let verb = if lists { "needs" } else { "cannot have" };
            ConfigError::argument(format!(
                "The parameter {member} with the value {behavior} {verb} a list of names."
            ))
        })?;
        at_most(NAMES_PER_LIST_MAX, self.names.len(), "names in one list", self.too_many)?;
        if let Some(name) = repeated(self.names.iter().map(String::as_str)) {
            return Err(ConfigError::argument(format!(
                "The parameter {member} names {name} more than once."
            )));
        }
        Ok(())
    }

    /// The list of cookies or query strings that this is. Names are kept as they are.
    pub(super) fn key_part(&self) -> Result<KeyPart, ConfigError> {
        self.check()?;
        let (member, behavior) = self.behavior;
        if let Some(name) = self.names.iter().find(|name| !is_visible(name)) {
            return Err(ConfigError::argument(format!(
                "The parameter {member} names {name:?}, which is no name."
            )));
        }
        let names = || self.names.iter().map(|name| Arc::from(name.as_str())).collect();
        Ok(match behavior {
            "whitelist" => KeyPart::Whitelist(names()),
            "allExcept" => KeyPart::AllExcept(names()),
            "all" => KeyPart::All,
            _ => KeyPart::None,
        })
    }

    /// The names as header names in lower case.
    pub(super) fn headers(&self) -> Result<Vec<Arc<str>>, ConfigError> {
        self.check()?;
        self.names.iter().map(|name| header_name(name).map(Arc::from)).collect()
    }
}

/// Checks a policy's name and comment.
///
/// Source: CloudFront API Reference, CachePolicyConfig, Name and Comment; names consist of letters, digits, `-` and `_`.
pub(super) fn check_name(name: &str, comment: Option<&String>) -> Result<(), ConfigError> {
    let characters = name.chars().count();
    ensure((1..=NAME_CHARACTERS_MAX).contains(&characters), || {
        ConfigError::argument(format!(
            "The parameter Name must have from 1 to {NAME_CHARACTERS_MAX} characters, not {characters}."
        ))
    })?;
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    ensure(name.bytes().all(is_allowed), || {
        ConfigError::argument("The parameter Name consists of letters, digits, - and _ only.")
    })?;
    let characters = comment.map_or(0, |comment| comment.chars().count());
    ensure(characters <= COMMENT_CHARACTERS_MAX, || {
        ConfigError::argument(format!(
            "The parameter Comment must have at most {COMMENT_CHARACTERS_MAX} characters, not {characters}."
        ))
    })
}

/// Checks how long the names of all lists are together.
///
/// Source: CloudFront Developer Guide, "Quotas".
pub(super) fn check_total_length(lists: &[&[String]]) -> Result<(), ConfigError> {
    let bytes: usize = lists.iter().flat_map(|names| names.iter()).map(String::len).sum();
    ensure(bytes <= NAMES_BYTES_MAX, || {
        ConfigError::argument(format!(
            "The names of headers, cookies and query strings have {bytes} characters in all; the maximum is \
             {NAMES_BYTES_MAX}."
        ))
    })
}

/// Refuses the first header that cannot be named. All are in lower case.
pub(super) fn check_headers(names: &[Arc<str>], also_forbidden: &[&str]) -> Result<(), ConfigError> {
    let forbidden = |name: &str| is_listed(FORBIDDEN, name) || also_forbidden.contains(&name);
    match names.iter().find(|name| forbidden(name)) {
        Some(name) => Err(ConfigError::argument(format!(
            "The parameter Headers contains {name} that is not allowed."
        ))),
        None => Ok(()),
    }
}

/// A header name in lower case.
pub(super) fn header_name(name: &str) -> Result<String, ConfigError> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    ensure(!name.is_empty() && name.bytes().all(is_token), || {
        ConfigError::argument(format!(
            "The parameter Header contains {name:?}, which is no header name."
        ))
    })?;
    Ok(name.to_ascii_lowercase())
}

/// Whether `name` is in a list in which `proxy-` stands for all names that begin so.
pub(super) fn is_listed(list: &[&str], name: &str) -> bool {
    list.iter().any(|pattern| {
        if pattern.ends_with('-') {
            name.starts_with(pattern)
        } else {
            *pattern == name
        }
    })
}

fn is_visible(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic())
}

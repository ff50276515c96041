use std::fmt;
use std::str::FromStr;

use thiserror::Error;
use warmfront_model::Revision;

/// What happens to a covered response when it is next asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum InvalidationMode {
    /// It is fetched anew, without a condition, as with CloudFront.
    #[default]
    Refetch,
    /// The origin is asked whether it has changed; if not, its body is used again.
    Revalidate,
}

/// Neither `refetch` nor `revalidate`.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{0:?} is no way to invalidate: write refetch or revalidate")]
pub struct UnknownMode(pub String);

impl InvalidationMode {
    /// The word for it, in headers, resource tags, records and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            InvalidationMode::Refetch => "refetch",
            InvalidationMode::Revalidate => "revalidate",
        }
    }
}

impl fmt::Display for InvalidationMode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for InvalidationMode {
    type Err = UnknownMode;

    fn from_str(text: &str) -> Result<InvalidationMode, UnknownMode> {
        [InvalidationMode::Refetch, InvalidationMode::Revalidate]
            .into_iter()
            .find(|mode| mode.as_str() == text)
            .ok_or_else(|| UnknownMode(text.chars().take(100).collect()))
    }
}

/// The newest revisions at which something is covered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Covering {
    /// In whatever mode.
    pub(crate) newest: Revision,
    /// To be fetched anew; never above `newest`.
    pub(crate) refetch: Revision,
}

impl Covering {
    pub(crate) const NEVER: Covering = Covering {
        newest: Revision::ZERO,
        refetch: Revision::ZERO,
    };

    pub(crate) fn new(mode: InvalidationMode, revision: Revision) -> Covering {
        Covering {
            newest: revision,
            refetch: match mode {
                InvalidationMode::Refetch => revision,
                InvalidationMode::Revalidate => Revision::ZERO,
            },
        }
    }

    /// What covers if both do.
    pub(crate) fn max(self, other: Covering) -> Covering {
        Covering {
            newest: self.newest.max(other.newest),
            refetch: self.refetch.max(other.refetch),
        }
    }
}

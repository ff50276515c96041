//! Why a request was answered as it was: every outcome has one word, the same in header, log and metric.

mod reason;
mod result_type;

use warmfront_caching::{FreshnessRule, NotStored};

pub use reason::{FetchReason, Reason};
pub use result_type::ResultType;

/// What became of a request, and why. Small and copied: a hit carries it without allocating.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Why it was answered so.
    pub reason: Reason,
    /// Why its origin was asked; `None` if it was not.
    pub fetch: Option<FetchReason>,
    /// Why the response is in the cache, or is not; `None` for an answer of the edge's own.
    pub kept: Option<Kept>,
}

/// Why a response is kept in the cache, or is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is, as long as this rule says.
    For(FreshnessRule),
    /// The caching rules say no.
    Not(NotStored),
    /// It is larger than what the store takes.
    TooLarge,
    /// Its cache tags are in a field that its origin forbids to keep.
    TagsWithheld,
    /// An error, while an expired copy stands in for it.
    StandIn,
    /// An invalidation that came in during the fetch covers it.
    Covered,
}

impl Outcome {
    /// An answer of the edge's own.
    pub(crate) fn own(reason: Reason) -> Outcome {
        Outcome {
            reason,
            fetch: None,
            kept: None,
        }
    }

    /// An answer from the store, kept by `rule`.
    pub(crate) fn stored(reason: Reason, rule: FreshnessRule) -> Outcome {
        Outcome {
            reason,
            fetch: None,
            kept: Some(Kept::For(rule)),
        }
    }

    /// CloudFront's word, for an answer with this status.
    pub fn result_type(self, status: http::StatusCode) -> ResultType {
        self.reason.result_type().for_status(status)
    }

    /// The word for why the origin was asked; `-` if it was not.
    pub fn fetch_word(self) -> &'static str {
        self.fetch.map_or("-", FetchReason::as_str)
    }

    /// The word for why the response is kept or not; `-` if there is none.
    pub fn kept_word(self) -> &'static str {
        self.kept.map_or("-", Kept::as_str)
    }
}

impl Kept {
    /// Every one.
    pub fn all() -> impl Iterator<Item = Kept> {
        let rules = FreshnessRule::ALL.iter().copied().map(Kept::For);
        let not = NotStored::ALL.iter().copied().map(Kept::Not);
        rules
            .chain(not)
            .chain([Kept::TooLarge, Kept::TagsWithheld, Kept::StandIn, Kept::Covered])
    }

    /// Whether the response is in the cache.
    pub fn is_stored(self) -> bool {
        matches!(self, Kept::For(_))
    }

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Kept::For(rule) => rule.as_str(),
            Kept::Not(reason) => reason.as_str(),
            Kept::TagsWithheld => "tags-withheld",
            Kept::TooLarge => "too-large",
            Kept::StandIn => "stand-in",
            Kept::Covered => "covered",
        }
    }
}

/// Defines an enum of outcomes with their words, so that no outcome can be without one.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// Every one, in order.
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];

            /// The word.
            pub fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)*
                }
            }
        }
    };
}
use words;

#[cfg(test)]
mod tests;

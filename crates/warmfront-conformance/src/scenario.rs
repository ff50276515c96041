//! A scenario: a few requests with what the origin says and what the viewer must get. `conformance/README.md` describes
//! the format.

mod error;
mod parse;

pub use error::{Mistake, ScenarioError};
pub(crate) use parse::duration_secs;

use crate::Profile;

/// One rule, acted out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// The rule, in a sentence.
    pub rule: String,
    /// Where it stands: keys of `conformance/sources.txt`.
    pub sources: Vec<String>,
    /// How binding it is.
    pub level: Level,
    /// Profiles that are known not to do this, each with the reason.
    pub differs: Vec<(Profile, String)>,
    /// How the distribution is configured, beyond the usual.
    pub settings: Vec<(Setting, String)>,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

/// How binding a rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// An RFC requires it of a shared cache.
    Required,
    /// An RFC allows it, and good caches use that.
    Optional,
    /// CloudFront documents it.
    Documented,
}

/// What a scenario may say of its distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// MinTTL, DefaultTTL, MaxTTL.
    Ttl,
    /// AllowedMethods: `GET HEAD`, `GET HEAD OPTIONS` or `all`.
    Methods,
    /// CachedMethods.
    CachedMethods,
    /// Query strings in the key: `none`, `all`, or the names of QueryStringCacheKeys.
    QueryStrings,
    /// Headers in the key: names, or `*`.
    Headers,
    /// Cookies in the key: `none`, `all`, or names.
    Cookies,
    /// A managed cache policy, by name, or a custom one, as [`CachePolicy`](Setting::CachePolicy) parts.
    CachePolicy,
    /// A managed origin request policy, by name.
    OriginRequestPolicy,
    /// A managed response headers policy, by name.
    ResponseHeadersPolicy,
    /// ViewerProtocolPolicy.
    ViewerProtocolPolicy,
    /// ErrorCachingMinTTL: a status and seconds.
    ErrorTtl,
    /// `yes`: Compress.
    Compress,
    /// `bucket`: the origin is an S3 bucket.
    Origin,
    /// A second cache behavior, to the same origin, with default settings and caching off: its path pattern.
    Uncached,
}

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The line it begins on.
    pub line: usize,
    /// What it is.
    pub action: Action,
}

/// What can happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A viewer asks.
    Exchange(Box<Exchange>),
    /// Time passes, in seconds.
    Wait(u64),
    /// A path is invalidated.
    Invalidate(String),
}

/// A viewer's request with all that comes of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exchange {
    /// The request.
    pub request: Request,
    /// What the origin says if it is asked, in order.
    pub replies: Vec<Reply>,
    /// What the origin says to a request that is made behind the answer.
    pub refresh: Option<Reply>,
    /// What the origin must have been asked, in order.
    pub asked: Vec<Asked>,
    /// What the viewer must get.
    pub answer: Answer,
    /// What it must get with a profile that differs.
    pub answer_of: Vec<(Profile, Answer)>,
}

/// A request of a viewer's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: String,
    /// Path and query string.
    pub target: String,
    /// The fields.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Option<String>,
}

/// A reply of the origin's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// The status; 0: it closes the connection.
    pub status: u16,
    /// How the body is sent.
    pub framing: Framing,
    /// The fields.
    pub headers: Vec<(String, String)>,
    /// The body; without one it is made up, different for each reply.
    pub body: Option<String>,
    /// What is said with 200 in place of a 206 to who does not ask for a part.
    pub whole: Option<String>,
}

/// How a body is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// With its length.
    #[default]
    Length,
    /// In chunks.
    Chunked,
    /// With a length that it does not come to.
    Cut,
}

/// What the origin must have been asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The method.
    pub method: String,
    /// Path and query string.
    pub target: String,
    /// What must hold of the fields.
    pub headers: Vec<Expected>,
    /// The body, if it matters.
    pub body: Option<String>,
}

/// What a viewer must get.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The status; 5 stands for all of 5xx, 0 for any.
    pub status: u16,
    /// Where the answer comes from.
    pub outcome: Outcome,
    /// What must hold of the fields.
    pub headers: Vec<Expected>,
    /// The body, if it matters beyond what the outcome says.
    pub body: Option<String>,
    /// Asked for again until it is so: something happens behind an answer.
    pub eventually: bool,
}

/// Where an answer comes from, as far as it can be told from outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outcome {
    /// The origin was not asked, and the body is of an earlier reply.
    Hit,
    /// The origin was asked, and the body is the one it gave now.
    Miss,
    /// The origin was asked with a condition, and the body is of an earlier reply.
    Revalidated,
    /// The body is of an earlier reply, whether the origin was asked or not.
    Stale,
    /// The origin was asked; nothing is said of the body.
    Asked,
    /// The origin was not asked; nothing is said of the body.
    Own,
    /// Nothing is said.
    #[default]
    Any,
}

/// What must hold of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// It is there with this value; several lines are joined by a comma.
    Is(String, String),
    /// It is there, and this is part of its value.
    Has(String, String),
    /// It is not there.
    Without(String),
}

impl Scenario {
    /// Reads a scenario file.
    ///
    /// # Errors
    /// [`ScenarioError`] names the line and the way out.
    pub fn parse(text: &str) -> Result<Scenario, ScenarioError> {
        parse::scenario(text)
    }

    /// The reason why `profile` is known not to do this.
    pub fn difference(&self, profile: Profile) -> Option<&str> {
        let found = self.differs.iter().find(|(differs, _)| *differs == profile);
        found.map(|(_, reason)| reason.as_str())
    }

    /// Whether some answer is another one with `profile`, so that what it does instead is checked too.
    pub fn has_answers_of(&self, profile: Profile) -> bool {
        self.exchanges()
            .any(|exchange| exchange.answer_of.iter().any(|(of, _)| *of == profile))
    }

    /// Every request with what comes of it.
    pub fn exchanges(&self) -> impl Iterator<Item = &Exchange> {
        self.steps.iter().filter_map(|step| match &step.action {
            Action::Exchange(exchange) => Some(&**exchange),
            Action::Wait(_) | Action::Invalidate(_) => None,
        })
    }

    /// How much time passes, in seconds.
    pub fn waits_secs(&self) -> u64 {
        let waits = self.steps.iter().map(|step| match step.action {
            Action::Wait(secs) => secs,
            Action::Exchange(_) | Action::Invalidate(_) => 0,
        });
        waits.sum()
    }

    /// Whether something is invalidated.
    pub fn invalidates(&self) -> bool {
        self.steps
            .iter()
            .any(|step| matches!(step.action, Action::Invalidate(_)))
    }
}

impl Level {
    /// The word, as files and tables have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Required => "required",
            Level::Optional => "optional",
            Level::Documented => "documented",
        }
    }
}

#[cfg(test)]
mod tests;

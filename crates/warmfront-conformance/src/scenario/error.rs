use thiserror::Error;

/// A scenario file that cannot be read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("line {line}: {mistake}")]
pub struct ScenarioError {
    /// Counted from 1; 0 stands for the file as a whole.
    pub line: usize,
    /// What is wrong.
    pub mistake: Mistake,
}

/// What is wrong with a line, and what to write instead.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Mistake {
    /// No line of the head.
    #[error(
        "{0:?} is no line of the head: write `rule:`, `source:`, `level:`, `differs PROFILE:` or a setting ({settings}), \
         and begin the first step with `viewer METHOD TARGET`",
        settings = crate::scenario::parse::SETTINGS
    )]
    Head(String),
    /// No line of a step.
    #[error(
        "{0:?} is no line of a step: write `viewer`, `origin`, `refresh`, `asked`, `answer`, `wait` or `invalidate`, or a \
         field as `Name: value`"
    )]
    Step(String),
    /// Something in the head is missing.
    #[error("the head has no `{0}:` line")]
    Missing(&'static str),
    /// No step at all.
    #[error("nothing happens: write at least one `viewer` line with an `answer`")]
    Empty,
    /// No level.
    #[error("{0:?} is no level: write required, optional or documented")]
    Level(String),
    /// No profile.
    #[error("{0:?} is no profile: write aws or edge")]
    Profile(String),
    /// A difference without a reason.
    #[error("say why the profile differs: `differs aws: REASON`")]
    Reason,
    /// No status.
    #[error("{0:?} is no status: write three digits, or `closes` for an origin that hangs up")]
    Status(String),
    /// No outcome.
    #[error("{0:?} is no outcome: write hit, miss, revalidated, stale, asked, own or any")]
    Outcome(String),
    /// No framing.
    #[error("{0:?} says nothing of a body: write `chunked` or `cut`, or leave it out")]
    Framing(String),
    /// No duration.
    #[error("{0:?} is no time: write a number and s, m, h or d, such as 90s")]
    Duration(String),
    /// A request without method or target.
    #[error("{0:?} is no request: write a method and a target that begins with a slash, such as GET /a?b=1")]
    Request(String),
    /// A line that belongs below a `viewer` line.
    #[error("`{0}` belongs below a `viewer` line")]
    Alone(&'static str),
    /// A `viewer` line without an `answer`.
    #[error("the request of line {0} has no `answer STATUS OUTCOME`")]
    NoAnswer(usize),
    /// A second answer for the same profile.
    #[error("there is an answer already: write one, and one for each profile that differs")]
    TwoAnswers,
    /// A field line where none can stand.
    #[error("a field can stand below `viewer`, `origin`, `refresh`, `asked` and `answer` alone")]
    Field,
    /// An expectation in something that is sent.
    #[error("`~` and `without` say what must hold, not what is sent: write `Name: value`")]
    Sent,
}

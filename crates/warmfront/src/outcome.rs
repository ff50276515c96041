//! How a command ends: 0 done, 1 failed, 2 usage. A failure says what went wrong and, apart from it, the way out.

use std::fmt;
use std::process::ExitCode;

/// Something that went wrong, with the way out of it.
#[derive(Debug)]
pub struct Complaint {
    message: String,
    hint: Option<String>,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Failed,
    Usage,
}

impl Complaint {
    /// What was asked could not be done (exit status 1).
    pub fn failed(message: impl Into<String>) -> Complaint {
        Complaint {
            message: message.into(),
            hint: None,
            kind: Kind::Failed,
        }
    }

    /// What was asked makes no sense (exit status 2).
    pub fn usage(message: impl Into<String>) -> Complaint {
        Complaint {
            message: message.into(),
            hint: None,
            kind: Kind::Usage,
        }
    }

    /// The same, with the way out.
    pub fn hint(self, hint: impl Into<String>) -> Complaint {
        Complaint {
            hint: Some(hint.into()),
            ..self
        }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Complaint {}

/// The lines for standard error and the exit status of `error`.
pub fn describe(error: &anyhow::Error) -> (String, ExitCode) {
    let mut text = format!("error: {error:#}\n");
    let complaints = || error.chain().filter_map(|cause| cause.downcast_ref::<Complaint>());
    for hint in complaints().filter_map(|complaint| complaint.hint.as_ref()) {
        text.push_str(&format!("hint: {hint}\n"));
    }
    let usage = complaints().any(|complaint| complaint.kind == Kind::Usage);
    (text, ExitCode::from(if usage { 2 } else { 1 }))
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn the_hint_stands_apart_and_the_kind_decides_the_status() {
        let failed: anyhow::Error = Complaint::failed("the port is taken").hint("use another").into();
        let (text, status) = describe(&failed.context("serve"));
        assert_eq!(text, "error: serve: the port is taken\nhint: use another\n");
        assert_eq!(status, ExitCode::from(1));

        let usage = Err::<(), _>(Complaint::usage("no such profile"))
            .context("serve")
            .unwrap_err();
        let (text, status) = describe(&usage);
        assert_eq!(text, "error: serve: no such profile\n");
        assert_eq!(status, ExitCode::from(2));
    }
}

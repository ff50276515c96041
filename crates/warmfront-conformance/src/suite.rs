use std::fs;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use futures_util::FutureExt;

use crate::Profile;
use crate::run::run;
use crate::scenario::Scenario;
use crate::subject::EdgeInMemory;

/// All scenarios of a folder, in the order of their paths.
#[derive(Clone, Debug)]
pub struct Suite {
    /// Each with its file.
    pub cases: Vec<Case>,
}

/// A scenario and where it stands.
#[derive(Clone, Debug)]
pub struct Case {
    /// The path below the folder, with `/` between the parts, without `.scenario`.
    pub name: String,
    /// What it says.
    pub scenario: Scenario,
}

/// What became of a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All went as written.
    Passed,
    /// It did not, as the scenario says of this profile; with the reason.
    Differs(String),
    /// Neither: the line and what happened.
    Failed(String),
}

impl Suite {
    /// Reads every `*.scenario` below `folder`.
    ///
    /// # Errors
    /// When a file cannot be read; the message names file, line and the way out.
    pub fn read(folder: &Path) -> Result<Suite> {
        let mut paths = Vec::new();
        find(folder, &mut paths)?;
        paths.sort();
        let case = |path: &PathBuf| -> Result<Case> {
            let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
            let scenario = Scenario::parse(&text).with_context(|| path.display().to_string())?;
            let below = path.strip_prefix(folder)?.with_extension("");
            let parts: Vec<String> = below.iter().map(|part| part.to_string_lossy().into_owned()).collect();
            Ok(Case {
                name: parts.join("/"),
                scenario,
            })
        };
        Ok(Suite {
            cases: paths.iter().map(case).collect::<Result<_>>()?,
        })
    }
}

fn find(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, paths)?;
        } else if path.extension().is_some_and(|extension| extension == "scenario") {
            paths.push(path);
        }
    }
    Ok(())
}

/// Runs a scenario against an edge in memory.
///
/// A difference that the scenario admits must be there, and where it has answers of the profile's own, they must be right.
pub async fn in_memory(scenario: &Scenario, profile: Profile) -> Verdict {
    let outcomes = async {
        let as_written = on_an_edge(scenario, profile, false).await?;
        let own = match scenario.has_answers_of(profile) {
            true => Some(on_an_edge(scenario, profile, true).await?),
            false => None,
        };
        Ok((as_written, own))
    };
    match outcomes.await {
        Ok((as_written, own)) => judge(scenario.difference(profile), as_written, own),
        Err(no_edge) => Verdict::Failed(no_edge),
    }
}

/// `own`: how the profile's own answers went, if there are any.
pub(crate) fn judge(
    difference: Option<&str>,
    as_written: Result<(), String>,
    own: Option<Result<(), String>>,
) -> Verdict {
    match (difference, as_written, own) {
        (None, Ok(()), None) => Verdict::Passed,
        (None, Err(problem), None) => Verdict::Failed(problem),
        (None, _, Some(_)) => Verdict::Failed("has answers of the profile's own but no `differs`".to_owned()),
        (Some(reason), Ok(()), _) => Verdict::Failed(format!("no longer differs: take out \"{reason}\"")),
        (Some(_), Err(_), Some(Err(problem))) => {
            Verdict::Failed(format!("differs in another way than written: {problem}"))
        }
        (Some(reason), Err(_), _) => Verdict::Differs(reason.to_owned()),
    }
}

/// How it went; or why there is no edge to try it on. `own`: the profile's own answers count.
async fn on_an_edge(scenario: &Scenario, profile: Profile, own: bool) -> Result<Result<(), String>, String> {
    let subject = EdgeInMemory::start(scenario, profile).await?;
    let running = AssertUnwindSafe(run(scenario, own.then_some(profile), &subject)).catch_unwind();
    let outcome = running
        .await
        .unwrap_or_else(|_| Err("the viewer got no answer".to_owned()));
    subject.stop().await;
    Ok(outcome)
}

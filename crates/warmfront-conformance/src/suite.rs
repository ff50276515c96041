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

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong() -> Result<(), String> {
        Err("line 1: status 500 instead of 200".to_owned())
    }

    #[test]
    fn what_differs_must_be_admitted_and_what_is_admitted_must_differ() {
        let failed = |verdict: Verdict| matches!(verdict, Verdict::Failed(_));
        assert_eq!(judge(None, Ok(()), None), Verdict::Passed);
        assert!(failed(judge(None, wrong(), None)));
        assert_eq!(
            judge(Some("later"), wrong(), None),
            Verdict::Differs("later".to_owned())
        );
        assert!(failed(judge(Some("later"), Ok(()), None)));
        assert!(failed(judge(Some("later"), wrong(), Some(wrong()))));
        assert_eq!(
            judge(Some("later"), wrong(), Some(Ok(()))),
            Verdict::Differs("later".to_owned())
        );
        assert!(failed(judge(None, Ok(()), Some(Ok(())))));
    }

    async fn verdict(text: &str) -> Verdict {
        let text = format!("rule: r\nsource: s\nlevel: required\n{text}");
        in_memory(&Scenario::parse(&text).unwrap(), Profile::Aws).await
    }

    /// What an edge does right, written down wrong: the scenario has to fail, at the right line.
    #[tokio::test]
    async fn a_scenario_that_says_something_else_fails() {
        const FRESH: &str = "viewer GET /a\norigin 200\n  Cache-Control: max-age=60\nasked GET /a\nanswer 200 miss\n";
        let again = |rest: &str| format!("{FRESH}wait 5s\nviewer GET /a\norigin 200\n{rest}\n");
        assert_eq!(verdict(&again("answer 200 hit\n  Age: 5")).await, Verdict::Passed);
        for (rest, problem) in [
            ("answer 200 miss", "the origin was not asked"),
            ("answer 200 revalidated", "the origin was not asked"),
            ("answer 404 hit", "status 200 instead of 404"),
            ("answer 200 hit\n  Age: 6", "has Age: Some(\"5\") instead of \"6\""),
            ("answer 200 hit\n  without X-Cache", "which should not be there"),
            ("answer 200 hit\n  body: other", "body \"reply 1\" instead of \"other\""),
            ("asked GET /a\nanswer 200 hit", "the origin was asked 0 times only"),
        ] {
            let Verdict::Failed(found) = verdict(&again(rest)).await else {
                panic!("{rest} passed");
            };
            assert!(
                found.starts_with("line 10: ") && found.contains(problem),
                "{rest}: {found}"
            );
        }
        let other_path = FRESH.replace("asked GET /a", "asked GET /b");
        assert!(matches!(verdict(&other_path).await, Verdict::Failed(found) if found.contains("saw GET /a")));
        let asked_anew = FRESH.replace("miss", "hit");
        assert!(matches!(verdict(&asked_anew).await, Verdict::Failed(found) if found.contains("the origin was asked")));
    }
}

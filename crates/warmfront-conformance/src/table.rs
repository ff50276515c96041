//! The table in `conformance/README.md`.

use std::fmt::Write;

use anyhow::{Context, Result, bail};
use futures_util::StreamExt;

use crate::scenario::{Level, Scenario};
use crate::{Case, Profile, Sources, Suite, Verdict, in_memory};

/// What became of every scenario, for each of [`Profile::ALL`].
pub type Results = Vec<[Verdict; 2]>;

/// How many edges run at once.
const EDGES: usize = 8;

/// Runs every scenario against an edge in memory with each profile.
pub async fn results(suite: &Suite) -> Results {
    let runs = suite.cases.iter().map(|case| with_both(&case.scenario));
    futures_util::stream::iter(runs).buffered(EDGES).collect().await
}

async fn with_both(scenario: &Scenario) -> [Verdict; 2] {
    let [first, second] = Profile::ALL;
    [in_memory(scenario, first).await, in_memory(scenario, second).await]
}

/// How many scenarios of a level a profile passes, and how many there are.
pub fn counts(suite: &Suite, results: &Results, profile: Profile, level: Level) -> (usize, usize) {
    let at = Profile::ALL
        .iter()
        .position(|other| *other == profile)
        .unwrap_or_default();
    let of_level = suite
        .cases
        .iter()
        .zip(results)
        .filter(|(case, _)| case.scenario.level == level);
    of_level.fold((0, 0), |(passed, all), (_, verdicts)| {
        (passed + usize::from(verdicts[at] == Verdict::Passed), all + 1)
    })
}

const BEGIN: &str = "<!-- what follows is written by `cargo xtask conformance --table` -->";
const LEVELS: [Level; 3] = [Level::Required, Level::Optional, Level::Documented];

/// `readme` with the table that these results make.
///
/// # Errors
/// When `readme` has no place for it, a scenario names a source that is none, or a source has neither scenario nor test.
pub fn readme_with_table(readme: &str, suite: &Suite, sources: &Sources, results: &Results) -> Result<String> {
    let (before, _) = readme
        .split_once(BEGIN)
        .context("the README has no place for the table")?;
    check_sources(suite, sources)?;
    let mut text = format!("{before}{BEGIN}\n\n");
    write_counts(&mut text, suite, results)?;
    let mut heading = "";
    for source in &sources.all {
        if source.heading != heading {
            heading = &source.heading;
            write!(
                text,
                "\n## {heading}\n\n| section | scenario | level | aws | edge |\n| --- | --- | --- | --- | --- |\n"
            )?;
        }
        let label = format!("{}: {}", source.key, source.title);
        let mut label = label.as_str();
        let cases = suite.cases.iter().zip(results);
        for (case, verdicts) in cases.filter(|(case, _)| case.scenario.sources.contains(&source.key)) {
            writeln!(text, "| {label} | {}", row(case, verdicts))?;
            label = "";
        }
        if let Some(test) = &source.test {
            writeln!(text, "| {label} | `{test}` | test | passed | passed |")?;
        }
    }
    Ok(text)
}

fn check_sources(suite: &Suite, sources: &Sources) -> Result<()> {
    for case in &suite.cases {
        let known = |key: &String| sources.all.iter().any(|source| source.key == *key);
        if let Some(unknown) = case.scenario.sources.iter().find(|key| !known(key)) {
            bail!(
                "{}: {unknown:?} is not in conformance/sources.txt: add it there, or name one of its keys",
                case.name
            );
        }
    }
    let covered = |key: &String| suite.cases.iter().any(|case| case.scenario.sources.contains(key));
    for source in &sources.all {
        if source.test.is_none() && !covered(&source.key) {
            bail!("no scenario has `source: {}`", source.key);
        }
    }
    Ok(())
}

fn write_counts(text: &mut String, suite: &Suite, results: &Results) -> Result<()> {
    text.push_str("| profile | required | optional | documented by CloudFront |\n| --- | --- | --- | --- |\n");
    for profile in Profile::ALL {
        let [required, optional, documented] = LEVELS.map(|level| {
            let (passed, all) = counts(suite, results, profile, level);
            format!("{passed} of {all}")
        });
        writeln!(
            text,
            "| `{}` | {required} | {optional} | {documented} |",
            profile.as_str()
        )?;
    }
    Ok(())
}

fn row(case: &Case, verdicts: &[Verdict; 2]) -> String {
    let cell = |verdict: &Verdict| match verdict {
        Verdict::Passed => "passed".to_owned(),
        Verdict::Differs(reason) => format!("differs: {}", escaped(reason)),
        Verdict::Failed(_) => "FAILED".to_owned(),
    };
    format!(
        "[{}]({}.scenario) | {} | {} | {} |",
        escaped(&case.scenario.rule),
        case.name,
        case.scenario.level.as_str(),
        cell(&verdicts[0]),
        cell(&verdicts[1])
    )
}

fn escaped(text: &str) -> String {
    text.replace('|', "\\|")
}

//! What must stay true of the sources as a whole. Each check is a test too, so `cargo test` runs them all.

mod coverage;
mod dependencies;
mod layering;
mod map;
mod sizes;
mod sources;
mod words;

use anyhow::{Result, bail};

use crate::machine::repository;
use sources::Sources;

/// A check's name and what it found wrong, one line each.
pub struct Finding {
    /// What the check asks for.
    pub check: &'static str,
    /// Empty if all is well.
    pub problems: Vec<String>,
}

type Check = fn(&Sources) -> Result<Vec<String>>;

const CHECKS: &[(&str, Check)] = &[
    (
        "the map in ARCHITECTURE.md and crates/ name the same crates",
        map::problems,
    ),
    ("dependencies point inward", layering::problems),
    ("deny.toml allows every dependency", dependencies::problems),
    ("files are short enough to read", sizes::problems),
    ("nothing is left undone", words::problems),
    ("the guide's coverage table names tests that exist", coverage::problems),
];

/// Runs every check.
///
/// # Errors
/// When a file cannot be read.
pub fn findings() -> Result<Vec<Finding>> {
    let sources = Sources::read(&repository())?;
    CHECKS
        .iter()
        .map(|(check, problems)| {
            Ok(Finding {
                check,
                problems: problems(&sources)?,
            })
        })
        .collect()
}

/// `cargo xtask tidy`.
pub fn run(arguments: &[String]) -> Result<()> {
    if let Some(unknown) = arguments.first() {
        bail!("tidy takes no arguments, not {unknown:?}");
    }
    let mut failed = 0;
    for finding in findings()? {
        println!(
            "{} {}",
            if finding.problems.is_empty() {
                "ok    "
            } else {
                "FAILED"
            },
            finding.check
        );
        for problem in &finding.problems {
            println!("       {problem}");
        }
        failed += usize::from(!finding.problems.is_empty());
    }
    if failed > 0 {
        bail!("{failed} of {} checks failed", CHECKS.len());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(problems: Check) {
        let sources = Sources::read(&repository()).unwrap();
        let problems = problems(&sources).unwrap();
        assert!(problems.is_empty(), "{}", problems.join("\n"));
    }

    #[test]
    fn the_map_is_complete() {
        check(map::problems);
    }

    #[test]
    fn dependencies_point_inward() {
        check(layering::problems);
    }

    #[test]
    fn every_dependency_is_allowed() {
        check(dependencies::problems);
    }

    #[test]
    fn files_are_short_enough() {
        check(sizes::problems);
    }

    #[test]
    fn nothing_is_left_undone() {
        check(words::problems);
    }

    #[test]
    fn the_coverage_table_names_tests_that_exist() {
        check(coverage::problems);
    }
}

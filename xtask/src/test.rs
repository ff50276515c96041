//! `cargo xtask test`: the one test command. On a bare Debian machine with Rust and git it installs what it needs.

mod guide;
mod report;
mod rust;

pub use guide::{install_python_docs, install_venv};

use anyhow::{Result, bail};

use crate::{machine, tidy};
use report::Report;

const USAGE: &str = "cargo xtask test [--only tidy|rust|guide] [FILTER]";

/// Which steps run, and the tests in them.
#[derive(Debug, Default, PartialEq, Eq)]
struct Selection {
    only: Option<Part>,
    /// A part of a test's name.
    filter: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Checks of the sources as text: tidy, rustfmt, generated code.
    Tidy,
    /// clippy and every Rust test.
    Rust,
    /// The guide, with real clients against the released program.
    Guide,
}

/// Runs the steps, prints how long each took and, last, the totals.
///
/// # Errors
/// When anything failed.
pub fn run(arguments: &[String]) -> Result<()> {
    let selection = Selection::parse(arguments)?;
    let runs = |part| selection.only.is_none_or(|only| only == part);
    let filter = selection.filter.as_deref();
    let mut report = Report::default();
    if runs(Part::Tidy) {
        tidy_steps(&mut report);
    }
    if runs(Part::Rust) {
        rust::steps(&mut report, filter);
    }
    if runs(Part::Guide) {
        guide::steps(&mut report, filter);
    }
    report.print();
    if report.failed() > 0 {
        bail!("{} failed", report.failed());
    }
    Ok(())
}

fn tidy_steps(report: &mut Report) {
    report.checks("tidy", || {
        let findings = tidy::findings()?;
        Ok(findings
            .into_iter()
            .map(|finding| (finding.check.to_owned(), finding.problems))
            .collect())
    });
    report.check("cargo fmt --check", || {
        rust::need_component("fmt", "rustfmt")?;
        // Only the names of the files: what is wrong with them is what `cargo fmt` changes.
        machine::run(&mut machine::cargo([
            "fmt",
            "--all",
            "--check",
            "--",
            "--files-with-diff",
        ]))
    });
    report.check("cargo xtask codegen --check", || {
        crate::codegen::run(&["--check".to_owned()])
    });
}

impl Selection {
    fn parse(arguments: &[String]) -> Result<Selection> {
        let mut selection = Selection::default();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--only" => {
                    selection.only = match arguments.next().map(String::as_str) {
                        Some("tidy") => Some(Part::Tidy),
                        Some("rust") => Some(Part::Rust),
                        Some("guide") => Some(Part::Guide),
                        _ => bail!("--only takes tidy, rust or guide: {USAGE}"),
                    }
                }
                flag if flag.starts_with('-') => bail!("there is no option {flag:?}: {USAGE}"),
                filter if selection.filter.is_none() => selection.filter = Some(filter.to_owned()),
                more => bail!("one filter is enough, {more:?} is too many: {USAGE}"),
            }
        }
        Ok(selection)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Selection> {
        Selection::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn arguments_select_a_part_and_a_filter() {
        assert_eq!(parse("").unwrap(), Selection::default());
        assert_eq!(parse("--only guide").unwrap().only, Some(Part::Guide));
        assert_eq!(
            parse("wildcard --only rust").unwrap().filter.as_deref(),
            Some("wildcard")
        );
    }

    #[test]
    fn unknown_arguments_are_refused() {
        for line in ["--only", "--only everything", "--fast", "a b"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}

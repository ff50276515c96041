use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// What ran, how long it took, and how much of it passed.
#[derive(Default)]
pub struct Report {
    steps: Vec<Step>,
}

struct Step {
    name: String,
    took: Duration,
    counts: Counts,
}

/// How many tests passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Passed.
    pub passed: u64,
    /// Failed, or could not be run.
    pub failed: u64,
}

impl Report {
    /// A step that is one check: it passes or fails as a whole.
    pub fn check(&mut self, name: &str, work: impl FnOnce() -> Result<()>) -> bool {
        self.step(name, || {
            work()?;
            Ok(Counts { passed: 1, failed: 0 })
        })
    }

    /// A step of several named checks, each with the problems it found.
    pub fn checks(&mut self, name: &str, work: impl FnOnce() -> Result<Vec<(String, Vec<String>)>>) -> bool {
        self.step(name, || {
            let mut counts = Counts::default();
            for (check, problems) in work()? {
                println!("{} {check}", if problems.is_empty() { "ok    " } else { "FAILED" });
                for problem in &problems {
                    println!("       {problem}");
                }
                counts.passed += u64::from(problems.is_empty());
                counts.failed += u64::from(!problems.is_empty());
            }
            Ok(counts)
        })
    }

    /// A step that runs tests and counts them. An error counts as one failure. Gives whether nothing failed.
    pub fn step(&mut self, name: &str, work: impl FnOnce() -> Result<Counts>) -> bool {
        println!("\n── {name}");
        let began = Instant::now();
        let counts = work().unwrap_or_else(|error| {
            println!("FAILED {name}: {error:#}");
            Counts { passed: 0, failed: 1 }
        });
        self.steps.push(Step {
            name: name.to_owned(),
            took: began.elapsed(),
            counts,
        });
        counts.failed == 0
    }

    /// How much failed.
    pub fn failed(&self) -> u64 {
        self.steps.iter().map(|step| step.counts.failed).sum()
    }

    /// Prints one line for each step, then the totals.
    pub fn print(&self) {
        println!();
        for Step { name, took, counts } in &self.steps {
            println!(
                "{:>7.1} s  {:>5} passed {:>3} failed  {name}",
                took.as_secs_f64(),
                counts.passed,
                counts.failed
            );
        }
        let total: Duration = self.steps.iter().map(|step| step.took).sum();
        let passed: u64 = self.steps.iter().map(|step| step.counts.passed).sum();
        println!("{:>7.1} s", total.as_secs_f64());
        println!("\n{passed} passed, {} failed", self.failed());
    }
}

/// Runs a test program with its output shown, and adds up what `count` finds in its lines.
/// A program that ends badly without naming a failed test counts as one failure.
pub fn run_counting(command: &mut Command, count: impl Fn(&str) -> Option<Counts>) -> Result<Counts> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {command:?}"))?;
    let mut counts = Counts::default();
    let Some(stdout) = child.stdout.take() else {
        bail!("the program has no output to read")
    };
    for line in BufReader::new(stdout).lines() {
        let line = line?;
        println!("{line}");
        if let Some(found) = count(&line) {
            counts.passed += found.passed;
            counts.failed += found.failed;
        }
    }
    let status = child.wait()?;
    if !status.success() && counts.failed == 0 {
        println!("the tests ended with {status}");
        counts.failed = 1;
    }
    Ok(counts)
}

/// The line that closes each of cargo's test programs: `test result: ok. 5 passed; 0 failed; …`.
pub fn cargo_counts(line: &str) -> Option<Counts> {
    let counts = line.strip_prefix("test result: ")?.split_once(". ")?.1;
    Some(Counts {
        passed: number_before(counts, "passed")?,
        failed: number_before(counts, "failed")?,
    })
}

/// The line that closes pytest's output: `=== 2 failed, 198 passed, 1 error in 61.02s ===`.
/// A skipped test is one that could not be run.
pub fn pytest_counts(line: &str) -> Option<Counts> {
    let line = line.trim_matches(['=', ' ']);
    let (counts, _) = line.rsplit_once(" in ")?;
    let of = |word: &str| number_before(counts, word).unwrap_or(0);
    let known = ["passed", "failed", "error", "skipped"]
        .iter()
        .any(|word| number_before(counts, word).is_some());
    known.then(|| Counts {
        passed: of("passed"),
        failed: of("failed") + of("error") + of("skipped"),
    })
}

/// The number in front of a word that may also stand in the plural.
fn number_before(text: &str, word: &str) -> Option<u64> {
    let words: Vec<&str> = text.split([' ', ',', ';']).filter(|part| !part.is_empty()).collect();
    words
        .windows(2)
        .find(|pair| pair[1].trim_end_matches('s') == word)
        .and_then(|pair| pair[0].parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(passed: u64, failed: u64) -> Option<Counts> {
        Some(Counts { passed, failed })
    }

    #[test]
    fn closing_lines_of_cargo_are_counted() {
        let ok = "test result: ok. 5 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s";
        assert_eq!(cargo_counts(ok), counts(5, 0));
        let failed =
            "test result: FAILED. 11 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.3s";
        assert_eq!(cargo_counts(failed), counts(11, 2));
        assert_eq!(cargo_counts("test it::works ... ok"), None);
    }

    #[test]
    fn closing_lines_of_pytest_are_counted() {
        assert_eq!(
            pytest_counts("======= 202 passed in 61.02s (0:01:01) ======="),
            counts(202, 0)
        );
        assert_eq!(
            pytest_counts("=== 2 failed, 198 passed, 1 error in 61.02s ==="),
            counts(198, 3)
        );
        assert_eq!(pytest_counts("1 passed, 1 skipped, 3 errors in 0.5s"), counts(1, 4));
        assert_eq!(pytest_counts("FAILED test_a.py::test_b - assert 1 in [2]"), None);
    }

    #[test]
    fn a_program_that_dies_counts_as_failed() {
        let died = run_counting(
            Command::new("sh").args(["-c", "echo test begins; exit 3"]),
            cargo_counts,
        )
        .unwrap();
        assert_eq!(died, Counts { passed: 0, failed: 1 });
    }

    #[test]
    fn errors_and_failures_add_up() {
        let mut report = Report::default();
        assert!(report.step("one", || Ok(Counts { passed: 3, failed: 0 })));
        assert!(!report.step("two", || Ok(Counts { passed: 1, failed: 2 })));
        assert!(!report.check("three", || bail!("no")));
        assert_eq!(report.failed(), 3);
    }
}

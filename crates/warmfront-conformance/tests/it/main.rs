//! Every scenario against an edge in memory with both profiles, and against the rules alone; and the table made of that.

use std::fs;
use std::path::{Path, PathBuf};

use warmfront_conformance::scenario::Scenario;
use warmfront_conformance::{Profile, Sources, Suite, Verdict, by_the_rules, readme_with_table, results};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance")
}

fn suite() -> Suite {
    Suite::read(&folder()).unwrap_or_else(|error| panic!("{error:#}"))
}

#[tokio::test]
async fn every_scenario_goes_as_written_and_the_table_says_so() {
    let suite = suite();
    let results = results(&suite).await;
    let mut failures = Vec::new();
    for (case, verdicts) in suite.cases.iter().zip(&results) {
        for (profile, verdict) in Profile::ALL.iter().zip(verdicts) {
            if let Verdict::Failed(problem) = verdict {
                failures.push(format!("{} with {}: {problem}", case.name, profile.as_str()));
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} failures\n{}",
        failures.len(),
        failures.join("\n")
    );
    let sources = Sources::read(&folder().join("sources.txt")).unwrap();
    let readme = fs::read_to_string(folder().join("README.md")).unwrap();
    let table = readme_with_table(&readme, &suite, &sources, &results).unwrap();
    assert!(
        table == readme,
        "conformance/README.md is out of date: run `cargo xtask conformance --table`"
    );
}

#[tokio::test]
async fn the_rules_alone_come_to_the_same() {
    let suite = suite();
    let (mut failures, mut n_applied) = (Vec::new(), 0);
    for case in &suite.cases {
        for profile in Profile::ALL {
            match by_the_rules(&case.scenario, profile).await {
                None => {}
                Some(Verdict::Failed(problem)) => {
                    failures.push(format!("{} with {}: {problem}", case.name, profile.as_str()));
                }
                Some(_) => n_applied += 1,
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} failures\n{}",
        failures.len(),
        failures.join("\n")
    );
    // Two profiles each: more than half of the scenarios are about rules.
    assert!(n_applied > suite.cases.len(), "{n_applied}");
}

/// No text makes the parser panic: every file without each of its lines, with each line twice, and cut off after each.
#[test]
fn broken_scenarios_are_errors() {
    let mut n_errors = 0;
    for case in &suite().cases {
        let text = fs::read_to_string(folder().join(format!("{}.scenario", case.name))).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for at in 0..lines.len() {
            let without = [&lines[..at], &lines[at + 1..]].concat();
            let twice = [&lines[..=at], &lines[at..]].concat();
            let half = lines[at].chars().count() / 2;
            let cut: String = lines[at].chars().take(half).collect();
            let broken = [&lines[..at], &[&*cut], &lines[at + 1..]].concat();
            for variant in [without, twice, lines[..at].to_vec(), broken] {
                n_errors += usize::from(Scenario::parse(&variant.join("\n")).is_err());
            }
        }
    }
    assert!(n_errors > 1_000, "{n_errors}");
}

/// A test that the list of sources names must be there.
#[test]
fn tests_named_by_the_sources_exist() {
    let sources = Sources::read(&folder().join("sources.txt")).unwrap();
    for test in sources.all.iter().filter_map(|source| source.test.as_deref()) {
        let (path, name) = test.split_once("::").unwrap();
        let text = fs::read_to_string(folder().join("..").join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(text.contains(&format!("fn {name}(")), "{test}");
    }
}

//! Every scenario against an edge in memory with both profiles; and the table made of that.

use std::fs;
use std::path::{Path, PathBuf};

use warmfront_conformance::{Profile, Sources, Suite, Verdict, readme_with_table, results};

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

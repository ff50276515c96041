//! What an invalidation has covered, or would cover, in words.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::client::{Audit, CloudFront, Coverage, DryRun};

/// How long an audit is waited for once the invalidation is Completed. Counting takes a walk through the cache.
const PATIENCE: Duration = Duration::from_secs(5);

const PAUSE: Duration = Duration::from_millis(25);

/// The audit of a Completed invalidation, once it is counted. `None`: it is not by now, or the server does not count.
pub(super) async fn audited(cloudfront: &CloudFront, distribution: &str, id: &str) -> anyhow::Result<Option<Audit>> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match cloudfront.audit(distribution, id).await? {
            Some(audit) if audit.coverage.is_none() && Instant::now() < deadline => tokio::time::sleep(PAUSE).await,
            audit => return Ok(audit.filter(|audit| audit.coverage.is_some())),
        }
    }
}

/// `3 responses, 350 bytes`.
pub(super) fn amount(coverage: Coverage) -> String {
    let plural = if coverage.responses == 1 { "" } else { "s" };
    format!("{} response{plural}, {} bytes", coverage.responses, coverage.bytes)
}

/// What to tell on standard error of a Completed invalidation.
pub(super) fn report(audit: &Audit, paths: &[String]) -> String {
    let mut text = String::new();
    for (name, node) in &audit.nodes {
        let covered = node.coverage.map_or("not counted yet".to_owned(), amount);
        let applied = node.applied_after_ms.map(|ms| format!(", applied after {ms} ms"));
        text += &format!("warmfront: {name}: {covered}{}\n", applied.unwrap_or_default());
    }
    if let Some(coverage) = audit.coverage {
        text += &format!("warmfront: covered {}\n", amount(coverage));
        text += &warning(coverage, paths);
    }
    text
}

/// What to print of a dry run.
pub(super) fn print_dry_run(dry_run: &DryRun) -> String {
    let mut text = String::new();
    for (name, coverage) in &dry_run.nodes {
        text += &format!("{name}: {}\n", amount(*coverage));
    }
    for name in &dry_run.silent {
        text += &format!("{name}: no answer\n");
    }
    text + &format!("total: {}\n", amount(dry_run.coverage))
}

/// The same as JSON.
pub(super) fn dry_run_json(dry_run: &DryRun, distribution: &str) -> Value {
    json!({
        "Distribution": distribution,
        "DryRun": true,
        "Responses": dry_run.coverage.responses,
        "Bytes": dry_run.coverage.bytes,
        "Nodes": dry_run.nodes,
        "Silent": dry_run.silent,
    })
}

/// Where nothing matched: what is usually the reason. Empty where something did.
pub(super) fn warning(coverage: Coverage, paths: &[String]) -> String {
    if coverage.responses > 0 {
        return String::new();
    }
    let mut hints = Vec::new();
    let is_path = |path: &&String| path.starts_with('/');
    let exact = |path: &&String| is_path(path) && !path.ends_with('*');
    if paths.iter().filter(exact).any(|path| !path.contains('?')) {
        hints.push("where the cache key has query strings, /page does not cover /page?a=1: write '/page*' for both");
    }
    if paths.iter().filter(is_path).any(|path| path.contains('?')) {
        hints.push(
            "a query string counts only where the cache policy puts it into the cache key, and in the same order",
        );
    }
    let has_upper_case = |path: &String| path.bytes().any(|byte| byte.is_ascii_uppercase());
    if paths.iter().filter(is_path).any(has_upper_case) {
        hints.push("upper and lower case are different paths");
    }
    if paths.iter().any(|path| path.starts_with('#')) {
        hints.push("a tag counts only in the header that the distribution's CacheTagConfig names");
    }
    hints.push("is it the right --distribution? or was nothing in the cache?");
    let hints: String = hints.iter().map(|hint| format!("hint: {hint}\n")).collect();
    format!("warning: nothing in any cache matched\n{hints}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(responses: u64, paths: &[&str], expected: &[&str], unexpected: &[&str]) {
        let paths: Vec<String> = paths.iter().map(|&path| path.to_owned()).collect();
        let text = warning(Coverage { responses, bytes: 0 }, &paths);
        for word in expected {
            assert!(text.contains(word), "{word}: {text}");
        }
        for word in unexpected {
            assert!(!text.contains(word), "{word}: {text}");
        }
    }

    #[test]
    fn nothing_matched_names_the_usual_reasons_that_fit() {
        check(1, &["/A"], &[], &["warning"]);
        check(
            0,
            &["/a"],
            &["nothing in any cache", "'/page*'", "--distribution"],
            &["case", "CacheTag"],
        );
        check(0, &["/a/*"], &["--distribution"], &["'/page*'", "cache policy"]);
        check(0, &["/A*"], &["case"], &["'/page*'"]);
        check(0, &["/a?x=1"], &["cache policy"], &["'/page*'"]);
        check(0, &["#Tag"], &["CacheTagConfig"], &["upper and lower", "'/page*'"]);
    }
}

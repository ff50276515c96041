use std::fmt::Write as _;
use std::io::Write as _;

use warmfront_deploy::Class;
use warmfront_deploy::month::Month;
use warmfront_deploy::plan::{Plan, Source};
use warmfront_deploy::price;
use warmfront_deploy::session::Outcome;
use warmfront_deploy::verify::EdgeReport;

/// A list longer than this is cut.
const LINES_MAX: usize = 20;

/// The plan for people. `month` tells the price, if it is known.
pub fn show_plan(plan: &Plan, month: Option<&Month>) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_plan(&mut text, plan, month);
    text
}

fn write_plan(text: &mut String, plan: &Plan, month: Option<&Month>) -> std::fmt::Result {
    match &plan.rollback_to {
        Some(release) => writeln!(
            text,
            "back to release {release}, in s3://{}/{}",
            plan.bucket, plan.prefix
        )?,
        None => writeln!(text, "{} to s3://{}/{}", plan.release, plan.bucket, plan.prefix)?,
    }
    for (class, name) in [
        (Class::Fingerprinted, "assets"),
        (Class::Other, "others"),
        (Class::Page, "pages"),
    ] {
        let uploads = plan.uploads_of(class).map(|upload| {
            let sign = match (upload.is_new, &upload.source) {
                (true, _) => '+',
                (false, Source::InPlace) => 'h',
                (false, _) => '~',
            };
            format!("{sign} {}", upload.key)
        });
        list(text, name, uploads.collect())?;
    }
    list(
        text,
        "removed",
        plan.removals.iter().map(|key| format!("- {key}")).collect(),
    )?;
    list(
        text,
        "stay for open tabs",
        plan.staying.iter().map(|key| format!("  {key}")).collect(),
    )?;
    list(
        text,
        "invalidated",
        plan.paths.iter().map(|path| path.to_owned()).collect(),
    )?;
    let n_paths = plan.paths.len() as u64;
    match month.map(Month::n_paths) {
        _ if n_paths == 0 => writeln!(text, "no invalidation is needed: 0.00 USD")?,
        Some(n_used) => writeln!(
            text,
            "{n_paths} paths cost {} ({} free paths are left this month, other distributions not counted)",
            price::of_more(n_used, n_paths),
            price::free_left(n_used)
        )?,
        None => writeln!(text, "{n_paths} paths")?,
    }
    if plan.expiry_secs > 0 {
        writeln!(text, "what is cached for {} s is waited for", plan.expiry_secs)?;
    }
    writeln!(
        text,
        "{} files stay as they are, {} bytes are sent",
        plan.n_unchanged,
        plan.bytes_sent()
    )?;
    if plan.n_strangers > 0 {
        writeln!(
            text,
            "{} objects that no release knows are left alone",
            plan.n_strangers
        )?;
    }
    for warning in &plan.warnings {
        writeln!(text, "warning: {warning}")?;
    }
    Ok(())
}

fn list(text: &mut String, name: &str, lines: Vec<String>) -> std::fmt::Result {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(text, "{name}: {}", lines.len())?;
    for line in lines.iter().take(LINES_MAX) {
        writeln!(text, "  {line}")?;
    }
    if lines.len() > LINES_MAX {
        writeln!(text, "  … and {} more", lines.len() - LINES_MAX)?;
    }
    Ok(())
}

/// What an edge showed, in one line.
pub fn show_report(report: &EdgeReport) -> String {
    let pops: Vec<&str> = report.pops.iter().map(String::as_str).collect();
    let (n_looked, n_wrong) = (report.n_checks + report.n_references, report.problems.len());
    let well = match n_wrong {
        0 => "all as they should be".to_owned(),
        _ => format!("{n_wrong} of {n_looked} are not as they should be"),
    };
    format!(
        "{} ({}): {} URLs and {} assets that they refer to, {well}; {} went from Miss to Hit",
        report.edge,
        pops.join(", "),
        report.n_checks,
        report.n_references,
        report.n_miss_then_hit
    )
}

/// Tells a CI service what happened: GitHub's step summary, as Markdown; a section in GitLab's job log; elsewhere nothing.
///
/// Source: GitHub Docs, "Workflow commands for GitHub Actions", Adding a job summary; GitLab Docs, "CI/CD job logs", Custom
/// collapsible sections.
pub fn summarize(plan: &Plan, outcome: &Outcome, now_unix_secs: i64) {
    let is_set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    if is_set("GITLAB_CI").is_some() {
        eprint!("{}", gitlab_section(&summary(plan, outcome), now_unix_secs));
    }
    let Some(path) = is_set("GITHUB_STEP_SUMMARY") else {
        return;
    };
    let file = std::fs::OpenOptions::new().append(true).create(true).open(&path);
    if let Err(error) = file.and_then(|mut file| file.write_all(summary(plan, outcome).as_bytes())) {
        eprintln!("warmfront: the summary cannot be written: {error}");
    }
}

/// A section of a job's log, whose heading is the text's first line.
fn gitlab_section(text: &str, now_unix_secs: i64) -> String {
    const NAME: &str = "warmfront_release";
    let (heading, rest) = text.split_once('\n').unwrap_or((text, ""));
    let heading = heading.trim_start_matches('#').trim_start();
    format!(
        "\x1b[0Ksection_start:{now_unix_secs}:{NAME}\r\x1b[0K{heading}\n{rest}\x1b[0Ksection_end:{now_unix_secs}:{NAME}\r\x1b[0K\n"
    )
}

fn summary(plan: &Plan, outcome: &Outcome) -> String {
    let state = if outcome.is_finished {
        "is live"
    } else {
        "is waiting for its invalidation"
    };
    let mut text = format!("### Release {} {state}\n\n", outcome.release);
    let _ = writeln!(
        text,
        "| uploaded | removed | unchanged | paths |\n| --- | --- | --- | --- |"
    );
    let (uploads, removals) = (plan.uploads.len(), plan.removals.len());
    let _ = writeln!(
        text,
        "| {uploads} | {removals} | {} | {} |",
        plan.n_unchanged,
        plan.paths.len()
    );
    for warning in &plan.warnings {
        let _ = writeln!(text, "\n> {warning}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The form that GitLab Docs, "Custom collapsible sections", shows.
    #[test]
    fn gitlab_folds_the_section_between_its_marks() {
        assert_eq!(
            gitlab_section("### Release r1 is live\n\n| a |\n", 1_560_896_352),
            "\x1b[0Ksection_start:1560896352:warmfront_release\r\x1b[0KRelease r1 is live\n\n| a |\n\
             \x1b[0Ksection_end:1560896352:warmfront_release\r\x1b[0K\n"
        );
    }
}

use std::fmt::Write as _;
use std::io::Write as _;

use warmfront_deploy::Class;
use warmfront_deploy::plan::{Plan, Source};
use warmfront_deploy::price;
use warmfront_deploy::session::Outcome;

/// A list longer than this is cut.
const LINES_MAX: usize = 20;

/// The plan for people. `n_used` are the paths that the month has had, if they are known.
pub fn show_plan(plan: &Plan, n_used: Option<u64>) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_plan(&mut text, plan, n_used);
    text
}

fn write_plan(text: &mut String, plan: &Plan, n_used: Option<u64>) -> std::fmt::Result {
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
    match n_used {
        _ if n_paths == 0 => writeln!(text, "no invalidation is needed: 0.00 USD")?,
        Some(n_used) => writeln!(
            text,
            "{n_paths} paths cost {} ({} free paths are left this month)",
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

/// Tells a CI service what happened: GitHub's step summary, as Markdown; elsewhere nothing.
///
/// Source: GitHub Docs, "Workflow commands for GitHub Actions", Adding a job summary.
pub fn summarize(plan: &Plan, outcome: &Outcome) {
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else {
        return;
    };
    let state = if outcome.is_finished {
        "is live and verified"
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
    let file = std::fs::OpenOptions::new().append(true).create(true).open(&path);
    if let Err(error) = file.and_then(|mut file| file.write_all(text.as_bytes())) {
        eprintln!("warmfront: the summary cannot be written: {error}");
    }
}

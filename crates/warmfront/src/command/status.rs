use super::release::{self, Site, SiteArgs};
use crate::stdout;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    site: SiteArgs,
}

/// Says which release is current, and what is unfinished.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let status = release::ask(&args.site, async |site: &Site| site.session.status().await)?;
    if args.site.json {
        return Ok(stdout::print(&format!("{}\n", serde_json::to_string(&status)?))?);
    }
    let mut text = format!("current: {}\n", status.current.as_deref().unwrap_or("none"));
    for (release, step) in &status.unfinished {
        text.push_str(&format!("unfinished: {release}, next step: {}\n", step.name()));
    }
    for id in &status.in_progress {
        text.push_str(&format!("invalidation {id} is in progress\n"));
    }
    if !status.unfinished.is_empty() {
        text.push_str("go on with: warmfront resume\n");
    }
    Ok(stdout::print(&text)?)
}

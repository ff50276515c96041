use super::release::{self, Site, SiteArgs};
use crate::stdout;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    site: SiteArgs,
}

/// Looks at the current release through the edge: every page, what the pages load, and a sample of the rest.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let reports = release::ask(&args.site, async |site: &Site| site.session.verify_current().await)?;
    if args.site.json {
        return Ok(stdout::print(&format!("{}\n", serde_json::to_string(&reports)?))?);
    }
    let line = |report| format!("{}\n", release::show_report(report));
    Ok(stdout::print(&reports.iter().map(line).collect::<String>())?)
}

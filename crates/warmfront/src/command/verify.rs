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
    let line = |report: &warmfront_deploy::verify::EdgeReport| {
        format!(
            "{}: {} URLs and {} assets that pages refer to are as they should be ({} went from Miss to Hit)\n",
            report.edge, report.n_checks, report.n_references, report.n_miss_then_hit
        )
    };
    Ok(stdout::print(&reports.iter().map(line).collect::<String>())?)
}

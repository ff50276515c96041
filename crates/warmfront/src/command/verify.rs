use super::release::{self, Site, SiteArgs};
use crate::outcome::Complaint;
use crate::stdout;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    site: SiteArgs,
}

/// Looks at the current release through the edge: every page, what the pages load, and a sample of the rest.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let reports = release::run(&args.site, async |site: &Site| {
        if site.session.verifier.is_none() {
            let complaint = Complaint::usage(format!("nothing can be looked at: {}", release::NO_EDGE));
            return Err(complaint.hint("give one with --edge").into());
        }
        site.session.verify_current().await.map_err(release::explain)
    })?;
    if args.site.json {
        return Ok(stdout::print(&format!("{}\n", serde_json::to_string(&reports)?))?);
    }
    let line = |report| format!("{}\n", release::show_report(report));
    Ok(stdout::print(&reports.iter().map(line).collect::<String>())?)
}

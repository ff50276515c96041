use super::deploy::{self, Consent};
use super::release::{self, Site, SiteArgs};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The release to go back to [default: the one before the current]
    #[arg(long, value_name = "RELEASE")]
    to: Option<String>,
    /// Do not ask before going on
    #[arg(long, short)]
    yes: bool,
    /// Show the plan and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    site: SiteArgs,
}

/// Brings an earlier release back, from bytes that are kept; the build is not needed.
pub fn run(args: &Args) -> anyhow::Result<()> {
    release::run(&args.site, async |site: &Site| {
        let plan = site.session.plan_rollback(args.to.as_deref()).await;
        let plan = plan.map_err(release::explain)?;
        deploy::show_and_carry_out(&args.site, site, &plan, Consent::new(args.yes, args.dry_run)).await
    })
}

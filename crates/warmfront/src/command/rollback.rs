use super::deploy;
use super::release::{self, Site, SiteArgs};
use crate::stdout;

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
    let (plan, n_used) = release::run(&args.site, async |site: &Site| {
        let plan = site.session.plan_rollback(args.to.as_deref()).await?;
        let n_used = deploy::used_paths(&site.session, &plan).await;
        Ok((plan, n_used))
    })?;
    if args.dry_run {
        stdout::print(&if args.site.json {
            format!("{}\n", serde_json::to_string(&plan)?)
        } else {
            release::show_plan(&plan, n_used)
        })?;
        return Ok(());
    }
    eprint!("{}", release::show_plan(&plan, n_used));
    deploy::confirm(args.yes)?;
    deploy::carry_out(&args.site, &plan)
}

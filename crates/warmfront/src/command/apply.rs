use std::path::PathBuf;

use warmfront_deploy::plan::Plan;
use warmfront_deploy::session::Made;

use super::deploy;
use super::release::{self, Site, SiteArgs};
use crate::outcome::Complaint;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A plan that `warmfront plan -o` wrote
    #[arg(value_name = "FILE")]
    plan: PathBuf,
    #[command(flatten)]
    site: SiteArgs,
}

/// Carries a plan out, unless the bucket has changed since it was made.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let refuse = |reason: String| Complaint::failed(format!("{}: {reason}", args.plan.display()));
    let text = std::fs::read(&args.plan).map_err(|error| refuse(error.to_string()))?;
    let plan: Plan = serde_json::from_slice(&text).map_err(|error| refuse(format!("it is no plan: {error}")))?;
    let site = args.site.clone().of_plan(&plan)?;
    release::run(&site, async |opened: &Site| {
        deploy::carry_out(&site, opened, &plan, Made::Earlier).await
    })
}

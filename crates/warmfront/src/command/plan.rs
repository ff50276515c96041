use std::path::PathBuf;

use super::deploy::{Consent, plan_folder, show_and_carry_out};
use super::release::{self, Site, SiteArgs};
use crate::outcome::Complaint;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder of the built site
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Write the plan there, for `warmfront apply`
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Read every file, even if nothing about it seems to have changed
    #[arg(long)]
    rehash: bool,
    #[command(flatten)]
    site: SiteArgs,
}

/// Plans a release, shows it, and writes it down if asked.
pub fn run(args: &Args) -> anyhow::Result<()> {
    release::run(&args.site, async |site: &Site| {
        let plan = plan_folder(&site.session, &args.folder, args.rehash).await;
        let mut plan = plan.map_err(release::explain)?;
        plan.state = Some(site.state.clone());
        if let Some(path) = &args.output {
            let written = std::fs::write(path, format!("{}\n", serde_json::to_string(&plan)?));
            written.map_err(|error| Complaint::failed(format!("--output {}: {error}", path.display())))?;
        }
        show_and_carry_out(&args.site, site, &plan, Consent::DryRun).await
    })
}

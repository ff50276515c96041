use std::path::PathBuf;

use super::deploy::{plan_folder, used_paths};
use super::release::{self, Site, SiteArgs};
use crate::outcome::Complaint;
use crate::stdout;

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
    let (plan, n_used) = release::run(&args.site, async |site: &Site| {
        let plan = plan_folder(&site.session, &args.folder, args.rehash).await?;
        let n_used = used_paths(&site.session, &plan).await;
        Ok((plan, n_used))
    })?;
    let json = serde_json::to_string(&plan)?;
    if let Some(path) = &args.output {
        let written = std::fs::write(path, format!("{json}\n"));
        written.map_err(|error| Complaint::failed(format!("--output {}: {error}", path.display())))?;
    }
    stdout::print(&if args.site.json {
        format!("{json}\n")
    } else {
        release::show_plan(&plan, n_used)
    })?;
    Ok(())
}

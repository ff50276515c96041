use super::release::{self, Site, SiteArgs};
use crate::stdout;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    site: SiteArgs,
}

/// Says how many paths were invalidated this month and what they cost on AWS.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let cost = release::ask(&args.site, async |site: &Site| site.session.cost().await)?;
    if args.site.json {
        return Ok(stdout::print(&format!("{}\n", serde_json::to_string(&cost)?))?);
    }
    let mut text = format!(
        "{}: {} paths, {}; {} free paths are left\n",
        cost.month, cost.n_paths, cost.price, cost.free_left
    );
    for (distribution, n_paths) in &cost.paths {
        text.push_str(&format!("  {distribution}: {n_paths}\n"));
    }
    text.push_str(&format!(
        "at this pace: {} paths, {}\n",
        cost.forecast_paths, cost.forecast_price
    ));
    if !cost.whole_account {
        text.push_str(
            "other distributions of the account were not counted (cloudfront:ListDistributions is not allowed)\n",
        );
    }
    Ok(stdout::print(&text)?)
}

use super::release::{self, Site, SiteArgs};
use crate::stdout;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    site: SiteArgs,
}

/// Goes on with the release that was interrupted.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let outcome = release::ask(&args.site, async |site: &Site| {
        site.warn_unless_verified();
        site.session.resume(release::is_alive).await
    })?;
    let text = match &outcome {
        _ if args.site.json => format!("{}\n", serde_json::to_string(&outcome)?),
        None => "nothing is unfinished\n".to_owned(),
        Some(outcome) => format!("{}\n", outcome.release),
    };
    Ok(stdout::print(&text)?)
}

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::release::{self, Site, SiteArgs};
use crate::stdout;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    site: SiteArgs,
}

/// Lists the releases, the newest first.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let head = release::ask(&args.site, async |site: &Site| site.session.releases().await)?;
    if args.site.json {
        return Ok(stdout::print(&format!("{}\n", serde_json::to_string(&head)?))?);
    }
    let mut text = String::new();
    for release in head.unfinished.iter().rev() {
        text.push_str(&format!("{release}  unfinished\n"));
    }
    for (at, release) in head.finished.iter().rev().enumerate() {
        let time = OffsetDateTime::from_unix_timestamp(release.finished_ms / 1000).ok();
        let time = time.and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_default();
        let back = release
            .rollback_to
            .as_ref()
            .map(|id| format!(", back to {id}"))
            .unwrap_or_default();
        let current = if at == 0 { "  current" } else { "" };
        text.push_str(&format!(
            "{}  {time}  {} files, {} written, {} paths{back}{current}\n",
            release.id, release.n_files, release.n_uploads, release.n_paths
        ));
    }
    Ok(stdout::print(&text)?)
}

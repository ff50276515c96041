use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use warmfront_deploy::plan::Plan;
use warmfront_deploy::session::{DeployError, Session};
use warmfront_deploy::{Digest, DigestCache, SettingsFile, iam};

use super::release::{self, Site, SiteArgs};
use crate::outcome::Complaint;
use crate::stdout;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder of the built site
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Do not ask before going on
    #[arg(long, short)]
    yes: bool,
    /// Show the plan and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Read every file, even if nothing about it seems to have changed
    #[arg(long)]
    rehash: bool,
    /// Say which headers FILE (a path below DIR) gets, and why
    #[arg(long, value_name = "FILE")]
    explain: Option<String>,
    /// Print the least policy that the plan needs, and change nothing
    #[arg(long)]
    print_iam_policy: bool,
    #[command(flatten)]
    site: SiteArgs,
}

/// Plans a release of the folder, shows it, and carries it out.
pub fn run(args: &Args) -> anyhow::Result<()> {
    if let Some(file) = &args.explain {
        return explain_file(file);
    }
    let (plan, n_used, state) = release::run(&args.site, async |site: &Site| {
        let plan = plan_folder(&site.session, &args.folder, args.rehash).await?;
        let n_used = used_paths(&site.session, &plan).await;
        Ok((plan, n_used, site.state.clone()))
    })?;
    if args.print_iam_policy {
        stdout::print(&format!("{:#}\n", iam::policy(&plan, &state)))?;
        return Ok(());
    }
    if args.dry_run {
        stdout::print(&if args.site.json {
            format!("{}\n", serde_json::to_string(&plan)?)
        } else {
            release::show_plan(&plan, n_used)
        })?;
        return Ok(());
    }
    if plan.is_empty() {
        eprintln!("warmfront: nothing has changed ({} files)", plan.n_unchanged);
    } else {
        eprint!("{}", release::show_plan(&plan, n_used));
        confirm(args.yes)?;
    }
    carry_out(&args.site, &plan)
}

/// Carries a plan out and prints how it ended.
pub fn carry_out(args: &SiteArgs, plan: &Plan) -> anyhow::Result<()> {
    let outcome = release::run(args, async |site: &Site| {
        site.session.apply(plan, release::is_alive).await
    })?;
    release::summarize(plan, &outcome, warmfront_clock::Clock::system().now().0 / 1_000);
    stdout::print(&if args.json {
        format!("{}\n", serde_json::to_string(&outcome)?)
    } else if outcome.is_finished {
        format!("{}\n", outcome.release)
    } else {
        format!("{} is unfinished; go on with: warmfront resume\n", outcome.release)
    })?;
    Ok(())
}

/// Plans with the digests of the last time.
pub async fn plan_folder(session: &Session, folder: &Path, rehash: bool) -> Result<Plan, DeployError> {
    let path = cache_path(folder);
    let mut cache = match &path {
        Some(path) if !rehash => DigestCache::load(path),
        _ => DigestCache::default(),
    };
    let plan = session.plan_folder(folder, &mut cache).await?;
    if let Some(path) = path {
        // Without it the next run is slower, no more.
        let _ = cache.store(&path);
    }
    Ok(plan)
}

/// The month's paths so far, asked for only if the plan adds some; `None` if that is not allowed.
pub async fn used_paths(session: &Session, plan: &Plan) -> Option<u64> {
    if plan.paths.is_empty() {
        return None;
    }
    session.paths_this_month(&plan.distribution).await.ok()
}

/// Asks on a terminal; elsewhere `--yes` must have been given.
pub fn confirm(yes: bool) -> anyhow::Result<()> {
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(Complaint::usage("nobody is there to be asked")
            .hint("add --yes, or look first with --dry-run")
            .into());
    }
    eprint!("Go on? [y/N] ");
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        return Ok(());
    }
    Err(Complaint::failed("nothing was changed").into())
}

fn explain_file(file: &str) -> anyhow::Result<()> {
    let settings = SettingsFile::load(None).and_then(|file| file.resolve());
    let settings = settings.map_err(|error| Complaint::usage(error.to_string()))?;
    let decision = settings.rules.decide(file.trim_start_matches("./"), false);
    let mut text = format!(
        "{file}: {}\n  Content-Type: {}\n  Cache-Control: {}\n",
        decision.class.name(),
        decision.headers.content_type,
        decision.headers.cache_control
    );
    if !decision.headers.tags.is_empty() {
        text.push_str(&format!("  tags: {}\n", decision.headers.tags.join(", ")));
    }
    for reason in decision.reasons {
        text.push_str(&format!("  because {reason}\n"));
    }
    stdout::print(&text)?;
    Ok(())
}

fn cache_path(folder: &Path) -> Option<PathBuf> {
    let home = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?;
    let absolute = std::path::absolute(folder).ok()?;
    let name = Digest::of(absolute.as_os_str().as_encoded_bytes()).to_string();
    Some(home.join("warmfront/digests").join(format!("{}.json", &name[..16])))
}

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use warmfront_deploy::plan::Plan;
use warmfront_deploy::session::{DeployError, Made, Session};
use warmfront_deploy::{Digest, DigestCache, iam};

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
        return explain_file(file, &args.site);
    }
    release::run(&args.site, async |site: &Site| {
        let plan = plan_folder(&site.session, &args.folder, args.rehash).await;
        let plan = plan.map_err(release::explain)?;
        if args.print_iam_policy {
            return Ok(stdout::print(&format!("{:#}\n", iam::policy(&plan, &site.state)))?);
        }
        if plan.is_empty() && !args.dry_run {
            eprintln!("warmfront: nothing has changed ({} files)", plan.n_unchanged);
            return carry_out(&args.site, site, &plan, Made::Now).await;
        }
        show_and_carry_out(&args.site, site, &plan, Consent::new(args.yes, args.dry_run)).await
    })
}

/// What the user wants besides a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// Nothing: the plan is all.
    DryRun,
    /// To be asked.
    Ask,
    /// That it be done.
    Given,
}

impl Consent {
    /// From `--yes` and `--dry-run`; the second wins.
    pub fn new(yes: bool, dry_run: bool) -> Consent {
        match (dry_run, yes) {
            (true, _) => Consent::DryRun,
            (false, true) => Consent::Given,
            (false, false) => Consent::Ask,
        }
    }
}

/// Shows a plan that was made just now and carries it out, if that is wanted.
pub async fn show_and_carry_out(args: &SiteArgs, site: &Site, plan: &Plan, consent: Consent) -> anyhow::Result<()> {
    let text = release::show_plan(plan, site.session.month_seen().as_ref());
    if consent == Consent::DryRun {
        let json = || Ok::<_, serde_json::Error>(format!("{}\n", serde_json::to_string(plan)?));
        return Ok(stdout::print(&if args.json { json()? } else { text })?);
    }
    eprint!("{text}");
    if consent == Consent::Ask {
        ask()?;
        return carry_out(args, site, plan, Made::Earlier).await;
    }
    carry_out(args, site, plan, Made::Now).await
}

/// Carries a plan out and prints how it ended.
pub async fn carry_out(args: &SiteArgs, site: &Site, plan: &Plan, made: Made) -> anyhow::Result<()> {
    if !plan.is_empty() {
        site.warn_unless_verified();
    }
    let applied = site.session.apply(plan, made, release::is_alive).await;
    let outcome = applied.map_err(release::explain)?;
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

/// Asks on a terminal; elsewhere `--yes` must have been given.
fn ask() -> anyhow::Result<()> {
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

fn explain_file(file: &str, site: &SiteArgs) -> anyhow::Result<()> {
    let settings = site.settings()?.resolve();
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

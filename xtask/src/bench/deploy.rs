//! `warmfront deploy` beside `aws s3 sync`, `create-invalidation --paths '/*'` and `wait`, on the same site and the same server.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::machine::{cargo, output, run as run_command, target};

mod server;
mod site;

use server::Server;
use site::Site;

/// How much to measure.
pub struct Settings {
    /// No-ops and one-page changes are measured so often; the median counts.
    pub rounds: u64,
    /// The sites: 500 files, and the 5,000 and more if this is not 0.
    pub large: u64,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { rounds: 3, large: 1 }
    }
}

/// How much faster the no-op and the one-page change must be.
const RATIO_MIN: f64 = 5.0;

/// Measures both ways on both sites and prints the wall time of each, and the ratios.
///
/// # Errors
/// If something cannot be installed, started or carried out, or if a ratio that matters is too small.
pub fn run(settings: &Settings) -> Result<()> {
    if std::env::var_os("WARMFRONT").is_none() {
        run_command(&mut cargo(["build", "--release", "--quiet", "-p", "warmfront"]))?;
    }
    println!("{}", output(Command::new(server::program()).arg("--version"))?.trim());
    let folder = target().join("bench-deploy");
    let mut slow = Vec::new();
    let mut sites = vec![Site::small(&folder)?];
    if settings.large != 0 {
        sites.push(Site::large(&folder)?);
    }
    for site in &sites {
        slow.extend(measure(site, &folder, settings.rounds)?);
    }
    ensure!(
        slow.is_empty(),
        "less than {RATIO_MIN} times as fast: {}",
        slow.join(", ")
    );
    Ok(())
}

/// One site, both ways. Gives what is too slow.
fn measure(site: &Site, folder: &Path, rounds: u64) -> Result<Vec<String>> {
    let data = folder.join("run");
    let _ = fs::remove_dir_all(&data);
    fs::create_dir_all(&data)?;
    let server = Server::start(&data)?;
    let ours = server.make_site("ours")?;
    let theirs = server.make_site("theirs")?;
    println!("\n{} files, {} MB", site.n_files, site.n_bytes / 1_000_000);
    println!("{:<18}{:>14}{:>16}{:>9}", "", "deploy", "sync + /* + wait", "ratio");
    let deploy = || server.deploy(&ours, &site.folder);
    let sync = || server.sync(&theirs, &site.folder);
    let mut slow = Vec::new();
    let mut line = |name: &str, ours: Duration, theirs: Duration, matters: bool| {
        let ratio = theirs.as_secs_f64() / ours.as_secs_f64();
        println!(
            "{name:<18}{:>12.2} s{:>14.2} s{ratio:>8.1}×",
            ours.as_secs_f64(),
            theirs.as_secs_f64()
        );
        if matters && ratio < RATIO_MIN {
            slow.push(format!("{name} of {} files: {ratio:.1}", site.n_files));
        }
    };
    line("first", timed(deploy)?, timed(sync)?, false);
    let (mut no_ops, mut changes) = ([vec![], vec![]], [vec![], vec![]]);
    for _ in 0..rounds {
        no_ops[0].push(timed(deploy)?);
        no_ops[1].push(timed(sync)?);
    }
    line("no-op", median(&mut no_ops[0]), median(&mut no_ops[1]), true);
    let before = fs::read(site.page())?;
    for round in 0..rounds {
        fs::write(
            site.page(),
            [&before[..], format!("<!-- {round} -->").as_bytes()].concat(),
        )?;
        changes[0].push(timed(deploy)?);
        changes[1].push(timed(sync)?);
    }
    line("one page", median(&mut changes[0]), median(&mut changes[1]), true);
    // Whoever has no rollback builds the old site again and publishes that; here the old page lies ready.
    fs::write(site.page(), &before)?;
    line("rollback", timed(|| server.rollback(&ours))?, timed(sync)?, false);
    Ok(slow)
}

fn timed(work: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let began = Instant::now();
    work()?;
    Ok(began.elapsed())
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

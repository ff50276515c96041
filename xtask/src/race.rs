//! `cargo xtask race`: reads objects from real caches over real sockets while they are invalidated under adverse
//! circumstances, and counts the stale answers.

mod origin;
pub mod reader;
mod scenario;
pub mod servers;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use self::origin::Origin;
use self::scenario::{Effort, Scenario, Tally};
use self::servers::Contestant;
use crate::machine::{cargo, output, run as run_command, target};

const USAGE: &str = "cargo xtask race [--rounds N] [--reads N] [--only NAME] [--program PATH]";

/// Our reads in a whole race come to this many at least.
const OUR_READS_MIN: u64 = 100_000;

struct Options {
    effort: Effort,
    only: Option<String>,
    program: Option<PathBuf>,
}

/// Runs every scenario against every cache that is installed, and prints a table.
///
/// # Errors
/// When Warmfront answers with something stale; and when the naive cache does not, for then the race would see nothing.
pub fn run(arguments: &[String]) -> Result<()> {
    let options = Options::parse(arguments)?;
    let program = match &options.program {
        Some(program) => program.clone(),
        None => {
            run_command(&mut cargo(["build", "--release", "--quiet", "-p", "warmfront"]))?;
            target().join("release/warmfront")
        }
    };
    let origin = Origin::start()?;
    print_versions();
    println!(
        "{:<24} {:<20} {:>9} {:>9} {:>14} {:>7}",
        "scenario", "cache", "reads", "stale", "stale objects", "failed"
    );
    let mut totals: BTreeMap<&str, Tally> = BTreeMap::new();
    for contestant in Contestant::ALL {
        if options
            .only
            .as_deref()
            .is_some_and(|only| !contestant.name().starts_with(only))
        {
            continue;
        }
        if let Some(missing) = contestant.missing() {
            println!("{:<24} {:<20} not installed: {missing}", "", contestant.name());
            continue;
        }
        let total =
            run_all(contestant, &origin, &program, options.effort).with_context(|| contestant.name().to_owned())?;
        print_row("all", contestant, Some(total), options.effort);
        totals.insert(contestant.name(), total);
    }
    judge(&totals, &options)
}

fn run_all(contestant: Contestant, origin: &Origin, program: &std::path::Path, effort: Effort) -> Result<Tally> {
    let mut total = Tally::default();
    let mut running = None;
    for scenario in Scenario::ALL {
        let setup = scenario.setup();
        if running.as_ref().is_none_or(|(present, _)| *present != setup) {
            // One at a time, so that none takes another's processor.
            drop(running.take());
            running = Some((setup, contestant.start(setup, origin.address(), program)?));
        }
        let cache = running.as_ref().and_then(|(_, cache)| cache.as_deref());
        let tally = match cache {
            Some(cache) if contestant.by_tag() || scenario != Scenario::TagArrivesLate => {
                Some(scenario::run(scenario, cache, origin, effort).context(scenario.name())?)
            }
            _ => None,
        };
        total.add(tally.unwrap_or_default());
        print_row(scenario.name(), contestant, tally, effort);
    }
    Ok(total)
}

fn print_row(scenario: &str, contestant: Contestant, tally: Option<Tally>, effort: Effort) {
    let name = contestant.name();
    match tally {
        None => println!("{scenario:<24} {name:<20} {:>9}", "-"),
        Some(tally) if scenario == "all" => println!(
            "{scenario:<24} {name:<20} {:>9} {:>9} {:>14} {:>7}\n",
            tally.reads, tally.stale, tally.stale_objects, tally.failed
        ),
        Some(tally) => println!(
            "{scenario:<24} {name:<20} {:>9} {:>9} {:>14} {:>7}",
            tally.reads,
            tally.stale,
            format!("{} of {}", tally.stale_objects, effort.rounds),
            tally.failed
        ),
    }
}

fn judge(totals: &BTreeMap<&str, Tally>, options: &Options) -> Result<()> {
    if let Some(naive) = totals.get(Contestant::Naive.name())
        && naive.stale == 0
    {
        bail!("the naive cache gave no stale answer: this race would not notice one");
    }
    let mut ours = Tally::default();
    for contestant in Contestant::ALL.into_iter().filter(|contestant| contestant.is_ours()) {
        ours.add(totals.get(contestant.name()).copied().unwrap_or_default());
    }
    if ours.reads == 0 {
        return Ok(());
    }
    if ours.stale > 0 || ours.failed > 0 {
        bail!(
            "warmfront: {} stale answers and {} failures in {} reads",
            ours.stale,
            ours.failed,
            ours.reads
        );
    }
    println!("warmfront: no stale answer in {} reads", ours.reads);
    if ours.reads < OUR_READS_MIN {
        println!(
            "a whole race has {OUR_READS_MIN} reads at least: this one was shortened to --rounds {} --reads {}",
            options.effort.rounds, options.effort.reads
        );
    }
    Ok(())
}

fn print_versions() {
    let commit = output(Command::new("git").args(["rev-parse", "--short", "HEAD"])).unwrap_or_default();
    println!("warmfront at {}", commit.trim());
    for (program, flag) in [("varnishd", "-V"), ("nginx", "-v")] {
        // Both print to stderr.
        if let Ok(printed) = Command::new(program).arg(flag).output() {
            let text = String::from_utf8_lossy(&printed.stderr).into_owned();
            println!("{}", text.lines().next().unwrap_or_default());
        }
    }
    println!();
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Options> {
        let mut options = Options {
            effort: Effort {
                rounds: 10,
                reads: 2_000,
            },
            only: None,
            program: None,
        };
        for pair in arguments.chunks(2) {
            let [flag, value] = pair else {
                bail!("{} takes a value: {USAGE}", pair[0])
            };
            let number = || {
                value
                    .parse()
                    .with_context(|| format!("{flag} takes a number, not {value:?}"))
            };
            match flag.as_str() {
                "--rounds" => options.effort.rounds = number()?,
                "--reads" => options.effort.reads = number()?,
                "--only" => options.only = Some(value.clone()),
                "--program" => options.program = Some(value.into()),
                _ => bail!("there is no option {flag:?}: {USAGE}"),
            }
        }
        Ok(options)
    }
}

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use super::load::{self, Load};
use super::origin::Origin;
use super::servers::{Nginx, Server, Warmfront};
use crate::machine::{cargo, need_packages, output, run as run_command, target};

/// How long to measure.
pub struct Settings {
    /// Measurements of each server and size; an odd number has a median.
    pub rounds: u64,
    /// Seconds for each measurement.
    pub secs: u64,
    /// An earlier build of ours, to be measured in turns with this one.
    pub before: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            rounds: 5,
            secs: 5,
            before: None,
        }
    }
}

/// Sizes of the object, in bytes.
const SIZES: &[usize] = &[1024, 16 * 1024];

/// The core that serves and the core that asks.
const SERVER_CORE: &str = "0";
const LOAD_CORE: &str = "1";

/// Serves one object from the cache again and again: we, an earlier build if one is given, and nginx, each without and with
/// a log, on the same core, in turns. nginx keeps its cache in a file system in memory. Prints medians, and their ratio to
/// those of the nginx that logs as much.
pub fn run(settings: &Settings) -> Result<()> {
    need_packages(&["nginx", "wrk", "util-linux"])?;
    if std::thread::available_parallelism()?.get() < 2 {
        bail!("one core serves and another asks: this machine has only one");
    }
    run_command(&mut cargo(["build", "--release", "--quiet", "-p", "warmfront"]))?;
    let origin = Origin::start()?;
    let servers = start(settings, &origin)?;
    print_conditions(settings)?;
    for &size in SIZES {
        let mut loads: Vec<Vec<Load>> = servers.iter().map(|_| Vec::new()).collect();
        for compared in &servers {
            warm(compared.server.as_ref(), &origin, size)?;
        }
        for round in 0..settings.rounds {
            // Who comes first changes, so that none always has the warmer machine.
            for turn in 0..servers.len() {
                let which = (turn + usize::try_from(round)?) % servers.len();
                loads[which].push(measure(servers[which].server.as_ref(), size, settings.secs)?);
            }
        }
        print_table(size, &servers, &loads);
    }
    Ok(())
}

/// A server, and where the nginx stands that it is compared with.
struct Compared {
    server: Box<dyn Server>,
    with: usize,
}

/// All that are measured; the first two are nginx without and with a log.
fn start(settings: &Settings, origin: &Origin) -> Result<Vec<Compared>> {
    let program = target().join("release/warmfront");
    let nginx = |name, logs| Nginx::start(name, origin, SERVER_CORE, logs);
    let compared = |server, with| Compared { server, with };
    let mut servers = vec![
        compared(Box::new(nginx("nginx", false)?) as Box<dyn Server>, 0),
        compared(Box::new(nginx("nginx, log", true)?), 1),
        compared(
            Box::new(Warmfront::start("warmfront", &program, origin, SERVER_CORE)?),
            0,
        ),
        compared(
            Box::new(Warmfront::start_logging("ours, log", &program, origin, SERVER_CORE)?),
            1,
        ),
    ];
    if let Some(before) = &settings.before {
        servers.push(compared(
            Box::new(Warmfront::start("before", before, origin, SERVER_CORE)?),
            0,
        ));
    }
    Ok(servers)
}

fn path(size: usize) -> String {
    format!("/{size}.bin")
}

/// Fetches the object twice; the second answer must be right and must not have cost the origin a request.
fn warm(server: &dyn Server, origin: &Origin, size: usize) -> Result<()> {
    let url = format!("{}{}", server.url(), path(size));
    let fetch = || -> Result<usize> {
        let bytes = output(
            Command::new("curl")
                .args(["-q", "-s", "-o", "/dev/null", "-w", "%{http_code} %{size_download}"])
                .arg(&url),
        )?;
        match bytes.trim().split_once(' ') {
            Some(("200", bytes)) => Ok(bytes.parse()?),
            _ => bail!("{url} answers {bytes}"),
        }
    };
    fetch()?;
    let before = origin.requests();
    let bytes = fetch()?;
    if bytes != size || origin.requests() != before {
        bail!(
            "{} does not serve {} from its cache: {bytes} bytes, {} requests",
            server.name(),
            path(size),
            origin.requests() - before
        );
    }
    Ok(())
}

fn measure(server: &dyn Server, size: usize, secs: u64) -> Result<Load> {
    let before = server.cpu_ticks()?;
    let mut load = load::run(&format!("{}{}", server.url(), path(size)), LOAD_CORE, secs)?;
    load.cpu_micros = (server.cpu_ticks()? - before) as f64 * MICROS_PER_TICK / load.requests as f64;
    Ok(load)
}

/// `/proc` counts hundredths of a second on every Linux we know (USER_HZ).
const MICROS_PER_TICK: f64 = 10_000.0;

fn print_conditions(settings: &Settings) -> Result<()> {
    let nginx = Command::new("nginx").arg("-v").output()?;
    let commit = output(Command::new("git").args(["rev-parse", "--short", "HEAD"])).unwrap_or_default();
    println!(
        "{} rounds of {} s, server on core {SERVER_CORE}, wrk on core {LOAD_CORE}",
        settings.rounds, settings.secs
    );
    println!(
        "warmfront at {}, {}",
        commit.trim(),
        String::from_utf8_lossy(&nginx.stderr).trim()
    );
    println!(
        "\n{:>8}  {:<10} {:>12} {:>12} {:>10}   beside nginx",
        "bytes", "", "requests/s", "CPU µs/req", "p99 µs"
    );
    Ok(())
}

fn print_table(size: usize, servers: &[Compared], loads: &[Vec<Load>]) {
    let median_of = |loads: &[Load], value: fn(&Load) -> f64| median(loads.iter().map(value).collect());
    let rows: Vec<[f64; 3]> = loads
        .iter()
        .map(|loads| {
            [
                median_of(loads, |load| load.requests_per_sec),
                median_of(loads, |load| load.cpu_micros),
                median_of(loads, |load| load.p99_micros),
            ]
        })
        .collect();
    for (compared, row) in servers.iter().zip(&rows) {
        let ratio = |column: usize| row[column] / rows[compared.with][column];
        println!(
            "{size:>8}  {:<10} {:>12.0} {:>12.2} {:>10.0}   {:>5.2}x {:>5.2}x {:>5.2}x",
            compared.server.name(),
            row[0],
            row[1],
            row[2],
            ratio(0),
            ratio(1),
            ratio(2)
        );
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_outlier_does_not_move_the_median() {
        assert_eq!(median(vec![3.0, 1.0, 1000.0]), 3.0);
        assert!(median(vec![]).is_nan());
    }
}

use std::process::Command;

use anyhow::{Result, bail};

use super::load::{self, Load};
use super::origin::Origin;
use super::servers::{Nginx, Server, Warmfront};
use crate::machine::{cargo, need_packages, output, run as run_command};

/// How long to measure.
pub struct Settings {
    /// Measurements of each server and size; an odd number has a median.
    pub rounds: u64,
    /// Seconds for each measurement.
    pub secs: u64,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { rounds: 5, secs: 5 }
    }
}

/// Sizes of the object, in bytes.
const SIZES: &[usize] = &[1024, 16 * 1024];

/// The core that serves and the core that asks.
const SERVER_CORE: &str = "0";
const LOAD_CORE: &str = "1";

/// Serves one object from the cache again and again: we on one core, then nginx on the same, in turns.
/// nginx keeps its cache in a file system in memory. Prints medians and their ratio.
pub fn run(settings: &Settings) -> Result<()> {
    need_packages(&["nginx", "wrk", "util-linux"])?;
    if std::thread::available_parallelism()?.get() < 2 {
        bail!("one core serves and another asks: this machine has only one");
    }
    run_command(&mut cargo(["build", "--release", "--quiet", "-p", "warmfront"]))?;
    let origin = Origin::start()?;
    let servers: [Box<dyn Server>; 2] = [
        Box::new(Warmfront::start(&origin, SERVER_CORE)?),
        Box::new(Nginx::start(&origin, SERVER_CORE)?),
    ];
    print_conditions(settings)?;
    for &size in SIZES {
        let mut loads: [Vec<Load>; 2] = [Vec::new(), Vec::new()];
        for server in &servers {
            warm(server.as_ref(), &origin, size)?;
        }
        for round in 0..settings.rounds {
            // Who comes first changes, so that neither always has the warmer machine.
            for turn in 0..2 {
                let which = usize::from((round + turn) % 2 == 1);
                loads[which].push(measure(servers[which].as_ref(), size, settings.secs)?);
            }
        }
        print_table(size, &loads);
    }
    Ok(())
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
        "\n{:>8}  {:<10} {:>12} {:>12} {:>10}",
        "bytes", "", "requests/s", "CPU µs/req", "p99 µs"
    );
    Ok(())
}

fn print_table(size: usize, [ours, theirs]: &[Vec<Load>; 2]) {
    let median_of = |loads: &[Load], value: fn(&Load) -> f64| median(loads.iter().map(value).collect());
    let mut rows = [[0.0; 3]; 2];
    for (row, (name, loads)) in rows.iter_mut().zip([("warmfront", ours), ("nginx", theirs)]) {
        *row = [
            median_of(loads, |load| load.requests_per_sec),
            median_of(loads, |load| load.cpu_micros),
            median_of(loads, |load| load.p99_micros),
        ];
        println!(
            "{size:>8}  {name:<10} {:>12.0} {:>12.2} {:>10.0}",
            row[0], row[1], row[2]
        );
    }
    let [ours, theirs] = rows;
    let ratio = |column: usize| ours[column] / theirs[column];
    println!(
        "{size:>8}  {:<10} {:>11.2}x {:>11.2}x {:>9.2}x",
        "ratio",
        ratio(0),
        ratio(1),
        ratio(2)
    );
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

use std::collections::BTreeMap;

use anyhow::{Context, Result};

mod varnish;

use crate::machine::{cargo_bench, need_packages, output};

/// How much to store.
pub struct Settings {
    /// Responses of 1 KB on disk; a fifth as many in memory, of which the bookkeeping is measured, in Varnish too.
    pub responses: u64,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { responses: 1_000_000 }
    }
}

/// Measures the store: memory for a cached response beside Varnish, look-ups, fills and evictions, and a start with a full
/// disk until the first hit. Our workload is in `crates/warmfront-store/benches/store`.
///
/// # Errors
/// When Varnish cannot be installed or started, or the workload fails.
pub fn run(settings: &Settings) -> Result<()> {
    need_packages(&["varnish"])?;
    eprintln!("{}", varnish::version()?);
    let n_in_memory = settings.responses / 5;
    let rival = varnish::bookkeeping_bytes(n_in_memory)?;
    eprintln!("Varnish has cached {n_in_memory} responses; now the store, for a few minutes");
    let responses = settings.responses.to_string();
    let ours = Measured::read(&output(&mut cargo_bench("warmfront-store", "store", &[&responses]))?)?;
    for line in lines(&ours, rival, settings.responses)? {
        println!("{line}");
    }
    Ok(())
}

/// What the workload printed: on each line a name and a number.
struct Measured(BTreeMap<String, f64>);

impl Measured {
    fn read(text: &str) -> Result<Measured> {
        let pairs = text.lines().filter_map(|line| line.split_once(' '));
        let numbers = pairs.map(|(name, number)| {
            let number = number
                .parse()
                .with_context(|| format!("{name} is {number:?}, no number"))?;
            Ok((name.to_owned(), number))
        });
        numbers.collect::<Result<_>>().map(Measured)
    }

    fn get(&self, name: &str) -> Result<f64> {
        let number = self.0.get(name).copied();
        number.with_context(|| format!("the workload did not print {name}"))
    }
}

/// The table: what was measured, and how it compares with what it is to be.
fn lines(ours: &Measured, rival: f64, n_responses: u64) -> Result<Vec<String>> {
    let bookkeeping = ours.get("memory.bookkeeping_bytes")?;
    let first_hit = ours.get("start.first_hit_secs")?;
    let row = |what: &str, value: String, goal: &str| format!("{what:<58} {value:>16}  {goal}");
    let plain = |what: &str, name: &str, unit: &str| -> Result<String> {
        Ok(row(what, format!("{:.0} {unit}", ours.get(name)?), ""))
    };
    let look_up = |n: u64| {
        let what = format!("look-up in memory among {n} responses");
        plain(&what, &format!("memory.look_up_ns.{n}"), "ns")
    };
    Ok(vec![
        row(
            "bookkeeping of a response of 1 KB in memory, key and head",
            format!("{bookkeeping:.0} bytes"),
            &verdict(bookkeeping, rival / 2.0, "half of Varnish's"),
        ),
        row("  the same in Varnish", format!("{rival:.0} bytes"), ""),
        look_up(n_responses / 100)?,
        look_up(n_responses)?,
        look_up(n_responses * 5)?,
        plain("look-up in the directory of the disk", "disk.look_up_ns", "ns")?,
        plain("fills in memory", "memory.fills_per_sec", "/s")?,
        plain("fills in memory, each evicting", "memory.evicting_fills_per_sec", "/s")?,
        plain("fills on disk", "disk.fills_per_sec", "/s")?,
        plain("fills on disk, evicting", "disk.evicting_fills_per_sec", "/s")?,
        plain("bytes on disk for each response", "disk.bytes_each", "bytes")?,
        plain("memory for each response on disk", "disk.memory_bytes_each", "bytes")?,
        plain("a hit on disk, one after another", "disk.hit_us", "µs")?,
        plain("a visit by the sweeper, index empty", "disk.visit_ns", "ns")?,
        row(
            &format!("start until the first hit, {n_responses} responses on disk"),
            format!("{first_hit:.2} s"),
            &verdict(first_hit, 2.0, "2 s"),
        ),
        row(
            "  the same, nothing of it in the page cache",
            format!("{:.2} s", ours.get("start.first_hit_cold_secs")?),
            "",
        ),
        plain(
            "large bodies written while they arrive",
            "large.written_mib_per_sec",
            "MiB/s",
        )?,
        plain(
            "large bodies read from disk by one",
            "large.read_mib_per_sec.1",
            "MiB/s",
        )?,
        plain(
            "large bodies read from disk by sixteen",
            "large.read_mib_per_sec.16",
            "MiB/s",
        )?,
        plain(
            "  the same, nothing of them in the page cache",
            "large.read_cold_mib_per_sec.16",
            "MiB/s",
        )?,
    ])
}

fn verdict(measured: f64, at_most: f64, goal: &str) -> String {
    let word = if measured <= at_most { "met" } else { "MISSED" };
    format!("goal: at most {goal}: {word}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_workload_prints_is_read() {
        let measured = Measured::read("memory.bookkeeping_bytes 612\nstart.first_hit_secs 1.234\n").unwrap();
        assert_eq!(measured.get("memory.bookkeeping_bytes").unwrap(), 612.0);
        assert_eq!(measured.get("start.first_hit_secs").unwrap(), 1.234);
        assert!(measured.get("disk.hit_us").is_err());
        assert!(Measured::read("disk.hit_us none").is_err());
    }

    #[test]
    fn a_goal_is_met_up_to_its_bound() {
        assert!(verdict(2.0, 2.0, "2 s").ends_with(": met"));
        assert!(verdict(2.01, 2.0, "2 s").ends_with(": MISSED"));
    }
}

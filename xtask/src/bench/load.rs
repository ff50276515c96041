use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::machine::output;

/// What one run of wrk found.
#[derive(Debug, PartialEq)]
pub struct Load {
    /// All requests of the run.
    pub requests: u64,
    /// Answers a second.
    pub requests_per_sec: f64,
    /// The 99th percentile of the time to the answer, in microseconds.
    pub p99_micros: f64,
    /// The server's processor time for each request, in microseconds; set by who knows the server.
    pub cpu_micros: f64,
}

/// Connections held open at once.
const CONNECTIONS: &str = "64";

/// Asks for one URL as fast as it is answered, from one thread on `core`.
pub fn run(url: &str, core: &str, secs: u64) -> Result<Load> {
    let mut wrk = Command::new("taskset");
    wrk.args([
        "-c",
        core,
        "wrk",
        "--latency",
        "-t",
        "1",
        "-c",
        CONNECTIONS,
        "-d",
        &format!("{secs}s"),
        url,
    ]);
    parse(&output(&mut wrk)?)
}

fn parse(text: &str) -> Result<Load> {
    if let Some(wrong) = text
        .lines()
        .find(|line| line.contains("Non-2xx") || line.contains("Socket errors"))
    {
        bail!("the load went wrong: {}", wrong.trim());
    }
    let value_of = |label: &str| {
        let line = text.lines().map(str::trim).find(|line| line.starts_with(label));
        line.map(|line| line[label.len()..].trim().to_owned())
            .with_context(|| format!("wrk did not print {label:?}: {text}"))
    };
    let requests = text
        .lines()
        .find_map(|line| line.trim().split_once(" requests in "))
        .context("wrk did not count")?
        .0;
    Ok(Load {
        requests: requests.parse()?,
        requests_per_sec: value_of("Requests/sec:")?.parse()?,
        p99_micros: micros(&value_of("99%")?)?,
        cpu_micros: f64::NAN,
    })
}

/// `812.00us`, `1.20ms` or `2.01s` in microseconds.
fn micros(text: &str) -> Result<f64> {
    let units = [("us", 1.0), ("ms", 1e3), ("s", 1e6)];
    let found = units
        .iter()
        .find_map(|(unit, factor)| Some(text.strip_suffix(unit)?.parse::<f64>().ok()? * factor));
    found.with_context(|| format!("{text:?} is no time"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = "Running 5s test @ http://127.0.0.1:8080/1024.bin
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   612.40us  201.11us   9.13ms   91.20%
    Req/Sec    98.10k     3.01k  103.22k    72.00%
  Latency Distribution
     50%  601.00us
     75%  633.00us
     90%  702.00us
     99%    1.20ms
  488123 requests in 5.00s, 612.00MB read
Requests/sec:  97612.33
Transfer/sec:    122.39MB
";

    #[test]
    fn what_wrk_prints_is_read() {
        let load = parse(PRINTED).unwrap();
        assert_eq!(
            (load.requests, load.requests_per_sec, load.p99_micros),
            (488_123, 97_612.33, 1_200.0)
        );
    }

    #[test]
    fn errors_make_a_measurement_worthless() {
        assert!(parse(&format!("{PRINTED}  Non-2xx or 3xx responses: 12\n")).is_err());
        assert!(
            parse(&format!(
                "{PRINTED}  Socket errors: connect 0, read 3, write 0, timeout 0\n"
            ))
            .is_err()
        );
        assert!(parse("").is_err());
    }

    #[test]
    fn times_have_units() {
        assert_eq!(micros("812.00us").unwrap(), 812.0);
        assert_eq!(micros("2.00s").unwrap(), 2e6);
        assert!(micros("fast").is_err());
    }
}

//! `cargo xtask bench`: measurements beside other programs, in one run on one machine.

mod hits;
mod load;
mod origin;
mod servers;

use anyhow::{Context, Result, bail};

const USAGE: &str = "cargo xtask bench hits [--rounds N] [--secs N]";

/// Runs the named measurement.
///
/// # Errors
/// When a server cannot be started or answers anything but hits.
pub fn run(arguments: &[String]) -> Result<()> {
    match arguments.split_first() {
        Some((name, rest)) if name == "hits" => {
            let mut settings = hits::Settings::default();
            for pair in rest.chunks(2) {
                let [flag, value] = pair else {
                    bail!("{} takes a number: {USAGE}", pair[0])
                };
                let number = value
                    .parse()
                    .with_context(|| format!("{flag} takes a number, not {value:?}"))?;
                match flag.as_str() {
                    "--rounds" => settings.rounds = number,
                    "--secs" => settings.secs = number,
                    _ => bail!("there is no option {flag:?}: {USAGE}"),
                }
            }
            hits::run(&settings)
        }
        Some((other, _)) => bail!("there is no measurement {other:?}: {USAGE}"),
        None => bail!("name a measurement: {USAGE}"),
    }
}

//! `cargo xtask bench`: measurements beside other programs, in one run on one machine.

mod deploy;
mod hits;
mod index;
mod load;
mod origin;
mod servers;
mod store;

use anyhow::{Context, Result, bail};

const USAGE: &str = "cargo xtask bench deploy [--rounds N] [--large 0] | hits [--rounds N] [--secs N] [--before PROGRAM] | index | store \
     [--responses N]";

/// Runs the named measurement.
///
/// # Errors
/// When a server cannot be started or answers anything but hits.
pub fn run(arguments: &[String]) -> Result<()> {
    match arguments.split_first() {
        Some((name, rest)) if name == "deploy" => {
            let mut settings = deploy::Settings::default();
            read_options(
                rest,
                &mut [("--rounds", &mut settings.rounds), ("--large", &mut settings.large)],
            )?;
            deploy::run(&settings)
        }
        Some((name, rest)) if name == "hits" => {
            let mut settings = hits::Settings::default();
            let rest = match rest.iter().position(|argument| argument == "--before") {
                Some(at) => {
                    let program = rest
                        .get(at + 1)
                        .with_context(|| format!("--before takes a program: {USAGE}"))?;
                    settings.before = Some(program.into());
                    [&rest[..at], &rest[at + 2..]].concat()
                }
                None => rest.to_vec(),
            };
            read_options(
                &rest,
                &mut [("--rounds", &mut settings.rounds), ("--secs", &mut settings.secs)],
            )?;
            hits::run(&settings)
        }
        Some((name, [])) if name == "index" => index::run(),
        Some((name, rest)) if name == "store" => {
            let mut settings = store::Settings::default();
            read_options(rest, &mut [("--responses", &mut settings.responses)])?;
            store::run(&settings)
        }
        Some((other, _)) => bail!("there is no measurement {other:?}: {USAGE}"),
        None => bail!("name a measurement: {USAGE}"),
    }
}

/// Reads pairs of a flag and a number into where the flag's number belongs.
fn read_options(arguments: &[String], options: &mut [(&str, &mut u64)]) -> Result<()> {
    for pair in arguments.chunks(2) {
        let [flag, value] = pair else {
            bail!("{} takes a number: {USAGE}", pair[0])
        };
        let Some((_, place)) = options.iter_mut().find(|(name, _)| name == flag) else {
            bail!("there is no option {flag:?}: {USAGE}")
        };
        **place = value
            .parse()
            .with_context(|| format!("{flag} takes a number, not {value:?}"))?;
    }
    Ok(())
}

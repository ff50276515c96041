//! `cargo xtask soak`: the store under a fixed budget of memory, for a long time.

use anyhow::{Context, Result, bail};

use crate::machine::{cargo_bench, run as run_command};

const MINUTES_DEFAULT: u64 = 30;

/// Runs the mixed load of `crates/warmfront-store/benches/soak` for `--minutes N`, 30 without.
///
/// # Errors
/// If a byte was wrong, if someone waited for what never came, or if the process took more memory than the budget, 5 % of it and
/// a fixed base that is measured.
pub fn run(arguments: &[String]) -> Result<()> {
    let minutes = match arguments {
        [] => MINUTES_DEFAULT,
        [flag, minutes] if flag == "--minutes" => {
            let parsed = minutes.parse();
            parsed.with_context(|| format!("--minutes takes a number, not {minutes:?}"))?
        }
        _ => bail!("cargo xtask soak [--minutes N]"),
    };
    run_command(&mut cargo_bench("warmfront-store", "soak", &[&minutes.to_string()]))
}

use anyhow::Result;

use crate::machine::{cargo_bench, run as run_command};

/// Measures the index of invalidations: adding, `/*`, hits with a full index, the check itself, taking in. The workload is
/// in `crates/warmfront-invalidation/benches/index.rs`.
pub fn run() -> Result<()> {
    run_command(&mut cargo_bench("warmfront-invalidation", "index", &[]))
}

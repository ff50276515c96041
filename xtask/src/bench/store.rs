use anyhow::Result;

use crate::machine::{cargo, run as run_command};

/// How much to store.
pub struct Settings {
    /// Responses of 1 KB on disk; a fifth as many in memory.
    pub responses: u64,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { responses: 1_000_000 }
    }
}

/// Measures the store: memory for a cached response, look-ups, fills and evictions, and a start with a full disk until the
/// first hit. The workload is in `crates/warmfront-store/benches/store.rs`.
pub fn run(settings: &Settings) -> Result<()> {
    let responses = settings.responses.to_string();
    run_command(&mut cargo([
        "bench",
        "-q",
        "-p",
        "warmfront-store",
        "--bench",
        "store",
        "--",
        &responses,
    ]))
}

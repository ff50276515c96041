use std::process::Command;

use anyhow::{Context, Result};

use super::report::{Report, cargo_counts, run_counting};
use crate::machine::{cargo, run, succeeds};

/// clippy without warnings, then every Rust test.
pub fn steps(report: &mut Report, filter: Option<&str>) {
    report.check("cargo clippy", || {
        need_component("clippy", "clippy")?;
        run(&mut cargo([
            "clippy",
            "--workspace",
            "--all-targets",
            "--quiet",
            "--",
            "-D",
            "warnings",
        ]))
    });
    report.step("cargo test", || {
        let mut command = cargo(["test", "--workspace", "--no-fail-fast", "--quiet"]);
        command.args(filter);
        run_counting(&mut command, cargo_counts)
    });
}

/// Sees to it that `cargo SUBCOMMAND` is there; minimal toolchains leave it out.
pub fn need_component(subcommand: &str, component: &str) -> Result<()> {
    if succeeds(&mut cargo([subcommand, "--version"])) {
        return Ok(());
    }
    run(Command::new("rustup").args(["component", "add", component]))
        .with_context(|| format!("this toolchain has no {component}"))
}

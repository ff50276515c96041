use anyhow::Result;

use crate::machine::{cargo, run as run_to_its_end};

/// `cargo xtask conformance`: hands its arguments to `warmfront-conformance`.
pub fn run(arguments: &[String]) -> Result<()> {
    let mut command = cargo(["run", "--quiet", "--package", "warmfront-conformance", "--"]);
    run_to_its_end(command.args(arguments))
}

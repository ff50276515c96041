use std::path::PathBuf;

use anyhow::Context;
use clap::CommandFactory;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder to write into
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Writes a manual page for the program and for each command.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let place = || format!("{}", args.folder.display());
    std::fs::create_dir_all(&args.folder).with_context(place)?;
    clap_mangen::generate_to(super::Cli::command(), &args.folder).with_context(place)
}

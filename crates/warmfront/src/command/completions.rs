use clap::CommandFactory;
use clap_complete::Shell;

use crate::stdout;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Prints a completion script.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::Cli::command(), "warmfront", &mut script);
    Ok(stdout::print(&String::from_utf8_lossy(&script))?)
}

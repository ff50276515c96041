//! One file per subcommand.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::client::{self, Target};
use crate::outcome::{self, Complaint};

#[cfg(feature = "deploy")]
mod apply;
mod clock;
#[cfg(feature = "deploy")]
mod completions;
#[cfg(feature = "deploy")]
mod cost;
mod demo;
#[cfg(feature = "deploy")]
mod deploy;
mod env;
mod invalidate;
#[cfg(feature = "deploy")]
mod man;
#[cfg(feature = "deploy")]
mod plan;
#[cfg(feature = "deploy")]
mod release;
#[cfg(feature = "deploy")]
mod releases;
#[cfg(feature = "deploy")]
mod resume;
#[cfg(feature = "deploy")]
mod rollback;
pub mod serve;
#[cfg(feature = "deploy")]
mod status;
#[cfg(feature = "deploy")]
mod verify;

pub use env::{REGION, explain as explain_identity};

/// A CDN you can run yourself, with CloudFront's API and exact invalidations.
#[derive(Debug, Parser)]
#[command(name = "warmfront", version, propagate_version = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run control plane, edge and bucket in one process
    Serve(Box<serve::Args>),
    /// Print the environment that points the AWS CLI and SDKs at a server: eval "$(warmfront env)"
    Env(env::Args),
    /// Show the whole story on this machine: cache, change, invalidate, verify
    Demo(demo::Args),
    /// Invalidate paths and tags of a distribution
    Invalidate(invalidate::Args),
    /// Publish a built site: upload in a safe order, invalidate what must be, wait, verify
    #[cfg(feature = "deploy")]
    Deploy(Box<deploy::Args>),
    /// Show what a deploy would do, and write it down for apply
    #[cfg(feature = "deploy")]
    Plan(Box<plan::Args>),
    /// Carry out a plan, unless the bucket has changed since
    #[cfg(feature = "deploy")]
    Apply(Box<apply::Args>),
    /// Bring an earlier release back, without a build
    #[cfg(feature = "deploy")]
    Rollback(Box<rollback::Args>),
    /// List the releases
    #[cfg(feature = "deploy")]
    Releases(Box<releases::Args>),
    /// Say which release is current, and what is unfinished
    #[cfg(feature = "deploy")]
    Status(Box<status::Args>),
    /// Go on with the release that was interrupted
    #[cfg(feature = "deploy")]
    Resume(Box<resume::Args>),
    /// Look at the current release through the edge
    #[cfg(feature = "deploy")]
    Verify(Box<verify::Args>),
    /// Say how many paths were invalidated this month, and what they cost on AWS
    #[cfg(feature = "deploy")]
    Cost(Box<cost::Args>),
    /// Print a script by which a shell completes the program's arguments
    #[cfg(feature = "deploy")]
    Completions(completions::Args),
    /// Write manual pages
    #[cfg(feature = "deploy")]
    Man(man::Args),
    /// Turn the clock of a server that was started with --clock manual
    Clock(clock::Args),
}

/// Which data folder a command looks into.
#[derive(Debug, clap::Args)]
struct DataArg {
    /// The server's data folder
    #[arg(long = "data", value_name = "DIR", env = "WARMFRONT_DATA", default_value = crate::data_folder::DEFAULT)]
    folder: PathBuf,
}

/// Which server a command talks to.
#[derive(Debug, clap::Args)]
struct TargetArg {
    /// The server's data folder [default: the server of AWS_ENDPOINT_URL_CLOUDFRONT, else ./warmfront-data]
    #[arg(long = "data", value_name = "DIR", env = "WARMFRONT_DATA")]
    folder: Option<PathBuf>,
}

impl TargetArg {
    fn discover(&self) -> Result<Target, Complaint> {
        client::discover(self.folder.as_deref(), |name| std::env::var(name).ok())
    }
}

/// Runs one asynchronous errand on this thread.
fn block_on<T>(errand: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(errand)
}

/// Reads the command line, does what it says, and gives the exit status: 0 done, 1 failed, 2 usage.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let status = u8::try_from(error.exit_code()).unwrap_or(2);
            // Nobody is left to tell if the terminal is gone.
            let _ = error.print();
            return ExitCode::from(status);
        }
    };
    let done = match cli.command {
        Command::Serve(args) => serve::run(*args),
        Command::Env(args) => env::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Invalidate(args) => invalidate::run(&args),
        #[cfg(feature = "deploy")]
        Command::Deploy(args) => deploy::run(&args),
        #[cfg(feature = "deploy")]
        Command::Plan(args) => plan::run(&args),
        #[cfg(feature = "deploy")]
        Command::Apply(args) => apply::run(&args),
        #[cfg(feature = "deploy")]
        Command::Rollback(args) => rollback::run(&args),
        #[cfg(feature = "deploy")]
        Command::Releases(args) => releases::run(&args),
        #[cfg(feature = "deploy")]
        Command::Status(args) => status::run(&args),
        #[cfg(feature = "deploy")]
        Command::Resume(args) => resume::run(&args),
        #[cfg(feature = "deploy")]
        Command::Verify(args) => verify::run(&args),
        #[cfg(feature = "deploy")]
        Command::Cost(args) => cost::run(&args),
        #[cfg(feature = "deploy")]
        Command::Completions(args) => completions::run(&args),
        #[cfg(feature = "deploy")]
        Command::Man(args) => man::run(&args),
        Command::Clock(args) => clock::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let (text, status) = outcome::describe(&error);
            eprint!("{text}");
            status
        }
    }
}

use std::time::Duration;

use anyhow::Context;
use clap::Subcommand;

use crate::client::{ApiError, CloudFront, Http};
use crate::command::TargetArg;
use crate::outcome::Complaint;
use crate::{duration, stdout};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Turn the clock forward, like 60s, 5m or 1h30m
    Advance {
        /// By how much
        #[arg(value_name = "DURATION", value_parser = duration::parse)]
        by: Duration,
        #[command(flatten)]
        target: TargetArg,
    },
}

/// Turns the server's clock and prints what it says.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let Action::Advance { by, target } = &args.action;
    let target = target.discover()?;
    let by_ms = u64::try_from(by.as_millis()).context("DURATION")?;
    let answer = super::block_on(async {
        let cloudfront = CloudFront::new(Http::new(), &target.control, &target.credentials);
        cloudfront
            .advance_clock(by_ms)
            .await
            .map_err(|error| explain(error, &target.control))
    })?;
    stdout::print(&format!("{}\n", answer.trim_end()))?;
    Ok(())
}

fn explain(error: anyhow::Error, control: &str) -> anyhow::Error {
    match error.downcast_ref::<ApiError>() {
        Some(api) if matches!(api.status.as_u16(), 404 | 409 | 501) => {
            Complaint::failed(format!("the clock of {control} cannot be turned: {}", api.message))
                .hint("start the server with: warmfront serve --clock manual")
                .into()
        }
        _ => error,
    }
}

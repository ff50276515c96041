use crate::config::Config;
use crate::logging::{self, LogFormat};
use crate::private_file;
use crate::server::Server;
use crate::stop_signal::StopSignal;

use super::serve::{self, Settings};

mod by_hand;
mod rounds;
mod site;
mod story;

/// The log without `RUST_LOG`: the story is on standard output and should stand alone.
const LOG_DEFAULT: &str = "warn";

#[derive(Debug, clap::Args)]
pub struct Args {
    /// End when the story is over, instead of keeping the server running
    #[arg(long)]
    exit: bool,
    /// How many times to change, invalidate and look, for the timings
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=900))]
    rounds: u32,
}

/// Tells the story, then keeps the server running unless told otherwise.
///
/// # Errors
/// When anything was not as promised.
pub fn run(args: &Args) -> anyhow::Result<()> {
    logging::start(LOG_DEFAULT, LogFormat::Text)?;
    // Not --ephemeral: the timings are those of a journal on disk.
    let folder = private_file::temporary_folder("warmfront-demo-")?;
    let settings = Settings::resolve(serve::Args::for_demo(folder.path()), Config::default())?;
    serve::runtime()?.block_on(demo(args, settings))
}

async fn demo(args: &Args, settings: Settings) -> anyhow::Result<()> {
    let mut stop = StopSignal::listen()?;
    let mut server = Server::start(settings).await?;
    server.announce()?;
    let told = tokio::select! {
        told = story::tell(&server, args.rounds) => told.map(Some),
        () = stop.wait() => Ok(None),
    };
    if let Ok(Some(distribution)) = &told
        && !args.exit
    {
        by_hand::explain(&server, distribution)?;
        tokio::select! {
            () = stop.wait() => {}
            error = server.failed() => {
                let _ = server.stop().await;
                return Err(error);
            }
        }
    }
    let stopped = server.stop().await;
    told?;
    stopped
}

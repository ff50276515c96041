use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;
use url::Url;
use warmfront_edge::ExplainToken;
use warmfront_model::AccountId;

use crate::allow::Allowed;
use crate::config::Config;
use crate::disk::DiskArgument;
use crate::listen::Address;
use crate::logging::LogFormat;
use crate::outcome::Complaint;
use crate::profile::Profile;
use crate::server::Server;
use crate::shell::quote;
use crate::stop_signal::StopSignal;
use crate::topology::{self, Topology};
use crate::{duration, logging, size, stdout};

mod settings;

pub use settings::{Data, Settings};

/// The log without `RUST_LOG`.
const LOG_DEFAULT: &str = "info";

#[derive(Debug, Default, clap::Args)]
pub struct Args {
    /// Where state is kept; one process at a time [default: ./warmfront-data]
    #[arg(long, value_name = "DIR", env = "WARMFRONT_DATA")]
    data: Option<PathBuf>,
    /// Where the CloudFront API listens [default: 127.0.0.1:4500]
    #[arg(long, value_name = "ADDR")]
    control: Option<Address>,
    /// Where viewers are served over HTTP [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    edge: Option<Address>,
    /// Where viewers are served over TLS [default: 127.0.0.1:8443]
    #[arg(long, value_name = "ADDR")]
    edge_https: Option<Address>,
    /// Where the S3 API listens [default: 127.0.0.1:4566]
    #[arg(long, value_name = "ADDR")]
    bucket: Option<Address>,
    /// Where metrics and health are shown: /metrics, /healthz, /readyz [default: nowhere]
    #[arg(long, value_name = "ADDR")]
    admin: Option<Address>,
    /// What a request's X-Warmfront-Explain must say to be told why it was answered so; without it, loopback alone is
    #[arg(long, value_name = "TOKEN", env = "WARMFRONT_EXPLAIN_TOKEN", hide_env_values = true, value_parser = explain_token)]
    explain_token: Option<ExplainToken>,
    /// Log every viewer's request in this folder, in the format of CloudFront's standard logs [default: nowhere]
    #[arg(long, value_name = "DIR")]
    access_log: Option<PathBuf>,
    /// How the log on standard error is written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    log_format: LogFormat,
    /// Serve plain HTTP beyond this machine
    #[arg(long)]
    allow_plain_http: bool,
    /// A TOML file with settings; flags win over it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Put a distribution in front of this web server
    #[arg(long, value_name = "URL")]
    origin: Option<Url>,
    /// An address, a network or localhost that origins may be at although it is not public; may be repeated
    #[arg(long, value_name = "NET")]
    origin_allow: Vec<Allowed>,
    /// How many fetches fill the cache from one origin at a time, on each node; others wait their turn [default: 256]
    #[arg(long, value_name = "N")]
    origin_fetches: Option<NonZeroU32>,
    /// Defaults: what CloudFront documents, or no quotas [default: aws]
    #[arg(long, value_name = "NAME")]
    profile: Option<Profile>,
    /// Keep nothing: state lives in memory and in a temporary folder
    #[arg(long)]
    ephemeral: bool,
    /// The clock that TTLs go by; a manual one stands at the time of the start until: warmfront clock advance
    #[arg(long, value_name = "KIND", default_value = "system")]
    clock: ClockKind,
    /// Hold invalidations back this long before the edge applies them, like 20s
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    propagation_delay: Option<Duration>,
    /// Fail as AWS does, by this TOML file: for tests of deploy pipelines
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
    /// Memory for cached responses, like 512MiB [default: a quarter of the machine's, or of the limit of its control group]
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    memory: Option<u64>,
    /// Keep cached responses in this folder too, so that a restart finds them, like /var/cache/warmfront:20GiB [default of
    /// SIZE: a quarter of what is free]
    #[arg(long, value_name = "DIR:SIZE")]
    disk: Option<DiskArgument>,
    /// The account of a new data folder, twelve digits [default: 000000000000]
    #[arg(long, value_name = "ID", value_parser = account)]
    account: Option<AccountId>,
    /// The code of this edge location in x-amz-cf-pop
    #[arg(long, value_name = "CODE", value_parser = topology::parse_name)]
    pop: Option<String>,
    /// A TOML file with POPs and regional nodes by region, all in this process [default: one POP]
    #[arg(long, value_name = "FILE")]
    topology: Option<PathBuf>,
    /// Let signed requests pause, delay, kill and start nodes; for tests alone
    #[arg(long)]
    disturb_nodes: bool,
}

impl Args {
    /// Free ports, state in `folder`.
    pub fn for_demo(folder: &Path) -> Args {
        let free = Some(Address((std::net::Ipv4Addr::LOCALHOST, 0).into()));
        Args {
            control: free,
            edge: free,
            edge_https: free,
            bucket: free,
            data: Some(folder.to_owned()),
            ..Args::default()
        }
    }
}

/// Where time comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ClockKind {
    /// The system's clock.
    #[default]
    System,
    /// By command.
    Manual,
}

/// A token that is too short could be guessed.
pub fn explain_token(text: &str) -> Result<ExplainToken, String> {
    ExplainToken::new(text)
        .ok_or_else(|| format!("write {} characters or more, without spaces", ExplainToken::BYTES_MIN))
}

fn account(text: &str) -> Result<AccountId, warmfront_model::InvalidAccountId> {
    AccountId::parse(text)
}

/// Serves until SIGTERM or SIGINT.
pub fn run(args: Args) -> anyhow::Result<()> {
    logging::start(LOG_DEFAULT, args.log_format)?;
    let mut config = match &args.config {
        Some(path) => Config::load(path)?,
        None => Config::default(),
    };
    config.topology = args.topology.as_deref().map(Topology::load).transpose()?;
    let settings = Settings::resolve(args, config)?;
    runtime()?.block_on(serve(settings))
}

async fn serve(settings: Settings) -> anyhow::Result<()> {
    // Before the ready line: whoever has read it may stop the server at once.
    let mut stop = StopSignal::listen()?;
    let origin = settings.origin.clone();
    if let Some(script) = &settings.faults {
        eprintln!("warmfront: THIS SERVER FAILS ON PURPOSE, as --faults says:");
        script.lines().iter().for_each(|line| eprintln!("warmfront:   {line}"));
    }
    let mut server = Server::start(settings).await?;
    let distribution = match &origin {
        Some(origin) => Some(server.ensure_origin(origin).await?),
        None => None,
    };
    server.announce()?;
    if let (Some(origin), Some(id)) = (&origin, &distribution) {
        let edge = &server.endpoints().edge;
        eprintln!(
            "warmfront: distribution {id} serves {origin} at {}",
            viewer_url(edge, id)
        );
    }
    stdout::print(&server.endpoints().ready_line())?;
    let data = quote(&server.folder().display().to_string());
    eprintln!("warmfront: ready; in a shell of yours: eval \"$(warmfront env --data {data})\"");
    tokio::select! {
        () = stop.wait() => {}
        error = server.failed() => {
            tracing::error!(error = format!("{error:#}"), "stopping");
            let _ = server.stop().await;
            return Err(error);
        }
    }
    tracing::info!("stopping: requests in progress may finish");
    tokio::select! {
        stopped = server.stop() => stopped,
        () = stop.wait() => Err(Complaint::failed("a second signal came: requests in progress were cut off").into()),
    }
}

/// The URL of the distribution `id` on this machine; `edge` is `http://HOST:PORT`.
pub fn viewer_url(edge: &str, id: &str) -> String {
    let port = edge.rsplit(':').next().unwrap_or_default();
    format!("http://{}.cloudfront.localhost:{port}/", id.to_ascii_lowercase())
}

/// The runtime of control plane and bucket; the edge has threads of its own.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("warmfront-api")
        .enable_all()
        .build()
}

//! What the commands about a site's releases have in common: which site, and how they speak.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use warmfront_clock::Clock;
use warmfront_deploy::SettingsFile;
use warmfront_deploy::patience::Patience;
use warmfront_deploy::session::{DeployError, Memo, Options, Session};
use warmfront_deploy::state::State;
use warmfront_deploy::target::aws::{Account, Clients, Server};
use warmfront_deploy::target::folder::FolderBucket;
use warmfront_deploy::verify::{Edge, EdgeViewer};

use crate::endpoints::Endpoints;
use crate::identity::Identity;
use crate::outcome::Complaint;

mod explain;
mod progress;
mod show;

pub use explain::explain;
pub use progress::Printer;
pub use show::{show_plan, show_report, summarize};

/// Which site, and how to go about it.
#[derive(Clone, Debug, clap::Args)]
pub struct SiteArgs {
    /// The bucket's name [default: bucket in warmfront.toml]
    #[arg(long, value_name = "NAME")]
    bucket: Option<String>,
    /// The distribution's Id [default: distribution in warmfront.toml]
    #[arg(long, value_name = "ID")]
    distribution: Option<String>,
    /// Where the state of the releases lives: s3://BUCKET/PREFIX or a folder [default: .warmfront/ID]
    #[arg(long, value_name = "PLACE")]
    state: Option<String>,
    /// The settings file [default: warmfront.toml, if it is there]
    #[arg(long = "settings", value_name = "FILE")]
    settings_file: Option<PathBuf>,
    /// An edge to verify at, http://HOST:PORT or https://HOST:PORT; may be given for each POP [default: every POP of --data, else the
    /// distribution's own name]
    #[arg(long = "edge", value_name = "URL", env = "WARMFRONT_EDGES", value_delimiter = ',')]
    edges: Vec<String>,
    /// Do not look at the result through the edge
    #[arg(long)]
    no_verify: bool,
    /// Leave waiting for the invalidation, and what comes after it, to `warmfront resume`
    #[arg(long)]
    no_wait: bool,
    /// Give up a call that keeps failing, or something that is waited for, after this long
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = crate::duration::parse)]
    timeout: Duration,
    /// How many calls to the bucket at once
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    parallel: u16,
    /// Remove more files than delete_max and delete_ratio_max allow
    #[arg(long)]
    allow_deletions: bool,
    /// A profile of the AWS configuration
    #[arg(long = "aws-profile", value_name = "NAME")]
    aws_profile: Option<String>,
    /// The data folder of a server on this machine, instead of what the AWS CLI would use
    #[arg(long = "data", value_name = "DIR", env = "WARMFRONT_DATA")]
    data: Option<PathBuf>,
    /// Print JSON: events as they happen, one on each line, and the result last
    #[arg(long)]
    pub json: bool,
}

/// The name and Id that are known, the settings file, and everything opened.
pub struct Site {
    /// The site's session.
    pub session: Session,
    /// Where the state is, as it was named.
    pub state: String,
    lacks_edge: bool,
}

impl Site {
    /// Says so if nothing will be verified although nobody asked for that.
    pub fn warn_unless_verified(&self) {
        if self.lacks_edge {
            eprintln!("warmfront: the result is not verified, since {NO_EDGE}; give one with --edge");
        }
    }
}

/// The distribution's own name leads to AWS.
pub const NO_EDGE: &str = "CloudFront's API is not AWS's own and no edge is named";

impl SiteArgs {
    /// The settings file, that was named or lies here.
    ///
    /// # Errors
    /// Names the file and what in it makes no sense.
    pub fn settings(&self) -> Result<SettingsFile, Complaint> {
        SettingsFile::load(self.settings_file.as_deref()).map_err(usage)
    }

    /// The same, about the site that a plan is for.
    ///
    /// # Errors
    /// If another site was named.
    pub fn of_plan(mut self, plan: &warmfront_deploy::plan::Plan) -> Result<SiteArgs, Complaint> {
        let differs = |given: &Option<String>, planned: &str| given.as_deref().is_some_and(|given| given != planned);
        if differs(&self.bucket, &plan.bucket) || differs(&self.distribution, &plan.distribution) {
            let planned = format!("bucket {} and distribution {}", plan.bucket, plan.distribution);
            return Err(Complaint::usage(format!("the plan is for {planned}")));
        }
        self.bucket = Some(plan.bucket.clone());
        self.distribution = Some(plan.distribution.clone());
        self.state = self.state.or_else(|| plan.state.clone());
        Ok(self)
    }

    /// Opens bucket, distribution and state.
    ///
    /// # Errors
    /// Names the flag that is missing or makes no sense.
    pub async fn open(&self) -> anyhow::Result<Site> {
        let file = self.settings()?;
        let bucket_name = self.bucket.clone().or_else(|| file.bucket.clone());
        let distribution = self.distribution.clone().or_else(|| file.distribution.clone());
        let missing = |flag: &str, key: &str| {
            Complaint::usage(format!("{flag} is missing"))
                .hint(format!("give {flag}, or write {key} = \"…\" into warmfront.toml"))
        };
        let bucket_name = bucket_name.ok_or_else(|| missing("--bucket", "bucket"))?;
        let distribution = distribution.ok_or_else(|| missing("--distribution", "distribution"))?;
        let settings = file.resolve().map_err(usage)?;
        let Services {
            clients,
            is_elsewhere,
            server,
        } = self.services().await?;
        let state = self.state.clone().or_else(|| file.state.clone());
        let state = state.unwrap_or_else(|| format!(".warmfront/{distribution}"));
        let edges = self.edges(&file, server.as_ref());
        let verify = !self.no_verify && (!edges.is_empty() || !is_elsewhere);
        let authority = server.and_then(|server| std::fs::read(server.ca).ok());
        let verifier =
            EdgeViewer::new(edges, authority).map_err(|error| Complaint::usage(format!("--edge: {error}")))?;
        let reporter = Arc::new(Printer::new(self.json));
        let patience = Patience::new(self.timeout, reporter.clone());
        let session = Session {
            bucket: Arc::new(clients.bucket(&bucket_name)),
            bucket_name,
            cdn: Arc::new(clients.cloudfront.clone()),
            distribution,
            state: open_state(&state, &clients, &patience)?,
            settings,
            patience,
            options: Options {
                n_parallel: usize::from(self.parallel),
                wait: !self.no_wait,
                allow_deletions: self.allow_deletions,
                host: host_name(),
            },
            clock: Clock::system(),
            reporter,
            verifier: if verify { Some(Arc::new(verifier)) } else { None },
            memo: Memo::default(),
        };
        Ok(Site {
            session,
            state,
            lacks_edge: !verify && !self.no_verify,
        })
    }

    /// The edges that were named, else every POP of the server.
    fn edges(&self, file: &SettingsFile, server: Option<&Endpoints>) -> Vec<Edge> {
        let named = if self.edges.is_empty() {
            &file.edges
        } else {
            &self.edges
        };
        let named = named.iter().map(|url| Edge {
            url: url.clone(),
            tls_url: None,
        });
        let pops = server.iter().flat_map(|server| &server.pops).map(|pop| Edge {
            url: pop.edge.clone(),
            tls_url: pop.edge_https.clone(),
        });
        let edges: Vec<Edge> = named.collect();
        if edges.is_empty() { pops.collect() } else { edges }
    }

    async fn services(&self) -> anyhow::Result<Services> {
        let Some(folder) = &self.data else {
            let account = Account::from_environment(self.aws_profile.as_deref()).await;
            return Ok(Services {
                clients: account.clients(),
                is_elsewhere: account.cloudfront_endpoint().is_some(),
                server: None,
            });
        };
        let identity = Identity::load(folder).map_err(|error| super::explain_identity(error, folder))?;
        let endpoints = Endpoints::load(folder)
            .ok_or_else(|| Complaint::failed(format!("--data {}: no server is running there", folder.display())))?;
        let server = Server {
            cloudfront: endpoints.control.clone(),
            s3: endpoints.bucket.clone(),
            access_key_id: identity.root.access_key_id.clone(),
            secret_access_key: identity.root.secret_access_key.expose().to_owned(),
        };
        Ok(Services {
            clients: Account::of_server(&server).await,
            is_elsewhere: true,
            server: Some(endpoints),
        })
    }
}

/// The two services.
struct Services {
    clients: Clients,
    /// Whether CloudFront's API is not AWS's own: then a distribution's own name may lead to nobody.
    is_elsewhere: bool,
    /// Where they are, if they are a server's on this machine.
    server: Option<Endpoints>,
}

fn usage(error: impl std::fmt::Display) -> Complaint {
    Complaint::usage(error.to_string())
}

fn open_state(place: &str, clients: &Clients, patience: &Patience) -> Result<State, Complaint> {
    let Some(name) = place.strip_prefix("s3://") else {
        return Ok(State::new(Arc::new(FolderBucket::new(place)), "", patience.clone()));
    };
    let (bucket, prefix) = name.split_once('/').unwrap_or((name, ""));
    if bucket.is_empty() {
        return Err(Complaint::usage(format!("--state {place}: no bucket is named")));
    }
    let prefix = prefix.trim_end_matches('/');
    let prefix = if prefix.is_empty() {
        String::new()
    } else {
        format!("{prefix}/")
    };
    Ok(State::new(Arc::new(clients.bucket(bucket)), &prefix, patience.clone()))
}

/// This machine, since it was started, and this container: where a number means the same process.
fn host_name() -> String {
    let read = |path: &str| {
        std::fs::read_to_string(path)
            .map(|text| text.trim().to_owned())
            .unwrap_or_default()
    };
    let processes = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let (name, boot) = (
        read("/proc/sys/kernel/hostname"),
        read("/proc/sys/kernel/random/boot_id"),
    );
    format!("{name} (boot {boot}, {})", processes.display())
}

/// Whether a process of this machine is alive.
pub fn is_alive(pid: u32) -> bool {
    !cfg!(target_os = "linux") || std::path::Path::new(&format!("/proc/{pid}")).exists()
}

/// Runs an errand about a site.
pub fn run<T>(args: &SiteArgs, errand: impl AsyncFnOnce(&Site) -> anyhow::Result<T>) -> anyhow::Result<T> {
    super::block_on(async {
        let site = args.open().await?;
        errand(&site).await
    })
}

/// Asks the site's session one thing, with errors explained.
pub fn ask<T>(args: &SiteArgs, errand: impl AsyncFnOnce(&Site) -> Result<T, DeployError>) -> anyhow::Result<T> {
    run(args, async |site: &Site| errand(site).await.map_err(explain))
}

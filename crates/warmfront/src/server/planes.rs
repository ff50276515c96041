use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use rustls::ServerConfig;
use tokio::sync::watch;
use tokio::task::JoinSet;
use warmfront_bucket::{Bucket, BucketOptions};
use warmfront_clock::Clock;
use warmfront_control::{Control, ControlOptions, Grants, Identities, Nodes};
use warmfront_edge::{AccessLog, AccessLogOptions, BucketAccess, EdgeOptions, Limits, Tenure, Tier};
use warmfront_facts::OriginAllow;
use warmfront_journal::Embedded;
use warmfront_signing::TokenKey;

use crate::admin;
use crate::allow;
use crate::certificates::{self, Authority};
use crate::command::REGION;
use crate::command::serve::Settings;
use crate::endpoints::Endpoints;
use crate::faults::Kind;
use crate::identity::Identity;
use crate::private_file;
use crate::quotas::quotas;
use crate::server::fleet::{Fleet, FleetStart};
use crate::server::fronts::Fronts;
use crate::server::upkeep::trim_journal;

/// What the planes are started from.
pub struct Start<'a> {
    /// What was asked for.
    pub settings: &'a Settings,
    /// Whose server it is.
    pub identity: &'a Identity,
    /// Where the certificate authority is.
    pub data: &'a Path,
    /// Where the journal is; `None` keeps it in memory.
    pub journal: Option<PathBuf>,
    /// Where the bucket is.
    pub bucket: PathBuf,
    /// The clock that TTLs go by.
    pub clock: Clock,
}

/// The running planes.
pub struct Planes {
    endpoints: Endpoints,
    journal: Arc<Embedded>,
    fleet: Arc<Fleet>,
    access_log: Option<AccessLog>,
    phase: watch::Sender<Phase>,
    apis: JoinSet<anyhow::Result<()>>,
}

/// How far a server has got on its way to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Running,
    /// Viewers and the CloudFront API are let finish; the bucket is still there for the edge's last fetches.
    Draining,
    Ended,
}

impl Planes {
    /// Starts all of them. The sockets of the two APIs come first: a port in use is the likeliest reason not to start.
    pub async fn start(start: Start<'_>) -> anyhow::Result<Planes> {
        let listeners = start.settings.listeners;
        let mut fronts = Fronts::new(start.settings.faults.as_ref());
        let control_socket = fronts.open(listeners.control, Kind::CloudFront)?;
        let bucket_socket = fronts.open(listeners.bucket, Kind::S3)?;
        let admin_socket = start.settings.admin.map(|admin| admin.open()).transpose()?;
        let (control_address, bucket_address) = (control_socket.local_addr()?, bucket_socket.local_addr()?);

        let journal = Arc::new(open_journal(start.journal.as_deref())?);
        let bucket = open_bucket(&start)?;
        let access_log = open_access_log(&start)?;
        let options = EdgeOptions {
            access_log: access_log.clone(),
            ..edge_options(&start, bucket_address)
        };
        let topology = fronts.move_pops(start.settings.topology.clone(), options.http)?;
        let fleet = FleetStart {
            topology: &topology,
            listeners: start.settings.listeners(),
            options,
            disturbed: start.settings.disturb_nodes,
            tls: &|address| tls(start.data, address),
        };
        let nodes = Nodes::default();
        let fleet = Arc::new(Fleet::start(journal.clone(), nodes.clone(), fleet).await?);
        let mut options = control_options(&start);
        if start.settings.disturb_nodes {
            tracing::warn!("--disturb-nodes: whoever may sign a request can pause and kill nodes; for tests alone");
            options.disturber = Some(fleet.clone());
        }
        let control = Control::new(journal.clone(), options, nodes).await?;

        let phase = watch::Sender::new(Phase::Running);
        let mut apis = JoinSet::new();
        let (mut control_address, mut bucket_address, mut pops) =
            (control_address, bucket_address, fleet.addresses().to_vec());
        let mut known = |kind, front| {
            let behind = match kind {
                Kind::CloudFront => &mut control_address,
                Kind::S3 => &mut bucket_address,
                Kind::Pop(at) => &mut pops.get_mut(at)?.http,
            };
            Some(std::mem::replace(behind, front))
        };
        fronts.serve(&mut apis, &mut known, || reached(&phase, Phase::Ended))?;
        let (kept, draining) = (Arc::clone(&journal), reached(&phase, Phase::Draining));
        apis.spawn(async move {
            trim_journal(kept, draining).await;
            Ok(())
        });
        let draining = reached(&phase, Phase::Draining);
        let listener = tokio_listener(control_socket)?;
        apis.spawn(async move {
            control.serve(listener, draining).await;
            Ok(())
        });
        let ended = reached(&phase, Phase::Ended);
        let listener = tokio_listener(bucket_socket)?;
        apis.spawn(async move {
            bucket
                .serve(listener, ended)
                .await
                .context("the bucket's listener failed")
        });
        let admin_address = admin_socket.as_ref().map(TcpListener::local_addr).transpose()?;
        if let Some(socket) = admin_socket {
            let (listener, nodes) = (tokio_listener(socket)?, fleet.running().clone());
            let (now, ended) = (phase.subscribe(), reached(&phase, Phase::Ended));
            let is_draining = move || *now.borrow() != Phase::Running;
            apis.spawn(async move {
                admin::serve(listener, nodes, is_draining, ended)
                    .await
                    .context("the admin listener failed")
            });
        }
        let ca = certificates::certificate_path(start.data);
        let endpoints = Endpoints::new(control_address, &pops, bucket_address, ca).with_admin(admin_address);
        Ok(Planes {
            endpoints,
            journal,
            fleet,
            access_log,
            phase,
            apis,
        })
    }

    /// Where they listen.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Returns when a plane has ended by itself. Cancel-safe.
    pub async fn failed(&mut self) -> anyhow::Error {
        match self.apis.join_next().await {
            Some(Ok(Ok(()))) | None => anyhow::anyhow!("a part of the server ended by itself"),
            Some(Ok(Err(error))) => error,
            Some(Err(error)) => anyhow::Error::new(error).context("a part of the server failed"),
        }
    }

    /// Lets requests in progress finish, viewers first, and closes the journal.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.phase.send_replace(Phase::Draining);
        self.fleet.stop().await;
        if let Some(log) = self.access_log {
            tokio::task::spawn_blocking(move || log.close()).await?;
        }
        self.phase.send_replace(Phase::Ended);
        while let Some(ended) = self.apis.join_next().await {
            ended??;
        }
        self.journal.close().await;
        Ok(())
    }
}

/// Returns once the server is in `phase` or beyond, or gone.
fn reached(phases: &watch::Sender<Phase>, phase: Phase) -> impl Future<Output = ()> + Send + use<> {
    let mut phases = phases.subscribe();
    async move {
        let _ = phases.wait_for(|now| *now >= phase).await;
    }
}

fn tokio_listener(socket: TcpListener) -> std::io::Result<tokio::net::TcpListener> {
    tokio::net::TcpListener::from_std(socket)
}

fn open_journal(path: Option<&Path>) -> anyhow::Result<Embedded> {
    match path {
        Some(path) => {
            private_file::create_folder(path).with_context(|| path.display().to_string())?;
            Embedded::open(path).with_context(|| path.display().to_string())
        }
        None => Ok(Embedded::in_memory()?),
    }
}

fn open_bucket(start: &Start<'_>) -> anyhow::Result<Bucket> {
    let options = BucketOptions {
        account: start.identity.account.clone(),
        region: REGION.to_owned(),
        root: start.identity.root.clone(),
        edge: start.identity.edge.clone(),
        clock: start.clock.clone(),
    };
    private_file::create_folder(&start.bucket).with_context(|| start.bucket.display().to_string())?;
    Bucket::open(&start.bucket, options).with_context(|| start.bucket.display().to_string())
}

fn open_access_log(start: &Start<'_>) -> anyhow::Result<Option<AccessLog>> {
    let Some(folder) = &start.settings.access_log else {
        return Ok(None);
    };
    let log = AccessLog::start(AccessLogOptions::in_folder(folder.clone()), start.clock.clone());
    Ok(Some(log.with_context(|| format!("--access-log {}", folder.display()))?))
}

/// What all nodes have in common.
fn edge_options(start: &Start<'_>, bucket: SocketAddr) -> EdgeOptions {
    let settings = start.settings;
    EdgeOptions {
        account: start.identity.account.clone(),
        pop: String::new(),
        n_cores: std::thread::available_parallelism().map_or(1, usize::from),
        http: settings.listeners.edge.address,
        https: None,
        memory_bytes: settings.memory_bytes,
        disk: settings.disk.clone(),
        clock: start.clock.clone(),
        origin_allow: origin_allow(settings),
        buckets: BucketAccess {
            endpoint: Some(format!("http://{}", crate::endpoints::reachable(bucket))),
            credentials: Some(start.identity.edge.clone()),
            region: REGION.to_owned(),
            source_arn: true,
        },
        origin_roots: Vec::new(),
        tier: Tier::alone(),
        tenure: Tenure::WithProcess,
        propagation_delay: settings.propagation_delay,
        switches: settings.switches,
        explain_token: settings.explain_token.clone(),
        tokens: Some(tokens(start)),
        access_log: None,
        limits: Limits {
            refills: settings.refills,
            ..Limits::default()
        },
    }
}

/// The edge's certificates. Clients judge them by the system's clock, so they are issued by it.
fn tls(data: &Path, address: SocketAddr) -> anyhow::Result<Arc<ServerConfig>> {
    let clock = Clock::system();
    let authority = Authority::load_or_create(data, clock.now())?;
    Ok(authority.server_config(clock, &[address.ip()])?)
}

fn control_options(start: &Start<'_>) -> ControlOptions {
    let root = warmfront_control::Identity {
        arn: format!("arn:aws:iam::{}:root", start.identity.account),
        secret: start.identity.root.secret_access_key.clone(),
        grants: Grants::Root,
    };
    let identities = Identities::new([(start.identity.root.access_key_id.clone(), root)]);
    ControlOptions {
        quotas: quotas(start.settings.profile, start.settings.quotas),
        origin_allow: origin_allow(start.settings),
        clock: start.clock.clone(),
        tokens: Some(tokens(start)),
        ..ControlOptions::new(start.identity.account.clone(), identities)
    }
}

/// Whoever may sign as the edge may make tokens; nobody else.
fn tokens(start: &Start<'_>) -> TokenKey {
    TokenKey::derive(&start.identity.edge.secret_access_key)
}

fn origin_allow(settings: &Settings) -> OriginAllow {
    allow::origin_allow(&settings.origin_allow, settings.loopback_alone())
}

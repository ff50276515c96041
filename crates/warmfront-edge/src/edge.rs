use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use thiserror::Error;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinHandle as JoinHandleOfTask};
use warmfront_journal::{Journal, JournalError};
use warmfront_model::{Epoch, Revision};
use warmfront_store::{DiskOptions, Folder, Store};

use crate::core::{Core, CoreListeners, Serving};
use crate::follow::{Follower, delay_at};
use crate::handle::NodeHandle;
use crate::lease::Tenure;
use crate::member::Member;
use crate::metrics::EdgeMetrics;
use crate::node::Node;
use crate::options::{DiskCache, EdgeOptions};
use crate::origin::{ConnectRules, Origins};
use crate::sweep::sweep_forever;
use crate::tier::Tier;

/// A running edge.
pub struct Edge {
    http: SocketAddr,
    https: Option<SocketAddr>,
    node: Arc<Node>,
    shutdown: watch::Sender<bool>,
    cores: Vec<JoinHandle<()>>,
    tasks: Vec<AbortHandle>,
    leaving: watch::Sender<bool>,
    member: Option<JoinHandleOfTask<()>>,
}

/// Why an edge did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// An address cannot be listened on.
    #[error("{address} cannot be listened on: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// TLS to origins cannot be set up.
    #[error("TLS to origins cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// A thread cannot be started.
    #[error("a thread of the edge cannot be started: {0}")]
    Thread(io::Error),
    /// The cache cannot be kept in its folder.
    #[error("the cache cannot be kept in {}: {source}", folder.display())]
    Disk {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Edge {
    /// Takes in the journal, then listens. To be called in a tokio runtime, which the journal is followed on; viewers are
    /// served on threads of the edge's own.
    ///
    /// # Errors
    /// [`StartError`] if an address is in use, or the journal cannot be read.
    pub async fn start(journal: Arc<dyn Journal>, options: EdgeOptions) -> Result<Edge, StartError> {
        let n_cores = options.n_cores.max(1);
        let (http_listeners, http) = listen(options.http, n_cores)?;
        let (mut https_listeners, https) = match &options.https {
            Some((address, _)) => listen(*address, n_cores).map(|(listeners, at)| (listeners, Some(at)))?,
            None => (Vec::new(), None),
        };
        let https_port = https.map(|at| at.port());
        let head = Epoch {
            incarnation: journal.incarnation(),
            revision: journal.head().await?,
        };
        let store = open_store(&options, head).await?;
        let node = Arc::new(Node::new(&options, store, head.incarnation, https_port));
        let delay = delay_at(&options.pop, options.propagation_delay);
        let mut follower = Follower::new(Arc::clone(&node), options.account.clone(), options.clock.clone(), delay);
        let watch = follower.begin(&*journal).await?;
        let leaving = watch::Sender::new(false);
        let member = keep_lease(&node, &journal, &options, &leaving);
        let tasks = vec![
            tokio::spawn(follower.follow(journal, watch)).abort_handle(),
            tokio::spawn(sweep_forever(Arc::clone(&node))).abort_handle(),
        ];
        let rules = Arc::new(ConnectRules::new(options.origin_allow.clone(), &options.origin_roots)?);
        let shutdown = watch::Sender::new(false);
        let n_serving = Arc::new(watch::Sender::new(0));
        let mut cores = Vec::with_capacity(n_cores);
        for (number, http) in http_listeners.into_iter().enumerate() {
            let config = options.https.as_ref().map(|(_, config)| Arc::clone(config));
            let https = https_listeners.pop().zip(config);
            let core = Arc::new(Core::new(&node, number, Origins::new(Arc::clone(&rules))));
            let listeners = CoreListeners { http, https };
            let serving = Serving::begin(&n_serving);
            let spawned = spawn_core(number, core, listeners, shutdown.subscribe(), serving);
            cores.push(spawned.map_err(StartError::Thread)?);
        }
        Ok(Edge {
            http,
            https,
            node,
            shutdown,
            cores,
            tasks,
            leaving,
            member,
        })
    }

    /// Where viewers connect over HTTP.
    pub fn http(&self) -> SocketAddr {
        self.http
    }

    /// Where viewers connect over TLS.
    pub fn https(&self) -> Option<SocketAddr> {
        self.https
    }

    /// What Prometheus may read of it.
    pub fn metrics(&self) -> EdgeMetrics {
        EdgeMetrics::new(vec![Arc::clone(&self.node)])
    }

    /// The revision up to which the journal has been taken in, on every core.
    pub fn applied(&self) -> watch::Receiver<Revision> {
        self.node.applied()
    }

    /// What is seen of it from outside.
    pub fn handle(&self) -> NodeHandle {
        NodeHandle::new(&self.node)
    }

    /// Ends at once, as if its process were killed: requests under way break off, and its lease runs out by itself.
    pub async fn kill(mut self) {
        if let Some(member) = self.member.take() {
            member.abort();
        }
        self.node.killed.send_replace(true);
        self.shutdown().await;
    }

    /// Accepts nothing more, and returns when the requests under way have been answered or their time is over.
    pub async fn shutdown(self) {
        self.shutdown.send_replace(true);
        let joined = tokio::task::spawn_blocking(move || {
            for core in self.cores {
                if core.join().is_err() {
                    tracing::error!("a core of the edge panicked");
                }
            }
            self.node.store.close();
        });
        if joined.await.is_err() {
            tracing::error!("the edge's cores could not be joined");
        }
        self.leaving.send_replace(true);
        if let Some(mut member) = self.member
            && tokio::time::timeout(LEAVE, &mut member).await.is_err()
        {
            member.abort();
        }
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

/// How long a node tries to take its member record back at its end. Left there, it is dropped when its time is over.
const LEAVE: Duration = Duration::from_secs(2);

/// A POP with a lease joins; the task ends once `leaving` says so.
pub(crate) fn keep_lease(
    node: &Arc<Node>,
    journal: &Arc<dyn Journal>,
    options: &EdgeOptions,
    leaving: &watch::Sender<bool>,
) -> Option<JoinHandleOfTask<()>> {
    let (Tenure::Leased(lease), Tier::Pop(_)) = (&options.tenure, &options.tier) else {
        return None;
    };
    let member = Member::new(Arc::clone(node), Arc::clone(journal), &options.pop, lease.clone());
    Some(tokio::spawn(member.keep(leaving.subscribe())))
}

/// Opens the store. What its disk holds is known when this returns.
async fn open_store(options: &EdgeOptions, head: Epoch) -> Result<Store, StartError> {
    let memory_bytes = options.memory_bytes;
    let Some(DiskCache { folder, bytes }) = options.disk.clone() else {
        return Ok(Store::new(memory_bytes));
    };
    let path = folder.clone();
    let opening = tokio::task::spawn_blocking(move || {
        let files = Box::new(Folder::lock(&path)?);
        Store::open(memory_bytes, DiskOptions { files, bytes, head })
    });
    let opened = match opening.await {
        Ok(opened) => opened,
        Err(error) => Err(io::Error::other(error)),
    };
    let (store, recovered) = opened.map_err(|source| StartError::Disk {
        folder: folder.clone(),
        source,
    })?;
    tracing::info!(
        folder = %folder.display(),
        responses = recovered.n_responses,
        foreign = recovered.n_foreign,
        discarded_files = recovered.n_discarded_files,
        "the cache on disk is known"
    );
    Ok(store)
}

fn spawn_core(
    number: usize,
    core: Arc<Core>,
    listeners: CoreListeners,
    shutdown: watch::Receiver<bool>,
    serving: Serving,
) -> io::Result<JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new()
        .name(format!("edge-{number}"))
        .spawn(move || {
            if let Err(error) = runtime.block_on(core.run(listeners, shutdown, serving)) {
                tracing::error!(%error, "a core of the edge stopped");
            }
        })
}

/// One listener for each core on the same address: the kernel spreads connections among them.
fn listen(address: SocketAddr, n_cores: usize) -> Result<(Vec<TcpListener>, SocketAddr), StartError> {
    let failed = |source| StartError::Listen { address, source };
    // Sockets that share a port do not notice another program's: this one does, and is closed again.
    if address.port() != 0 {
        drop(bind(address, false).map_err(failed)?);
    }
    let first = bind(address, true).map_err(failed)?;
    let at = first.local_addr().map_err(failed)?;
    let mut listeners = vec![first];
    for _ in 1..n_cores {
        listeners.push(bind(at, true).map_err(failed)?);
    }
    Ok((listeners, at))
}

fn bind(address: SocketAddr, shares_port: bool) -> io::Result<TcpListener> {
    const BACKLOG: i32 = 4096;
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(shares_port)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use warmfront_journal::Journal;
use warmfront_model::Revision;
use warmfront_store::Store;

use crate::access_log::Peer;
use crate::connection;
use crate::core::Core;
use crate::edge::{StartError, keep_lease};
use crate::follow::{Follower, delay_at};
use crate::handle::NodeHandle;
use crate::metrics::EdgeMetrics;
use crate::node::Node;
use crate::options::EdgeOptions;
use crate::origin::{ConnectRules, Origins};
use crate::request::Viewer;
use crate::sweep::sweep_forever;

/// Bytes both ways.
pub trait Transport: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Transport for T {}

/// A connection that is being made.
pub type Dialling = Pin<Box<dyn Future<Output = io::Result<Box<dyn Transport>>> + Send>>;

/// Makes connections to origins and to regional nodes, in place of TCP.
pub trait Dial: Send + Sync + 'static {
    /// Connects to `port` of `host`: a name, or an address as text.
    fn dial(&self, host: &str, port: u16) -> Dialling;
}

/// An edge without threads and sockets of its own, for simulations: it lives on the runtime it is started on, serves
/// the connections it is handed, and asks origins through a [`Dial`]. Everything else is as in [`crate::Edge`].
///
/// Dropping it is a crash: it follows the journal no more, and what it stores from then on nobody sees.
pub struct Embedded {
    core: Arc<Core>,
    shutdown: watch::Sender<bool>,
    tasks: Vec<AbortHandle>,
    _leaving: watch::Sender<bool>,
}

impl Embedded {
    /// Takes in the journal over what `store` holds, and follows it. Of `options`, what concerns threads, listeners, disk
    /// and TLS is not used.
    ///
    /// # Errors
    /// [`StartError`] if the journal cannot be read.
    pub async fn start(
        journal: Arc<dyn Journal>,
        options: EdgeOptions,
        store: Store,
        dial: Arc<dyn Dial>,
    ) -> Result<Embedded, StartError> {
        let node = Arc::new(Node::new(&options, store, journal.incarnation(), None));
        let delay = delay_at(&options.pop, options.propagation_delay);
        let mut follower = Follower::new(Arc::clone(&node), options.account.clone(), options.clock.clone(), delay);
        let watch = follower.begin(&*journal).await?;
        let leaving = watch::Sender::new(false);
        let member = keep_lease(&node, &journal, &options, &leaving);
        let mut tasks = vec![
            tokio::spawn(follower.follow(journal, watch)).abort_handle(),
            tokio::spawn(sweep_forever(Arc::clone(&node))).abort_handle(),
        ];
        tasks.extend(member.map(|member| member.abort_handle()));
        let origins = Origins::new(Arc::new(ConnectRules::dialling(dial)?));
        Ok(Embedded {
            core: Arc::new(Core::new(&node, 0, origins)),
            shutdown: watch::Sender::new(false),
            tasks,
            _leaving: leaving,
        })
    }

    /// Serves one connection until it ends or is aborted.
    pub fn serve(&self, stream: impl Transport + 'static) -> AbortHandle {
        let viewer = Viewer {
            ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            is_https: false,
            listener_is_loopback: true,
        };
        let (core, shutdown) = (Arc::clone(&self.core), self.shutdown.subscribe());
        tokio::spawn(connection::serve(core, stream, viewer, Peer::default(), shutdown)).abort_handle()
    }

    /// What Prometheus may read of it.
    pub fn metrics(&self) -> EdgeMetrics {
        EdgeMetrics::new(vec![Arc::clone(&self.core.node)])
    }

    /// The revision up to which the journal has been taken in.
    pub fn applied(&self) -> watch::Receiver<Revision> {
        self.core.node.applied()
    }

    /// What is seen of it from outside.
    pub fn handle(&self) -> NodeHandle {
        NodeHandle::new(&self.core.node)
    }

    /// The cache.
    pub fn store(&self) -> &Store {
        &self.core.node.store
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

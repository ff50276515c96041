use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Response;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use crate::access_log::{CoreLog, Peer, TlsFacts};
use crate::connection;
use crate::counters::Counters;
use crate::node::Node;
use crate::origin::{FetchFailure, OriginBody, OriginRequest, Origins, RequestBody};
use crate::request::Viewer;
use crate::snapshot::Ticket;

/// One thread of the edge: a runtime, listeners and connections to origins of its own.
pub(crate) struct Core {
    pub(crate) node: Arc<Node>,
    pub(crate) origins: Origins,
    /// For this core's thread alone to add to.
    pub(crate) counters: Arc<Counters>,
    /// Where its requests are logged, if they are.
    pub(crate) log: Option<Arc<CoreLog>>,
}

/// What one core listens on.
pub(crate) struct CoreListeners {
    pub(crate) http: std::net::TcpListener,
    pub(crate) https: Option<(std::net::TcpListener, Arc<ServerConfig>)>,
}

/// One core's part in the cores' common end. Dropping it ends the part, too.
pub(crate) struct Serving {
    n_serving: Arc<watch::Sender<usize>>,
}

impl Serving {
    /// One more core.
    pub(crate) fn begin(n_serving: &Arc<watch::Sender<usize>>) -> Serving {
        n_serving.send_modify(|n| *n += 1);
        Serving {
            n_serving: Arc::clone(n_serving),
        }
    }

    /// This core has nothing left to do. Returns once that holds for all.
    async fn end_together(self) {
        let mut n_serving = self.n_serving.subscribe();
        drop(self);
        // A sender that is gone takes the last core with it.
        let _ = n_serving.wait_for(|n| *n == 0).await;
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.n_serving.send_modify(|n| *n -= 1);
    }
}

impl Core {
    /// The core with this number, which counts in the node's counters of that number.
    pub(crate) fn new(node: &Arc<Node>, number: usize, origins: Origins) -> Core {
        let counters = node.counters.get(number).cloned();
        let counters = counters.unwrap_or_else(|| Arc::new(Counters::new()));
        Core {
            node: Arc::clone(node),
            origins,
            log: CoreLog::of(node, &counters).map(Arc::new),
            counters,
        }
    }

    /// Serves until `shutdown` says so, then lets the requests under way end: its own, and then those of the other cores,
    /// which may wait for fetches that run on this one.
    ///
    /// # Errors
    /// If the listeners cannot be handed to the runtime.
    pub(crate) async fn run(
        self: Arc<Self>,
        listeners: CoreListeners,
        shutdown: watch::Receiver<bool>,
        serving: Serving,
    ) -> io::Result<()> {
        let connections = Arc::new(Semaphore::new(self.node.limits.connections_max));
        let http = TcpListener::from_std(listeners.http)?;
        let plain = Arc::clone(&self).listen(http, None, Arc::clone(&connections), shutdown.clone());
        match listeners.https {
            Some((https, config)) => {
                let https = TcpListener::from_std(https)?;
                let acceptor = TlsAcceptor::from(config);
                let tls = Arc::clone(&self).listen(https, Some(acceptor), Arc::clone(&connections), shutdown);
                tokio::join!(plain, tls);
            }
            None => plain.await,
        }
        let all = u32::try_from(self.node.limits.connections_max).unwrap_or(u32::MAX);
        let drained = async {
            let _all = connections.acquire_many(all).await;
            serving.end_together().await;
        };
        let mut killed = self.node.killed.subscribe();
        tokio::select! {
            drained = tokio::time::timeout(self.node.limits.drain, drained) => if drained.is_err() {
                tracing::warn!("requests were still under way when the time to drain was over");
            },
            () = connection::is_over(&mut killed) => {}
        }
        Ok(())
    }

    /// Accepts connections while there is room; others wait in the backlog.
    async fn listen(
        self: Arc<Self>,
        listener: TcpListener,
        tls: Option<TlsAcceptor>,
        connections: Arc<Semaphore>,
        mut shutdown: watch::Receiver<bool>,
    ) {
        let is_loopback = listener
            .local_addr()
            .is_ok_and(|at| at.ip().to_canonical().is_loopback());
        loop {
            let next = async {
                let place = Arc::clone(&connections).acquire_owned().await;
                (place, listener.accept().await)
            };
            let (place, accepted) = tokio::select! {
                next = next => next,
                () = connection::is_over(&mut shutdown) => return,
            };
            let Ok(place) = place else { return };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    pause_after(&error).await;
                    continue;
                }
            };
            let core = Arc::clone(&self);
            let (tls, shutdown) = (tls.clone(), shutdown.clone());
            tokio::spawn(async move {
                let _open = Open::count(&core.counters);
                Arc::clone(&core).serve(stream, peer, tls, is_loopback, shutdown).await;
                drop(place);
            });
        }
    }

    /// Asks an origin, and counts what came of it.
    pub(crate) async fn ask(
        &self,
        ticket: &Ticket,
        request: &OriginRequest,
        body: RequestBody,
    ) -> Result<Response<OriginBody>, FetchFailure> {
        let answered = self.origins.ask(ticket, request, body).await;
        let result = answered.as_ref().map(Response::status);
        self.counters.origin_asked(result.map_err(FetchFailure::reason));
        answered
    }

    async fn serve(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        tls: Option<TlsAcceptor>,
        listener_is_loopback: bool,
        shutdown: watch::Receiver<bool>,
    ) {
        if stream.set_nodelay(true).is_err() {
            return;
        }
        let viewer = Viewer {
            ip: peer.ip().to_canonical(),
            is_https: tls.is_some(),
            listener_is_loopback,
        };
        match tls {
            None => {
                let peer = Peer {
                    port: peer.port(),
                    tls: None,
                };
                connection::serve(self, stream, viewer, peer, shutdown).await;
            }
            Some(tls) => {
                let handshake = tokio::time::timeout(self.node.limits.head_timeout, tls.accept(stream)).await;
                match handshake {
                    Ok(Ok(stream)) => {
                        let peer = Peer {
                            port: peer.port(),
                            tls: TlsFacts::of(stream.get_ref().1),
                        };
                        connection::serve(self, stream, viewer, peer, shutdown).await;
                    }
                    Ok(Err(error)) => tracing::debug!(%error, %peer, "a TLS handshake failed"),
                    Err(_) => tracing::debug!(%peer, "a TLS handshake took too long"),
                }
            }
        }
    }
}

/// A connection that is open, until dropped.
struct Open(Arc<Counters>);

impl Open {
    fn count(counters: &Arc<Counters>) -> Open {
        counters.connections_opened.add(1);
        Open(Arc::clone(counters))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.connections_closed.add(1);
    }
}

/// Out of file descriptors or memory, trying again at once would only burn the core.
async fn pause_after(error: &io::Error) {
    const PAUSE: Duration = Duration::from_millis(50);
    let is_of_one_connection = matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    );
    if !is_of_one_connection {
        tokio::time::sleep(PAUSE).await;
    }
}

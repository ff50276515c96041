use std::future::Future;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// Connections served at a time. The next ones wait in the listener's queue.
pub const CONNECTIONS_MAX: usize = 512;

/// How long running requests get to end after shutdown has begun, in seconds.
pub const DRAIN_SECS_MAX: u64 = 10;

/// How long a request's head may take, and an idle connection is kept.
const HEAD_SECS_MAX: Duration = Duration::from_secs(60);

/// The largest head. A signed URL of 8 KiB and 32 KiB of headers fit.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// How long to wait when the system gives no more connections (too many open files).
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// Where a request's connection comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PeerAddress(pub(crate) IpAddr);

pub(crate) async fn serve(router: Router, listener: TcpListener, shutdown: impl Future<Output = ()> + Send) {
    let connections = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let graceful = GracefulShutdown::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let accept = async {
            let permit = Arc::clone(&connections).acquire_owned().await;
            (listener.accept().await, permit)
        };
        let (accepted, permit) = tokio::select! {
            accepted = accept => accepted,
            () = &mut shutdown => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let router = router.clone().layer(Extension(PeerAddress(peer.ip())));
                let connection = graceful.watch(connection(router, stream));
                tokio::spawn(async move {
                    if let Err(error) = connection.await {
                        tracing::debug!(%error, "a connection ended early");
                    }
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "no connection can be accepted");
                tokio::time::sleep(ACCEPT_RETRY).await;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(Duration::from_secs(DRAIN_SECS_MAX), graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("some requests had not ended when the control plane stopped");
    }
}

fn connection(router: Router, stream: TcpStream) -> http1::Connection<TokioIo<TcpStream>, TowerToHyperService<Router>> {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY cannot be set");
    }
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_SECS_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
}

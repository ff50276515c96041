use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use crate::core::Core;
use crate::request::{Viewer, answer};

/// Serves the requests of one connection, over HTTP/1.1, until it ends or `shutdown` says so and the request under way has
/// been answered.
pub(crate) async fn serve<S>(core: Arc<Core>, stream: S, viewer: Viewer, mut shutdown: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    // Above the limits of design, so that what is too large is answered by a rule and not by a broken connection.
    let buffer_bytes = 4 * core.node.limits.header_bytes_max.max(8 * 1024);
    let head_timeout = core.node.limits.head_timeout;
    let service = service_fn(move |request: Request<Incoming>| {
        let core = Arc::clone(&core);
        async move { Ok::<_, Infallible>(answer(&core, viewer, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_timeout)
        .max_buf_size(buffer_bytes)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = is_over(&mut shutdown) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, viewer = %viewer.ip, "a connection broke off");
    }
}

/// Returns once `shutdown` says so.
pub(crate) async fn is_over(shutdown: &mut watch::Receiver<bool>) {
    // A sender that is gone says so as well.
    let _ = shutdown.wait_for(|is_over| *is_over).await;
}

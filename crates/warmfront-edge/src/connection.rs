use std::convert::Infallible;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use crate::access_log::{Ledger, Peer};
use crate::core::Core;
use crate::direct::{AnswerBody, DirectHits};
use crate::request::{Answering, Viewer, answer};
use crate::seldom::Seldom;
use crate::silence::{Activity, Watched};

/// Serves the requests of one connection, over HTTP/1.1, until it ends or `shutdown` says so and the request under way has
/// been answered. A connection that falls silent is closed.
pub(crate) async fn serve<S>(
    core: Arc<Core>,
    stream: S,
    viewer: Viewer,
    peer: Peer,
    mut shutdown: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    // Above the limits of design, so that what is too large is answered by a rule and not by a broken connection.
    let buffer_bytes = 4 * core.node.limits.header_bytes_max.max(8 * 1024);
    let (head_timeout, half_closed) = (core.node.limits.head_timeout, core.node.limits.half_closed);
    let activity = Arc::new(Activity::logged_by(Ledger::of(&core, peer)));
    let counters = Arc::clone(&core.counters);
    let stream = Watched::new(stream, Arc::clone(&activity), counters);
    let stream = DirectHits::new(stream, Arc::clone(&core), viewer, Arc::clone(&activity));
    let requests = Requests {
        core,
        viewer,
        activity: Arc::clone(&activity),
    };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_buf_size(buffer_bytes)
        .serve_connection(TokioIo::new(stream), requests);
    let mut connection = pin!(connection);
    let mut is_silent = Seldom::new(async {
        tokio::select! {
            () = activity.falls_silent(head_timeout) => true,
            () = activity.sending_side.is_given_up(half_closed) => true,
            () = is_over(&mut shutdown) => false,
        }
    });
    let ended = tokio::select! {
        biased;
        ended = connection.as_mut() => ended,
        is_silent = &mut is_silent => {
            if is_silent {
                return;
            }
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, viewer = %viewer.ip, "a connection broke off");
    }
}

/// The requests of one connection.
struct Requests {
    core: Arc<Core>,
    viewer: Viewer,
    activity: Arc<Activity>,
}

impl Service<Request<Incoming>> for Requests {
    type Response = Response<AnswerBody>;
    type Error = Infallible;
    type Future = Infallibly;

    fn call(&self, request: Request<Incoming>) -> Infallibly {
        self.activity.note();
        self.activity.exchanges.begin();
        if let Some(ledger) = &self.activity.ledger {
            ledger.begin();
        }
        Infallibly {
            answering: answer(&self.core, self.viewer, &self.activity, request),
            activity: Arc::clone(&self.activity),
        }
    }
}

/// An answer as hyper wants it: a result that is never an error.
struct Infallibly {
    answering: Answering,
    activity: Arc<Activity>,
}

impl Future for Infallibly {
    type Output = Result<Response<AnswerBody>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = ready!(Pin::new(&mut self.answering).poll(context));
        Poll::Ready(Ok(AnswerBody::of(answer, &self.activity)))
    }
}

/// Returns once `shutdown` says so.
pub(crate) async fn is_over(shutdown: &mut watch::Receiver<bool>) {
    // A sender that is gone says so as well.
    let _ = shutdown.wait_for(|is_over| *is_over).await;
}

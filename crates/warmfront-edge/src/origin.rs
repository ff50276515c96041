//! Asking origins: one client per core, whose connections stay on that core.

mod body;
mod connector;
mod failure;
mod target;
mod turns;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use foldhash::fast::RandomState;
use http::header::CONTENT_LENGTH;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{Either, Empty};
use hyper::body::Incoming;
use hyper::ext::on_informational;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use parking_lot::Mutex;
use warmfront_caching::Upstream;
use warmfront_clock::Clock;
use warmfront_signing::{Payload, Signer};

pub(crate) use body::OriginBody;
use connector::ConnectTimes;
pub(crate) use connector::{ConnectRules, ConnectSettings, Connector};
pub(crate) use failure::{ConnectFailure, FetchFailure};
pub(crate) use target::Target;
pub use turns::RefillLimits;
pub(crate) use turns::{Busy, Turns};

use crate::interim::InterimSink;
use crate::snapshot::Ticket;

/// What goes to an origin after the head: nothing, or what the viewer sends.
pub(crate) type RequestBody = Either<Empty<Bytes>, Incoming>;

/// The clients of one core.
pub(crate) struct Origins {
    rules: Arc<ConnectRules>,
    clients: Mutex<HashMap<ConnectSettings, Client<Connector, RequestBody>, RandomState>>,
}

/// A request to an origin, all but its body.
pub(crate) struct OriginRequest {
    /// Where it goes, and with how much patience.
    pub(crate) target: Target,
    /// The head, without a signature.
    pub(crate) head: http::request::Parts,
    /// Signs it, where the origin access control asks for that.
    pub(crate) signer: Option<Signer>,
    /// Where interim responses go.
    pub(crate) interim: Option<InterimSink>,
}

impl Origins {
    pub(crate) fn new(rules: Arc<ConnectRules>) -> Origins {
        Origins {
            rules,
            clients: Mutex::default(),
        }
    }

    /// Asks the origin. `ticket` was taken before, and is what the answer is to be stamped with.
    ///
    /// A GET or HEAD that is not answered within the origin's read timeout, or whose connection ends without an answer, is
    /// asked again, as often as it has connection attempts; no other method is. How long it took is in the answer's
    /// extensions, as [`Upstream`].
    ///
    /// Source: CloudFront Developer Guide, "Request and response behavior for custom origins", origin response timeout;
    /// RFC 9110 section 9.2.2 (an idle connection that the origin closes just then looks no different).
    pub(crate) async fn ask(
        &self,
        _ticket: &Ticket,
        request: &OriginRequest,
        body: RequestBody,
    ) -> Result<Response<OriginBody>, FetchFailure> {
        let client = self.client(request.target.connect);
        let may_repeat = matches!(request.head.method, Method::GET | Method::HEAD);
        let n_attempts = if may_repeat {
            request.target.connect.attempts.max(1)
        } else {
            1
        };
        let mut body = Some(body);
        let mut failure = FetchFailure::NoAnswer;
        for _ in 0..n_attempts {
            let body = body.take().unwrap_or_else(|| Either::Left(Empty::new()));
            let request_once = signed(request, body)?;
            let began = Instant::now();
            failure = match tokio::time::timeout(request.target.read_timeout, client.request(request_once)).await {
                // No protocol is switched: Upgrade is never sent.
                Ok(Ok(response)) if response.status().is_informational() => {
                    return Err(FetchFailure::Invalid(format!("status {}", response.status())));
                }
                Ok(Ok(mut response)) => {
                    // RFC 9110 section 8.6: a 204 has no Content-Length, whatever an origin sends.
                    if response.status() == StatusCode::NO_CONTENT {
                        response.headers_mut().remove(CONTENT_LENGTH);
                    }
                    note_times(&mut response, began.elapsed());
                    return Ok(response.map(|body| OriginBody::new(body, request.target.read_timeout)));
                }
                Ok(Err(error)) if FetchFailure::ended_without_answer(&error) => FetchFailure::from_client(&error),
                Ok(Err(error)) => return Err(FetchFailure::from_client(&error)),
                Err(_) => FetchFailure::NoAnswer,
            };
        }
        Err(failure)
    }

    fn client(&self, settings: ConnectSettings) -> Client<Connector, RequestBody> {
        const IDLE_PER_HOST_MAX: usize = 256;
        const HEAD_BYTES_MAX: usize = 64 * 1024;
        let mut clients = self.clients.lock();
        let client = clients.entry(settings).or_insert_with(|| {
            Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .timer(TokioTimer::new())
                .pool_idle_timeout(Duration::from_secs(settings.keepalive_secs.into()))
                .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
                .http1_max_buf_size(HEAD_BYTES_MAX.max(8 * 1024))
                .build(Connector::new(Arc::clone(&self.rules), settings))
        });
        client.clone()
    }
}

/// A request that came on a connection that was there waited for no address and no connection.
fn note_times<B>(response: &mut Response<B>, taken: Duration) {
    let connected = response.extensions_mut().remove::<ConnectTimes>();
    let (dns, connect) = connected.and_then(|times| times.of_first_use()).unwrap_or_default();
    response.extensions_mut().insert(Upstream {
        dns,
        connect,
        first_byte: taken.saturating_sub(dns + connect),
    });
}

/// Signatures carry the real time, whatever the edge's clock says: the bucket compares them with its own.
fn signed(request: &OriginRequest, body: RequestBody) -> Result<Request<RequestBody>, FetchFailure> {
    let mut head = request.head.clone();
    if let Some(signer) = &request.signer {
        signer
            .sign(&mut head, Payload::Unsigned, Clock::system().now())
            .map_err(|error| FetchFailure::Unsendable(error.to_string()))?;
    }
    let mut signed = Request::from_parts(head, body);
    if let Some(interim) = request.interim.clone() {
        on_informational(&mut signed, move |response| {
            interim.send(response.status(), response.headers());
        });
    }
    Ok(signed)
}

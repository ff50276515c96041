use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use http::header::{CONNECTION, EXPECT};
use hyper::body::Body as _;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, HttpRequest, HttpResponse};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::access::{Access, Keys, Peer};
use crate::answer::{self, RequestId};
use crate::bucket::Shared;
use crate::host::Hosts;
use crate::lenient;
use crate::operations::Operations;

/// Connections at a time; those beyond wait to be accepted.
const CONNECTIONS_MAX: usize = 1024;

/// How long a client may take to send a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// How long requests in flight may go on once `shutdown` is over.
const DRAIN_MAX: Duration = Duration::from_secs(10);

/// The largest XML body: the 10,000 parts of a CompleteMultipartUpload with their checksums fit.
const XML_BYTES_MAX: usize = 8 << 20;

/// What is read of a form before it is refused.
const FORM_BYTES_MAX: u64 = 64 << 10;

/// How long to wait before accepting again when the process has run out of something.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

pub(crate) async fn serve(
    shared: Arc<Shared>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let service = s3_service(&shared);
    let connections = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let graceful = GracefulShutdown::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &connections) => accepted?,
            () = &mut shutdown => break,
        };
        let Some((stream, peer, permit)) = accepted else {
            continue;
        };
        let service = service.clone();
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT);
        let answering = service_fn(move |request| answer(service.clone(), peer, request));
        let connection = builder.serve_connection(TokioIo::new(stream), answering).into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%peer, %error, "a connection ended early");
            }
            drop(permit);
        });
    }
    drop(listener);
    if tokio::time::timeout(DRAIN_MAX, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests in flight were not done in time");
    }
    Ok(())
}

type Accepted = (TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit);

/// The next connection; `None` if this one came to nothing and the listener is still good.
async fn accept(listener: &TcpListener, connections: &Arc<Semaphore>) -> io::Result<Option<Accepted>> {
    let Ok(permit) = Arc::clone(connections).acquire_owned().await else {
        return Err(io::Error::other("the listener is closed"));
    };
    match listener.accept().await {
        Ok((stream, peer)) => {
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%peer, %error, "TCP_NODELAY cannot be set");
            }
            Ok(Some((stream, peer, permit)))
        }
        Err(error) if is_of_the_connection(&error) => Ok(None),
        Err(error) => {
            tracing::warn!(%error, "a connection cannot be accepted");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            Ok(None)
        }
    }
}

fn is_of_the_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

fn s3_service(shared: &Arc<Shared>) -> S3Service {
    let mut config = S3Config::default();
    config.xml_max_body_size = XML_BYTES_MAX;
    // Browser form uploads are not implemented, and the protocol layer would hold their files in memory.
    config.post_object_max_file_size = FORM_BYTES_MAX;
    config.form_max_field_size = FORM_BYTES_MAX as usize;
    config.form_max_fields_size = FORM_BYTES_MAX as usize;
    let access = Arc::new(Access::new(Arc::clone(shared)));
    let mut builder = S3ServiceBuilder::new(Operations::new(Arc::clone(shared), Arc::clone(&access)));
    builder.set_auth(Keys::new(&shared.options));
    builder.set_access(access.as_ref().clone());
    builder.set_host(Hosts);
    builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config))));
    builder.build()
}

async fn answer(
    service: S3Service,
    peer: SocketAddr,
    request: hyper::Request<hyper::body::Incoming>,
) -> Result<HttpResponse, s3s::HttpError> {
    let request_id = RequestId::random();
    let mut request: HttpRequest = request.map(Body::from);
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let expects_continue = request.headers().contains_key(EXPECT);
    let has_no_body = request.body().is_end_stream();
    request.extensions_mut().insert(Peer(peer));
    lenient::remove_unreadable(request.headers_mut());
    let mut response = service.call(request).await?;
    answer::complete(&mut response, &method, &path, &request_id);
    // Who expects a 100 and gets the final answer at once may have sent the body or not; botocore even reads the answer
    // to the next such request wrongly. A new connection is clear to both.
    if expects_continue && (has_no_body || !response.status().is_success()) {
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}

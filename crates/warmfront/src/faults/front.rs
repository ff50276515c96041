use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, EXPECT};
use http::request::Parts;
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::call::{Api, name_of};
use super::script::{End, Script, Stroke};

type Body = BoxBody<Bytes, hyper::Error>;

/// Why a connection ends without an answer.
#[derive(Debug, thiserror::Error)]
enum Cut {
    #[error("by the script")]
    Scripted,
    #[error(transparent)]
    Behind(#[from] hyper_util::client::legacy::Error),
    #[error(transparent)]
    Client(#[from] hyper::Error),
    #[error(transparent)]
    Request(#[from] http::Error),
}

/// What stands before a listener: lets requests through to `behind`, but for what the script says.
#[derive(Clone)]
pub struct Front {
    kind: Kind,
    script: Arc<Script>,
    behind: SocketAddr,
    client: Client<HttpConnector, Incoming>,
}

/// What a front stands before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The CloudFront API.
    CloudFront,
    /// The S3 API.
    S3,
    /// Viewers over plain HTTP, at the POP with this number.
    Pop(usize),
}

impl Front {
    /// A front before the listener at `behind`.
    pub fn new(kind: Kind, script: &Arc<Script>, behind: SocketAddr) -> Front {
        Front {
            kind,
            script: script.clone(),
            behind,
            client: Client::builder(TokioExecutor::new()).build_http(),
        }
    }

    /// Serves until `shutdown` is over; what is in progress then is cut off.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()> + Send) {
        let mut shutdown = std::pin::pin!(shutdown);
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = &mut shutdown => return,
            };
            while connections.try_join_next().is_some() {}
            match accepted {
                Ok((stream, _)) => drop(connections.spawn(self.clone().connection(stream))),
                Err(error) => {
                    tracing::warn!(%error, "no connection can be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    async fn connection(self, stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        let service = service_fn(|request| self.answer(request));
        let served = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        if let Err(error) = served.await {
            tracing::debug!(%error, "a connection ended early");
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Body>, Cut> {
        let (mut head, body) = request.into_parts();
        let stroke = self.stroke(&head);
        tokio::time::sleep(stroke.delay).await;
        if let End::Refused { status, code, message } = stroke.end {
            drain(body).await?;
            return Ok(self.refuse(status, code, message)?);
        }
        // The body comes from here at once, whatever it waited for.
        head.headers.remove(EXPECT);
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        head.uri = Uri::builder()
            .scheme("http")
            .authority(self.behind.to_string())
            .path_and_query(path)
            .build()?;
        let response = self.client.request(Request::from_parts(head, body)).await?;
        if stroke.end == End::Lost {
            return Err(Cut::Scripted);
        }
        Ok(response.map(BodyExt::boxed))
    }

    fn stroke(&self, request: &Parts) -> Stroke {
        let api = match self.kind {
            Kind::CloudFront => Api::CloudFront,
            Kind::S3 => Api::S3,
            Kind::Pop(_) => {
                return Stroke {
                    delay: self.script.pop_delay(),
                    end: End::Works,
                };
            }
        };
        let call = name_of(api, request);
        let stroke = self.script.next(call);
        if stroke != Stroke::default() {
            tracing::warn!(call, ?stroke, "a fault, as the script says");
        }
        stroke
    }

    /// Source: CloudFront API Reference, "Common Errors", and S3 API reference, "Error responses": the two shapes of an error.
    fn refuse(&self, status: u16, code: &str, message: &str) -> Result<Response<Body>, http::Error> {
        let request_id = format!("{:016X}", rand::random::<u64>());
        let error = format!("<Code>{code}</Code><Message>{message}</Message>");
        let text = match self.kind {
            Kind::S3 => format!("<Error>{error}<RequestId>{request_id}</RequestId></Error>"),
            _ => {
                let side = if status < 500 { "Sender" } else { "Receiver" };
                format!(
                    "<ErrorResponse xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\"><Error><Type>{side}</Type>{error}</Error>\
                     <RequestId>{request_id}</RequestId></ErrorResponse>"
                )
            }
        };
        let body = Full::new(Bytes::from(format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{text}"
        )));
        let mut response = Response::builder()
            .status(status)
            .body(body.map_err(|never| match never {}).boxed())?;
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("text/xml"));
        Ok(response)
    }
}

/// Reads a body to its end: a client that is still sending would see its connection fail instead of the answer.
async fn drain(mut body: Incoming) -> Result<(), hyper::Error> {
    while let Some(frame) = body.frame().await {
        frame?;
    }
    Ok(())
}

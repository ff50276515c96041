use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{ACCEPT, AGE, CACHE_CONTROL, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::{Edge, Page, Verifier};

/// A larger body is not read to its end.
const BODY_BYTES_MAX: usize = 1 << 30;

/// A whole answer must be there by then.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A failed connection is tried again after these pauses: a POP that is not reached at once is not a release gone wrong.
const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(1)];

type Sender = http1::SendRequest<Empty<Bytes>>;
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A viewer who talks HTTP/1.1 to edges that are named, with the distribution's name as Host. Connections are kept.
pub struct EdgeViewer {
    edges: Vec<Edge>,
    authority_pem: Option<Vec<u8>>,
    tls: OnceLock<TlsConnector>,
    /// By the edge's URL and the host: as many as were in use at once.
    idle: Mutex<HashMap<(String, String), Vec<Sender>>>,
}

/// An edge is not `http://HOST[:PORT]` or `https://HOST[:PORT]`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not http://HOST:PORT or https://HOST:PORT")]
pub struct InvalidEdge(pub String);

impl EdgeViewer {
    /// A viewer at these edges; none: at the distribution's own name. Over TLS it trusts what the system trusts, and the
    /// certificate in `authority_pem`.
    ///
    /// # Errors
    /// Names the first that is no URL of an edge.
    pub fn new(edges: Vec<Edge>, authority_pem: Option<Vec<u8>>) -> Result<EdgeViewer, InvalidEdge> {
        let trimmed = |url: &String| url.trim_end_matches('/').to_owned();
        for url in edges
            .iter()
            .flat_map(|edge| [&edge.url].into_iter().chain(&edge.tls_url))
        {
            address_of(url).ok_or_else(|| InvalidEdge(url.clone()))?;
        }
        let edges = edges.iter().map(|edge| Edge {
            url: trimmed(&edge.url),
            tls_url: edge.tls_url.as_ref().map(trimmed),
        });
        Ok(EdgeViewer {
            edges: edges.collect(),
            authority_pem,
            tls: OnceLock::new(),
            idle: Mutex::default(),
        })
    }

    async fn ask(&self, edge: &str, host: &str, path: &str) -> Result<Page, Failure> {
        let request = Request::get(path)
            .header(HOST, host)
            .header(ACCEPT, "*/*")
            .header(USER_AGENT, concat!("warmfront/", env!("CARGO_PKG_VERSION")))
            .body(Empty::<Bytes>::new())?;
        let key = (edge.to_owned(), host.to_owned());
        let idle = self.idle().get_mut(&key).and_then(Vec::pop);
        if let Some(mut sender) = idle
            && sender.ready().await.is_ok()
            && let Ok(page) = exchange(&mut sender, request.clone()).await
        {
            self.idle().entry(key).or_default().push(sender);
            return Ok(page);
        }
        let mut sender = self.connect(edge, host).await?;
        let page = exchange(&mut sender, request).await?;
        self.idle().entry(key).or_default().push(sender);
        Ok(page)
    }

    fn idle(&self) -> MutexGuard<'_, HashMap<(String, String), Vec<Sender>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn connect(&self, edge: &str, host: &str) -> Result<Sender, Failure> {
        let (is_tls, address) = address_of(edge).ok_or("not an edge's address")?;
        let stream = TcpStream::connect(&address).await?;
        stream.set_nodelay(true)?;
        if is_tls {
            let name = ServerName::try_from(host.to_owned())?;
            let stream = self.tls()?.connect(name, stream).await?;
            open(TokioIo::new(stream)).await
        } else {
            open(TokioIo::new(stream)).await
        }
    }

    /// Made when it is needed: reading what the system trusts takes a while.
    fn tls(&self) -> Result<&TlsConnector, Failure> {
        if let Some(tls) = self.tls.get() {
            return Ok(tls);
        }
        let mut roots = rustls::RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let own = self.authority_pem.as_deref();
        roots.add_parsable_certificates(own.and_then(|pem| CertificateDer::from_pem_slice(pem).ok()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(self.tls.get_or_init(|| TlsConnector::from(Arc::new(config))))
    }
}

async fn open<T>(io: T) -> Result<Sender, Failure>
where
    T: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let (sender, connection) = http1::handshake(io).await?;
    tokio::spawn(connection);
    Ok(sender)
}

async fn exchange(sender: &mut Sender, request: Request<Empty<Bytes>>) -> Result<Page, Failure> {
    let (head, body) = sender.send_request(request).await?.into_parts();
    let body = Limited::new(body, BODY_BYTES_MAX).collect().await?.to_bytes();
    Ok(Page {
        status: head.status.as_u16(),
        content_type: text(&head.headers, CONTENT_TYPE.as_str()),
        cache_control: text(&head.headers, CACHE_CONTROL.as_str()),
        x_cache: text(&head.headers, "x-cache"),
        pop: text(&head.headers, "x-amz-cf-pop"),
        age_secs: text(&head.headers, AGE.as_str()).parse().ok(),
        body,
    })
}

fn text(headers: &HeaderMap, name: &str) -> String {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_owned()
}

/// Whether it is TLS, and `HOST:PORT`.
fn address_of(edge: &str) -> Option<(bool, String)> {
    let (is_tls, rest) = match edge.split_once("://")? {
        ("http", rest) => (false, rest),
        ("https", rest) => (true, rest),
        _ => return None,
    };
    let host = rest.trim_end_matches('/');
    if host.is_empty() || host.contains('/') {
        return None;
    }
    let has_port = host
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let port = if is_tls { 443 } else { 80 };
    Some((
        is_tls,
        if has_port {
            host.to_owned()
        } else {
            format!("{host}:{port}")
        },
    ))
}

#[async_trait]
impl Verifier for EdgeViewer {
    fn edges(&self) -> Vec<Edge> {
        self.edges.clone()
    }

    async fn get(&self, url: &str, host: &str, path: &str) -> Result<Page, String> {
        let mut pauses = PAUSES.iter();
        loop {
            let error = match tokio::time::timeout(TIMEOUT, self.ask(url, host, path)).await {
                Ok(Ok(page)) => return Ok(page),
                Ok(Err(error)) => error.to_string(),
                Err(_) => return Err(format!("no whole answer within {} s", TIMEOUT.as_secs())),
            };
            let Some(pause) = pauses.next() else {
                return Err(error);
            };
            tokio::time::sleep(*pause).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_is_a_scheme_and_an_address() {
        for (edge, expected) in [
            ("http://127.0.0.1:8080", Some((false, "127.0.0.1:8080"))),
            ("http://[::1]:8080/", Some((false, "[::1]:8080"))),
            (
                "https://d111111abcdef8.cloudfront.net",
                Some((true, "d111111abcdef8.cloudfront.net:443")),
            ),
            ("http://edge", Some((false, "edge:80"))),
            ("edge:80", None),
            ("ftp://edge", None),
            ("http://edge/path", None),
            ("http://", None),
        ] {
            assert_eq!(
                address_of(edge),
                expected.map(|(is_tls, at)| (is_tls, at.to_owned())),
                "{edge}"
            );
        }
    }
}

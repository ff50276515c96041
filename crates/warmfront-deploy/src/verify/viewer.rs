use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{ACCEPT, AGE, CACHE_CONTROL, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::rt::TokioIo;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::{Page, Verifier};

/// A larger body is not read to its end.
const BODY_BYTES_MAX: usize = 1 << 30;

/// A whole answer must be there by then.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A viewer who talks HTTP/1.1 to edges that are named, with the distribution's name as Host.
pub struct EdgeViewer {
    edges: Vec<String>,
    tls: TlsConnector,
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
    pub fn new(edges: &[String], authority_pem: Option<&[u8]>) -> Result<EdgeViewer, InvalidEdge> {
        for edge in edges {
            address_of(edge).ok_or_else(|| InvalidEdge(edge.clone()))?;
        }
        let mut roots = rustls::RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let own = authority_pem.and_then(|pem| CertificateDer::from_pem_slice(pem).ok());
        roots.add_parsable_certificates(own);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| InvalidEdge(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(EdgeViewer {
            edges: edges.iter().map(|edge| edge.trim_end_matches('/').to_owned()).collect(),
            tls: TlsConnector::from(Arc::new(config)),
        })
    }

    async fn ask(&self, edge: &str, host: &str, path: &str) -> Result<Page, Box<dyn std::error::Error + Send + Sync>> {
        let (is_tls, address) = address_of(edge).ok_or("not an edge's address")?;
        let stream = TcpStream::connect(&address).await?;
        stream.set_nodelay(true)?;
        let request = Request::get(path)
            .header(HOST, host)
            .header(ACCEPT, "*/*")
            .header(USER_AGENT, concat!("warmfront/", env!("CARGO_PKG_VERSION")))
            .body(Empty::<Bytes>::new())?;
        if is_tls {
            let name = ServerName::try_from(host.to_owned())?;
            let stream = self.tls.connect(name, stream).await?;
            exchange(TokioIo::new(stream), request).await
        } else {
            exchange(TokioIo::new(stream), request).await
        }
    }
}

async fn exchange<T>(io: T, request: Request<Empty<Bytes>>) -> Result<Page, Box<dyn std::error::Error + Send + Sync>>
where
    T: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await?;
    let connection = tokio::spawn(connection);
    let answer = sender.send_request(request).await?;
    let (head, body) = answer.into_parts();
    let body = Limited::new(body, BODY_BYTES_MAX).collect().await?.to_bytes();
    connection.abort();
    Ok(Page {
        status: head.status.as_u16(),
        content_type: text(&head.headers, CONTENT_TYPE.as_str()),
        cache_control: text(&head.headers, CACHE_CONTROL.as_str()),
        x_cache: text(&head.headers, "x-cache"),
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
    fn edges(&self) -> Vec<String> {
        self.edges.clone()
    }

    async fn get(&self, edge: &str, host: &str, path: &str) -> Result<Page, String> {
        match tokio::time::timeout(TIMEOUT, self.ask(edge, host, path)).await {
            Ok(Ok(page)) => Ok(page),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("no whole answer within {} s", TIMEOUT.as_secs())),
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

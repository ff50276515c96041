use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use http::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use warmfront_facts::OriginAllow;

use crate::embedded::{Dial, Transport};
use crate::origin::ConnectFailure;

/// How patiently one origin is connected to, and how long its idle connections are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ConnectSettings {
    /// Attempts, 1 to 3.
    pub(crate) attempts: u32,
    /// Seconds for each attempt.
    pub(crate) timeout_secs: u32,
    /// Seconds that an idle connection is kept.
    pub(crate) keepalive_secs: u32,
    /// Whether the address is the operator's own choice, and so not subject to what origins may have.
    pub(crate) trusted: bool,
}

/// What holds for every connection to an origin.
pub(crate) struct ConnectRules {
    pub(crate) allow: OriginAllow,
    tls: Arc<ClientConfig>,
    /// What connects in place of TCP.
    dial: Option<Arc<dyn Dial>>,
}

impl ConnectRules {
    /// Trusts the system's certificate authorities and `more_roots`.
    pub(crate) fn new(
        allow: OriginAllow,
        more_roots: &[CertificateDer<'static>],
    ) -> Result<ConnectRules, rustls::Error> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        for root in more_roots {
            roots.add(root.clone())?;
        }
        ConnectRules::with_roots(allow, roots, None)
    }

    /// Connects by `dial` alone, and trusts no certificate authority.
    pub(crate) fn dialling(dial: Arc<dyn Dial>) -> Result<ConnectRules, rustls::Error> {
        ConnectRules::with_roots(OriginAllow::default(), RootCertStore::empty(), Some(dial))
    }

    fn with_roots(
        allow: OriginAllow,
        roots: RootCertStore,
        dial: Option<Arc<dyn Dial>>,
    ) -> Result<ConnectRules, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(ConnectRules {
            allow,
            tls: Arc::new(tls),
            dial,
        })
    }
}

/// Connects to origins.
#[derive(Clone)]
pub(crate) struct Connector {
    rules: Arc<ConnectRules>,
    settings: ConnectSettings,
}

impl Connector {
    pub(super) fn new(rules: Arc<ConnectRules>, settings: ConnectSettings) -> Connector {
        Connector { rules, settings }
    }

    async fn connect(self, uri: Uri) -> Result<TokioIo<OriginStream>, ConnectFailure> {
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let is_tls = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let mut failure = ConnectFailure::TimedOut { host: host.clone() };
        for _ in 0..self.settings.attempts.max(1) {
            let attempt = self.attempt(&host, port, is_tls);
            match tokio::time::timeout(Duration::from_secs(self.settings.timeout_secs.into()), attempt).await {
                Ok(Ok(stream)) => return Ok(TokioIo::new(stream)),
                Ok(Err(refused @ ConnectFailure::NotAllowed { .. })) => return Err(refused),
                Ok(Err(other)) => failure = other,
                Err(_) => {}
            }
        }
        Err(failure)
    }

    async fn attempt(&self, host: &str, port: u16, is_tls: bool) -> Result<OriginStream, ConnectFailure> {
        let refused = |source| ConnectFailure::Refused {
            host: host.to_owned(),
            source,
        };
        if let Some(dial) = &self.rules.dial {
            let transport = dial.dial(host, port).await.map_err(refused)?;
            return Ok(OriginStream::new(Stream::Other(transport), ConnectTimes::default()));
        }
        let began = Instant::now();
        let addresses = self.addresses(host, port).await?;
        let mut times = ConnectTimes {
            dns: began.elapsed(),
            ..ConnectTimes::default()
        };
        let tcp = TcpStream::connect(&*addresses).await.map_err(refused)?;
        tcp.set_nodelay(true).map_err(refused)?;
        if !is_tls {
            times.connect = began.elapsed().saturating_sub(times.dns);
            return Ok(OriginStream::new(Stream::Tcp(tcp), times));
        }
        let failed = |source| ConnectFailure::Tls {
            host: host.to_owned(),
            source,
        };
        let name = ServerName::try_from(host.to_owned()).map_err(|error| failed(io::Error::other(error)))?;
        let tls = TlsConnector::from(Arc::clone(&self.rules.tls))
            .connect(name, tcp)
            .await
            .map_err(failed)?;
        times.connect = began.elapsed().saturating_sub(times.dns);
        Ok(OriginStream::new(Stream::Tls(Box::new(tls)), times))
    }

    /// The addresses of `host` that origins may have. Judged after resolution, and the very addresses judged are the ones
    /// connected to, so that a name cannot change in between.
    async fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, ConnectFailure> {
        let unresolved = |source| ConnectFailure::Dns {
            host: host.to_owned(),
            source,
        };
        let all: Vec<SocketAddr> = tokio::net::lookup_host((host, port))
            .await
            .map_err(unresolved)?
            .collect();
        let permitted: Vec<SocketAddr> = all
            .iter()
            .copied()
            .filter(|at| self.settings.trusted || self.rules.allow.permits(at.ip()))
            .collect();
        match (permitted.is_empty(), all.first()) {
            (false, _) => Ok(permitted),
            (true, Some(first)) => Err(ConnectFailure::NotAllowed {
                host: host.to_owned(),
                address: first.ip(),
            }),
            (true, None) => Err(unresolved(io::Error::new(
                io::ErrorKind::NotFound,
                "the name has no address",
            ))),
        }
    }
}

impl tower::Service<Uri> for Connector {
    type Response = TokioIo<OriginStream>;
    type Error = ConnectFailure;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectFailure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}

/// A connection to an origin, over TLS or not.
pub(crate) struct OriginStream {
    stream: Stream,
    times: ConnectTimes,
}

/// How long it took to connect. Clones are of one connection.
#[derive(Clone, Debug, Default)]
pub(super) struct ConnectTimes {
    dns: Duration,
    connect: Duration,
    is_used: Arc<AtomicBool>,
}

impl ConnectTimes {
    /// Address and connection, for the first request on the connection.
    pub(super) fn of_first_use(&self) -> Option<(Duration, Duration)> {
        let is_used = self.is_used.swap(true, Ordering::Relaxed);
        (!is_used).then_some((self.dns, self.connect))
    }
}

enum Stream {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Other(Box<dyn Transport>),
}

impl OriginStream {
    fn new(stream: Stream, times: ConnectTimes) -> OriginStream {
        OriginStream { stream, times }
    }
}

impl Connection for OriginStream {
    fn connected(&self) -> Connected {
        Connected::new().extra(self.times.clone())
    }
}

impl AsyncRead for OriginStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_read(context, buffer),
            Stream::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
            Stream::Other(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for OriginStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_write(context, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
            Stream::Other(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_flush(context),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(context),
            Stream::Other(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::Other(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

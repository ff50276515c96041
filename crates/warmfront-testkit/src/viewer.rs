use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use crate::gate::within_patience;
use crate::message::{BodyState, Framing, MessageError, MessageReader, ResponseHead};

/// A request to make.
#[derive(Clone, Debug)]
pub struct Ask {
    method: String,
    target: String,
    host: Option<String>,
    headers: Vec<(String, String)>,
    body: Option<Bytes>,
}

impl Ask {
    /// A GET.
    pub fn get(target: &str) -> Ask {
        Ask::with_method("GET", target)
    }

    /// A HEAD.
    pub fn head(target: &str) -> Ask {
        Ask::with_method("HEAD", target)
    }

    /// A request with another method.
    pub fn with_method(method: &str, target: &str) -> Ask {
        Ask {
            method: method.to_owned(),
            target: target.to_owned(),
            host: Some("127.0.0.1".to_owned()),
            headers: Vec::new(),
            body: None,
        }
    }

    /// For this host (and port); without it, for 127.0.0.1, which a lone distribution answers to.
    pub fn host(mut self, host: &str) -> Ask {
        self.host = Some(host.to_owned());
        self
    }

    /// Without a Host field.
    pub fn no_host(mut self) -> Ask {
        self.host = None;
        self
    }

    /// With a field.
    pub fn header(mut self, name: &str, value: &str) -> Ask {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a body, and its length in Content-Length.
    pub fn body(mut self, body: impl Into<Bytes>) -> Ask {
        self.body = Some(body.into());
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut text = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        if let Some(host) = &self.host {
            text.push_str(&format!("Host: {host}\r\n"));
        }
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(body) = &self.body {
            text.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        text.push_str("\r\n");
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(self.body.as_deref().unwrap_or_default());
        bytes
    }
}

/// What a viewer got.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The fields.
    pub headers: HeaderMap,
    /// The body, or what there was of it.
    pub body: Bytes,
    /// The connection broke off before the body was whole.
    pub truncated: bool,
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A field's value; empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The first word of X-Cache: `Hit`, `Miss`, `RefreshHit`, `Error` or `Redirect`.
    pub fn x_cache(&self) -> &str {
        self.header("x-cache").split(' ').next().unwrap_or_default()
    }

    /// Status, outcome and body, for comparing in one line.
    pub fn summary(&self) -> (u16, String, String) {
        (self.status, self.x_cache().to_owned(), self.text())
    }
}

/// One connection of a viewer.
#[derive(Debug)]
pub struct Viewer {
    incoming: MessageReader<OwnedReadHalf>,
    outgoing: OwnedWriteHalf,
    last_method: String,
}

impl Viewer {
    /// Connects.
    ///
    /// # Panics
    /// If nobody listens there.
    pub async fn connect(address: SocketAddr) -> Viewer {
        let stream = TcpStream::connect(address).await.expect("a listener");
        stream.set_nodelay(true).expect("a connected socket");
        let (incoming, outgoing) = stream.into_split();
        Viewer {
            incoming: MessageReader::new(incoming),
            outgoing,
            last_method: String::new(),
        }
    }

    /// Sends a request, and does not wait for the answer.
    ///
    /// # Panics
    /// If the connection is closed.
    pub async fn send(&mut self, ask: &Ask) {
        self.last_method = ask.method.clone();
        self.send_raw(&ask.bytes()).await;
    }

    /// Sends these bytes.
    ///
    /// # Panics
    /// If the connection is closed.
    pub async fn send_raw(&mut self, bytes: &[u8]) {
        self.outgoing.write_all(bytes).await.expect("an open connection");
    }

    /// Says that nothing more will be sent, and goes on listening.
    ///
    /// # Panics
    /// If the connection is closed.
    pub async fn end_sending(&mut self) {
        self.outgoing.shutdown().await.expect("an open connection");
    }

    /// Waits for the head of an answer; interim ones are passed over.
    ///
    /// # Errors
    /// [`MessageError`] if the connection ends before it is whole, or it is no HTTP.
    pub async fn head(&mut self) -> Result<ResponseHead, MessageError> {
        loop {
            let head = self.any_head().await?;
            if head.status >= 200 {
                return Ok(head);
            }
        }
    }

    /// Waits for the next head, that of an interim response too.
    ///
    /// # Errors
    /// As for [`Viewer::head`].
    pub async fn any_head(&mut self) -> Result<ResponseHead, MessageError> {
        within_patience("the head of an answer", self.incoming.response_head()).await
    }

    /// Reads the body that follows `head`. True: the connection broke off before it was whole.
    pub async fn body(&mut self, head: &ResponseHead) -> (Bytes, bool) {
        let mut body = BytesMut::new();
        let truncated = self.read_body(head, |piece| body.extend_from_slice(piece)).await;
        (body.freeze(), truncated)
    }

    /// Reads the body that follows `head` and hands each piece on. True: the connection broke off before it was whole.
    pub async fn read_body(&mut self, head: &ResponseHead, mut take: impl FnMut(&[u8])) -> bool {
        let has_none = self.last_method == "HEAD" || matches!(head.status, 204 | 304);
        let framing = if has_none {
            Framing::Length(0)
        } else {
            Framing::of(&head.headers, Framing::UntilClose)
        };
        let mut state = BodyState::new(framing);
        loop {
            match within_patience("a body", self.incoming.body_piece(&mut state)).await {
                Ok(Some(piece)) => take(&piece),
                Ok(None) => return false,
                Err(_) => return true,
            }
        }
    }

    /// Waits for an answer.
    ///
    /// # Panics
    /// If the connection ends before its head is whole.
    pub async fn answer(&mut self) -> Answer {
        let head = self.head().await.expect("an answer");
        let (body, truncated) = self.body(&head).await;
        Answer {
            status: head.status,
            headers: head.headers,
            body,
            truncated,
        }
    }

    /// Sends a request and waits for the answer.
    ///
    /// # Panics
    /// If there is none.
    pub async fn ask(&mut self, ask: &Ask) -> Answer {
        self.send(ask).await;
        self.answer().await
    }

    /// Whether the other end closes the connection, with nothing more to read.
    pub async fn is_closed(&mut self) -> bool {
        within_patience("the end of a connection", self.incoming.is_over()).await
    }
}

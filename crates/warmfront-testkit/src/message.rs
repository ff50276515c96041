use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt};

/// The head of a request, as it stood on the wire.
#[derive(Clone, Debug)]
pub struct RequestHead {
    /// The method.
    pub method: String,
    /// The target: path and query string, or whatever was sent.
    pub target: String,
    /// The fields.
    pub headers: HeaderMap,
}

/// The head of a response, as it stood on the wire.
#[derive(Clone, Debug)]
pub struct ResponseHead {
    /// The status code.
    pub status: u16,
    /// The fields.
    pub headers: HeaderMap,
}

/// What came over a connection is no HTTP/1.1 message, or only part of one.
#[derive(Debug, Error)]
pub enum MessageError {
    /// The connection ended, between two messages or within one.
    #[error("the connection ended")]
    Ended,
    /// Reading or writing failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Not HTTP.
    #[error("this is no HTTP: {0:?}")]
    Malformed(String),
}

/// Reads messages off one connection. It keeps to the grammar that the product's own programs write, no more.
#[derive(Debug)]
pub struct MessageReader<R> {
    stream: R,
    buffer: BytesMut,
}

/// How a body's end is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// By Content-Length.
    Length(u64),
    /// By chunks.
    Chunked,
    /// By the connection's end.
    UntilClose,
}

/// Where a body stands that is being read piece by piece.
#[derive(Debug)]
pub struct BodyState {
    framing: Framing,
    left: u64,
    done: bool,
}

impl<R: AsyncRead + Unpin> MessageReader<R> {
    /// Reads from `stream`.
    pub fn new(stream: R) -> MessageReader<R> {
        MessageReader {
            stream,
            buffer: BytesMut::new(),
        }
    }

    /// The head of the next request.
    ///
    /// # Errors
    /// [`MessageError`] if the connection ends before it is whole, or it is no HTTP.
    pub async fn request_head(&mut self) -> Result<RequestHead, MessageError> {
        let (start, headers) = self.head().await?;
        let mut words = start.split(' ');
        match (words.next(), words.next(), words.next()) {
            (Some(method), Some(target), Some(_version)) => Ok(RequestHead {
                method: method.to_owned(),
                target: target.to_owned(),
                headers,
            }),
            _ => Err(MessageError::Malformed(start)),
        }
    }

    /// The head of the next response.
    ///
    /// # Errors
    /// As [`MessageReader::request_head`].
    pub async fn response_head(&mut self) -> Result<ResponseHead, MessageError> {
        let (start, headers) = self.head().await?;
        let status = start.split(' ').nth(1).and_then(|status| status.parse().ok());
        match status {
            Some(status) => Ok(ResponseHead { status, headers }),
            None => Err(MessageError::Malformed(start)),
        }
    }

    async fn head(&mut self) -> Result<(String, HeaderMap), MessageError> {
        const END: &[u8] = b"\r\n\r\n";
        let end = loop {
            if let Some(at) = self.buffer.windows(END.len()).position(|window| window == END) {
                break at;
            }
            self.more().await?;
        };
        let head = self.buffer.split_to(end + END.len());
        let text = String::from_utf8_lossy(&head[..end]).into_owned();
        let mut lines = text.split("\r\n");
        let start = lines.next().unwrap_or_default().to_owned();
        let mut headers = HeaderMap::new();
        for line in lines {
            let malformed = || MessageError::Malformed(line.to_owned());
            let (name, value) = line.split_once(':').ok_or_else(malformed)?;
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| malformed())?;
            headers.append(name, HeaderValue::from_str(value.trim()).map_err(|_| malformed())?);
        }
        Ok((start, headers))
    }

    /// The next piece of a body, `None` at its end.
    ///
    /// # Errors
    /// [`MessageError`] if the connection ends before it is whole, or it is no HTTP.
    pub async fn body_piece(&mut self, body: &mut BodyState) -> Result<Option<Bytes>, MessageError> {
        loop {
            if body.done {
                return Ok(None);
            }
            if body.left == 0 && body.framing != Framing::UntilClose {
                match body.framing {
                    Framing::Chunked => self.next_chunk(body).await?,
                    Framing::Length(_) | Framing::UntilClose => body.done = true,
                }
                continue;
            }
            if self.buffer.is_empty() {
                match self.more().await {
                    Err(MessageError::Ended) if body.framing == Framing::UntilClose => {
                        body.done = true;
                        continue;
                    }
                    other => other?,
                }
            }
            let n = match body.framing {
                Framing::UntilClose => self.buffer.len(),
                _ => self.buffer.len().min(usize::try_from(body.left).unwrap_or(usize::MAX)),
            };
            body.left = body.left.saturating_sub(n as u64);
            let piece = self.buffer.split_to(n).freeze();
            if body.framing == Framing::Chunked && body.left == 0 {
                self.line().await?;
            }
            return Ok(Some(piece));
        }
    }

    /// Reads the size line of the next chunk; after the last one, the trailers' end.
    async fn next_chunk(&mut self, body: &mut BodyState) -> Result<(), MessageError> {
        let line = self.line().await?;
        let size = line.split(';').next().unwrap_or_default().trim();
        body.left = u64::from_str_radix(size, 16).map_err(|_| MessageError::Malformed(line.clone()))?;
        if body.left == 0 {
            while !self.line().await?.is_empty() {}
            body.done = true;
        }
        Ok(())
    }

    async fn line(&mut self) -> Result<String, MessageError> {
        loop {
            if let Some(at) = self.buffer.windows(2).position(|window| window == b"\r\n") {
                let line = self.buffer.split_to(at);
                self.buffer.advance(2);
                return Ok(String::from_utf8_lossy(&line).into_owned());
            }
            self.more().await?;
        }
    }

    async fn more(&mut self) -> Result<(), MessageError> {
        self.buffer.reserve(64 * 1024);
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(MessageError::Ended),
            _ => Ok(()),
        }
    }

    /// Whether the other end has closed the connection and nothing is left to read.
    pub async fn is_over(&mut self) -> bool {
        self.buffer.is_empty() && self.more().await.is_err()
    }
}

impl BodyState {
    /// At the beginning.
    pub fn new(framing: Framing) -> BodyState {
        let left = match framing {
            Framing::Length(bytes) => bytes,
            Framing::Chunked | Framing::UntilClose => 0,
        };
        BodyState {
            framing,
            left,
            done: false,
        }
    }
}

impl Framing {
    /// How the body after `headers` is framed, `otherwise` if they do not say.
    pub fn of(headers: &HeaderMap, otherwise: Framing) -> Framing {
        if headers.contains_key(http::header::TRANSFER_ENCODING) {
            return Framing::Chunked;
        }
        headers
            .get(http::header::CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse().ok())
            .map_or(otherwise, Framing::Length)
    }
}

use bytes::Bytes;

use crate::Gate;

/// What the origin sends for one request: a head, then pieces of a body, with pauses at gates.
#[derive(Clone, Debug)]
pub struct Reply {
    pub(super) interim: Bytes,
    pub(super) before_head: Option<Gate>,
    pub(super) head: Head,
    pub(super) body: Vec<Piece>,
}

#[derive(Clone, Debug)]
pub(super) enum Head {
    Http {
        status: u16,
        headers: Vec<(String, String)>,
        length: Length,
    },
    Raw(Bytes),
    None,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Length {
    Right,
    Stated(u64),
    Chunked,
    UntilClose,
}

#[derive(Clone, Debug)]
pub(super) enum Piece {
    Bytes(Bytes),
    Wait(Gate),
    Close,
}

impl Reply {
    /// A reply with `status` and no body.
    pub fn status(status: u16) -> Reply {
        Reply {
            interim: Bytes::new(),
            before_head: None,
            head: Head::Http {
                status,
                headers: Vec::new(),
                length: Length::Right,
            },
            body: Vec::new(),
        }
    }

    /// A 200 with this body.
    pub fn ok(body: impl Into<Bytes>) -> Reply {
        Reply::status(200).then(body)
    }

    /// These bytes instead of HTTP; then the connection is closed.
    pub fn raw(bytes: impl Into<Bytes>) -> Reply {
        Reply {
            interim: Bytes::new(),
            before_head: None,
            head: Head::Raw(bytes.into()),
            body: vec![Piece::Close],
        }
    }

    /// Nothing; the connection is closed at once.
    pub fn hang_up() -> Reply {
        Reply::raw(Bytes::new())
    }

    /// Nothing, until the other end gives up.
    pub fn silence() -> Reply {
        Reply {
            interim: Bytes::new(),
            before_head: None,
            head: Head::None,
            body: vec![Piece::Wait(Gate::new())],
        }
    }

    pub(super) fn unscripted() -> Reply {
        Reply::status(501)
            .header("cache-control", "no-store")
            .then("the test has no script for this")
    }

    /// With a field.
    pub fn header(mut self, name: &str, value: &str) -> Reply {
        if let Head::Http { headers, .. } = &mut self.head {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// With `Cache-Control: max-age`.
    pub fn max_age(self, secs: u64) -> Reply {
        self.header("cache-control", &format!("max-age={secs}"))
    }

    /// With more of the body.
    pub fn then(mut self, bytes: impl Into<Bytes>) -> Reply {
        self.body.push(Piece::Bytes(bytes.into()));
        self
    }

    /// Sends what comes next once `gate` is open.
    pub fn then_wait(mut self, gate: &Gate) -> Reply {
        self.body.push(Piece::Wait(gate.clone()));
        self
    }

    /// Closes the connection here.
    pub fn then_close(mut self) -> Reply {
        self.body.push(Piece::Close);
        self
    }

    /// Sends the head once `gate` is open.
    pub fn held(mut self, gate: &Gate) -> Reply {
        self.before_head = Some(gate.clone());
        self
    }

    /// With this Content-Length, true or not.
    pub fn content_length(self, bytes: u64) -> Reply {
        self.with_length(Length::Stated(bytes))
    }

    /// With a chunked body; each piece is one chunk.
    pub fn chunked(self) -> Reply {
        self.with_length(Length::Chunked)
    }

    /// After these interim responses, which no gate holds.
    pub fn after(mut self, interim: impl Into<Bytes>) -> Reply {
        self.interim = interim.into();
        self
    }

    /// With a body that ends with the connection.
    pub fn until_close(self) -> Reply {
        self.with_length(Length::UntilClose)
    }

    fn with_length(mut self, to: Length) -> Reply {
        if let Head::Http { length, .. } = &mut self.head {
            *length = to;
        }
        self
    }

    /// The head's bytes. `has_body`: neither the method nor the status forbids a body.
    pub(super) fn head_bytes(&self, has_body: bool) -> Bytes {
        let (status, headers, length) = match &self.head {
            Head::Http {
                status,
                headers,
                length,
            } => (status, headers, length),
            Head::Raw(bytes) => return bytes.clone(),
            Head::None => return Bytes::new(),
        };
        let mut text = format!("HTTP/1.1 {status} Scripted\r\n");
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        match length {
            Length::Right if *status == 304 || *status == 204 || !has_body && self.body.is_empty() => {}
            Length::Right => text.push_str(&format!("content-length: {}\r\n", self.body_bytes())),
            Length::Stated(bytes) => text.push_str(&format!("content-length: {bytes}\r\n")),
            Length::Chunked => text.push_str("transfer-encoding: chunked\r\n"),
            Length::UntilClose => text.push_str("connection: close\r\n"),
        }
        text.push_str("\r\n");
        text.into()
    }

    pub(super) fn is_chunked(&self) -> bool {
        matches!(
            &self.head,
            Head::Http {
                length: Length::Chunked,
                ..
            }
        )
    }

    pub(super) fn ends_with_close(&self) -> bool {
        matches!(
            &self.head,
            Head::Http {
                length: Length::UntilClose,
                ..
            }
        )
    }

    pub(super) fn may_have_body(&self, method: &str) -> bool {
        let by_status = match &self.head {
            Head::Http { status, .. } => *status != 304 && *status != 204,
            Head::Raw(_) | Head::None => true,
        };
        by_status && method != "HEAD"
    }

    fn body_bytes(&self) -> usize {
        self.body
            .iter()
            .map(|piece| match piece {
                Piece::Bytes(bytes) => bytes.len(),
                Piece::Wait(_) | Piece::Close => 0,
            })
            .sum()
    }
}

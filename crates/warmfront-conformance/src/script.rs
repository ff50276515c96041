//! What the origin does in one exchange, and what it saw of it.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::watch;
use warmfront_testkit::{OriginRequest, Reply as Sent};

use crate::scenario::{Framing, Reply};

/// A reply with nothing left open: dates are dates, and there is a body.
#[derive(Clone, Debug)]
pub(crate) struct Spoken {
    pub(crate) status: u16,
    pub(crate) framing: Framing,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// The whole of which `body` is a part.
    whole: Option<String>,
}

/// The origin's side of a scenario. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    n_seen: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct State {
    next: VecDeque<Spoken>,
    seen: Vec<OriginRequest>,
    spoken: Vec<Spoken>,
}

/// The body of a reply that nobody wrote.
pub(crate) const UNSCRIPTED: &str = "the scenario has no reply for this";

impl Script {
    /// From now on the origin says these, each once; what it saw before is forgotten.
    pub(crate) fn begin(&self, replies: impl IntoIterator<Item = Spoken>) {
        let mut state = self.0.state.lock();
        state.next = replies.into_iter().collect();
        state.seen.clear();
        state.spoken.clear();
        self.0.n_seen.send_replace(0);
    }

    /// What the origin says to this request.
    pub(crate) fn speak(&self, request: &OriginRequest) -> Spoken {
        let mut state = self.0.state.lock();
        // Who hangs up does so again when asked again at once.
        let hung_up = state.spoken.last().filter(|spoken| spoken.status == 0).cloned();
        let next = state.next.pop_front().or(hung_up);
        let spoken = next.unwrap_or_else(unscripted).in_answer_to(request);
        state.seen.push(request.clone());
        state.spoken.push(spoken.clone());
        self.0.n_seen.send_replace(state.seen.len());
        spoken
    }

    /// What the origin saw.
    pub(crate) fn seen(&self) -> Vec<OriginRequest> {
        self.0.state.lock().seen.clone()
    }

    /// What it said.
    pub(crate) fn spoken(&self) -> Vec<Spoken> {
        self.0.state.lock().spoken.clone()
    }

    /// Returns once it was asked `n` times.
    pub(crate) async fn asked(&self, n: usize) {
        // The sender is this script's own, so waiting cannot fail.
        let _ = self.0.n_seen.subscribe().wait_for(|seen| *seen >= n).await;
    }
}

fn unscripted() -> Spoken {
    Spoken {
        status: 200,
        framing: Framing::Length,
        headers: vec![("Cache-Control".to_owned(), "no-store".to_owned())],
        body: UNSCRIPTED.to_owned(),
        whole: None,
    }
}

impl Spoken {
    /// A scripted reply, the `n`th of its scenario. `date` makes dates of what stands in braces.
    pub(crate) fn of(reply: &Reply, n: usize, date: &dyn Fn(&str) -> Result<String, String>) -> Result<Spoken, String> {
        let mut headers = Vec::with_capacity(reply.headers.len() + 1);
        for (name, value) in &reply.headers {
            headers.push((name.clone(), date(value)?));
        }
        // RFC 9110 section 6.6.1: an origin with a clock sends Date.
        if reply.status >= 200 && !reply.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("date")) {
            headers.push(("Date".to_owned(), date("{now}")?));
        }
        let body = match &reply.body {
            Some(body) => body.clone(),
            None if matches!(reply.status, 204 | 304) => String::new(),
            None => format!("reply {n}"),
        };
        Ok(Spoken {
            status: reply.status,
            framing: reply.framing,
            headers,
            body: unabridged(&body),
            whole: match reply.status {
                304 => Some(reply.whole.clone().unwrap_or_else(|| format!("reply {n}"))),
                _ => reply.whole.clone(),
            },
        })
    }

    /// The same as an answer to this request: what is asked without a condition is not answered 304, and what is asked without
    /// Range not 206, but by the whole.
    fn in_answer_to(mut self, request: &OriginRequest) -> Spoken {
        let has = |names: &[&str]| names.iter().any(|name| request.headers.contains_key(*name));
        let conditional = has(&["if-none-match", "if-modified-since"]);
        let unasked = self.status == 304 && !conditional || self.status == 206 && !has(&["range"]);
        if let Some(whole) = self.whole.take().filter(|_| unasked) {
            self.status = 200;
            self.body = whole;
            self.headers
                .retain(|(name, _)| !name.to_ascii_lowercase().starts_with("content-range"));
        }
        self
    }

    /// The same where every path begins with `folder`.
    pub(crate) fn below(mut self, folder: &str) -> Spoken {
        for (name, value) in &mut self.headers {
            let names_path = ["location", "content-location"]
                .iter()
                .any(|field| name.eq_ignore_ascii_case(field));
            if names_path && value.starts_with('/') {
                value.insert_str(0, folder);
            }
        }
        self
    }

    /// The same for an origin with sockets.
    pub(crate) fn sent(&self) -> Sent {
        if self.status == 0 {
            return Sent::hang_up();
        }
        let body = Bytes::from(self.body.clone());
        let n_bytes = body.len() as u64;
        let with_body = match self.framing {
            Framing::Length if matches!(self.status, 204 | 304) => Sent::status(self.status),
            Framing::Length => Sent::status(self.status).then(body),
            Framing::Chunked => Sent::status(self.status).then(body).chunked(),
            Framing::Cut => Sent::status(self.status)
                .content_length(n_bytes + 10)
                .then(body)
                .then_close(),
        };
        self.headers
            .iter()
            .fold(with_body, |sent, (name, value)| sent.header(name, value))
    }
}

/// `N x TEXT` stands for so many times the text.
fn unabridged(body: &str) -> String {
    let repeated = body
        .split_once(" x ")
        .and_then(|(n, text)| Some(text.repeat(n.parse().ok()?)));
    repeated.unwrap_or_else(|| body.to_owned())
}

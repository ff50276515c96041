//! An origin that does what a test says, on a loopback port of its own.

mod reply;
mod serve;

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::HeaderMap;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::AbortHandle;

pub use self::reply::Reply;
use crate::gate::within_patience;

/// A request as the origin saw it.
#[derive(Clone, Debug)]
pub struct OriginRequest {
    /// The method.
    pub method: String,
    /// Path and query string.
    pub target: String,
    /// The fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// Which connection it came on, counted from 0.
    pub connection: u64,
}

impl OriginRequest {
    /// The target without its query string.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// A field's value; empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}

type Script = Box<dyn FnMut(&OriginRequest) -> Reply + Send>;

/// A scripted origin. What has no script is answered 501 `no-store`, so that it is noticed. Dropping it closes it.
pub struct Origin {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: AbortHandle,
}

struct Shared {
    scripts: Mutex<HashMap<String, Script>>,
    requests: watch::Sender<Vec<OriginRequest>>,
    sent_bytes: AtomicU64,
    n_broken: watch::Sender<usize>,
}

impl Origin {
    /// Listens on a free port of 127.0.0.1.
    ///
    /// # Panics
    /// If there is none.
    pub async fn start() -> Origin {
        Origin::start_on(0).await
    }

    /// Listens on this port of 127.0.0.1; 0 picks a free one.
    ///
    /// # Panics
    /// If it is taken.
    pub async fn start_on(port: u16) -> Origin {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared {
            scripts: Mutex::default(),
            requests: watch::Sender::default(),
            sent_bytes: AtomicU64::new(0),
            n_broken: watch::Sender::new(0),
        });
        let accepting = tokio::spawn(serve::accept(listener, Arc::clone(&shared))).abort_handle();
        Origin {
            address,
            shared,
            accepting,
        }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Answers requests for `path` (without query string) by `script`.
    pub fn on(&self, path: &str, script: impl FnMut(&OriginRequest) -> Reply + Send + 'static) {
        self.shared.scripts.lock().insert(path.to_owned(), Box::new(script));
    }

    /// Answers requests for `path` with how often it was asked for, to be kept so long.
    pub fn counts(&self, path: &str, max_age_secs: u64) {
        let mut n = 0;
        self.on(path, move |_| {
            n += 1;
            Reply::ok(n.to_string()).max_age(max_age_secs)
        });
    }

    /// Answers every request for `path` alike.
    pub fn reply(&self, path: &str, reply: Reply) {
        self.on(path, move |_| reply.clone());
    }

    /// Answers the requests for `path` in turn; the last reply is for all further ones.
    pub fn replies(&self, path: &str, replies: impl IntoIterator<Item = Reply>) {
        let mut replies: VecDeque<Reply> = replies.into_iter().collect();
        self.on(path, move |_| match replies.len() {
            0 => Reply::unscripted(),
            1 => replies[0].clone(),
            _ => replies.pop_front().unwrap_or_else(Reply::unscripted),
        });
    }

    /// Every request so far, in the order in which their heads and bodies were whole.
    pub fn requests(&self) -> Vec<OriginRequest> {
        self.shared.requests.borrow().clone()
    }

    /// The only request so far.
    ///
    /// # Panics
    /// If there was none, or more than one.
    pub fn only_request(&self) -> OriginRequest {
        let mut requests = self.requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
        requests.remove(0)
    }

    /// The newest request.
    ///
    /// # Panics
    /// If there was none.
    pub fn last_request(&self) -> OriginRequest {
        self.requests().pop().expect("a request")
    }

    /// How many requests there were so far.
    pub fn n_requests(&self) -> usize {
        self.shared.requests.borrow().len()
    }

    /// Returns once there were `n` requests.
    pub async fn received(&self, n: usize) {
        let mut requests = self.shared.requests.subscribe();
        let arrived = requests.wait_for(|requests| requests.len() >= n);
        let _ = within_patience("a request to the origin", arrived).await;
    }

    /// How many bytes of bodies the sockets have taken so far.
    pub fn sent_bytes(&self) -> u64 {
        self.shared.sent_bytes.load(Ordering::Relaxed)
    }

    /// Returns once the other end has closed `n` connections before it had the whole reply.
    pub async fn broken_off(&self, n: usize) {
        let mut n_broken = self.shared.n_broken.subscribe();
        let broken = n_broken.wait_for(|broken| *broken >= n);
        let _ = within_patience("a connection to the origin to be closed", broken).await;
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

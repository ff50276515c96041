//! Stands between the program and the two APIs of a server, and holds the n-th call fast, so that the program can be killed in it.

use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex};

use http::{Request, Response, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::program::Server;

/// Where in the call the program dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// The server has not heard of it.
    BeforeTheCall,
    /// It has taken effect, and the answer has not arrived.
    AfterTheCall,
}

/// What has come of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It hangs in the call.
    Held,
    /// It came to its end before that.
    Ended,
}

/// The gate.
pub struct Gate {
    shared: Arc<Shared>,
    control: SocketAddr,
    bucket: SocketAddr,
    _runtime: Runtime,
}

#[derive(Default)]
struct Shared {
    plan: Mutex<Plan>,
    decided: Condvar,
}

#[derive(Default)]
struct Plan {
    /// How many calls pass before the one that is held, and where it is; `None`: all pass.
    held: Option<(usize, Death)>,
    fate: Option<Fate>,
}

impl Gate {
    /// A gate before `server`, through which everything passes.
    pub fn start(server: &Server) -> Gate {
        let shared = Arc::new(Shared::default());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let open = |listener| runtime.block_on(serve(shared.clone(), server.address(listener)));
        let (control, bucket) = (open("control"), open("bucket"));
        Gate {
            shared,
            control,
            bucket,
            _runtime: runtime,
        }
    }

    /// CloudFront's API and S3's, through the gate.
    pub fn endpoints(&self) -> [String; 2] {
        [self.control, self.bucket].map(|address| format!("http://{address}"))
    }

    /// From now on `n` calls pass, and whatever comes then is held.
    pub fn hold(&self, n: usize, death: Death) {
        *self.shared.plan.lock().unwrap() = Plan {
            held: Some((n, death)),
            fate: None,
        };
    }

    /// From now on everything passes.
    pub fn let_pass(&self) {
        *self.shared.plan.lock().unwrap() = Plan::default();
    }

    /// Says, as the program, that it has ended. Only the first word counts.
    pub fn ended(&self) -> impl FnOnce() + Send + 'static {
        let shared = self.shared.clone();
        move || shared.decide(Fate::Ended)
    }

    /// Waits until the program hangs or has ended.
    pub fn fate(&self) -> Fate {
        let plan = self.shared.plan.lock().unwrap();
        let waits = |plan: &mut Plan| plan.fate.is_none();
        let plan = self.shared.decided.wait_while(plan, waits).unwrap();
        plan.fate.unwrap()
    }
}

impl Shared {
    fn decide(&self, fate: Fate) {
        self.plan.lock().unwrap().fate.get_or_insert(fate);
        self.decided.notify_all();
    }

    /// Where the next call is held; `None` if it passes.
    fn next(&self) -> Option<Death> {
        let (left, death) = self.plan.lock().unwrap().held.as_mut().map(|(left, death)| {
            let before = *left;
            *left = left.saturating_sub(1);
            (before, *death)
        })?;
        (left == 0).then_some(death)
    }
}

async fn serve(shared: Arc<Shared>, behind: String) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let client: Client<HttpConnector, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (shared, client, behind) = (shared.clone(), client.clone(), behind.clone());
            let service = service_fn(move |request| pass(shared.clone(), client.clone(), behind.clone(), request));
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}

async fn pass(
    shared: Arc<Shared>,
    client: Client<HttpConnector, Full<Bytes>>,
    behind: String,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Box<dyn std::error::Error + Send + Sync>> {
    let death = shared.next();
    let (mut head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    if death == Some(Death::BeforeTheCall) {
        shared.decide(Fate::Held);
        return std::future::pending().await;
    }
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    head.uri = Uri::builder()
        .scheme("http")
        .authority(behind)
        .path_and_query(path)
        .build()?;
    head.headers.remove(http::header::EXPECT);
    let answer = client.request(Request::from_parts(head, Full::new(body))).await?;
    let (head, body) = answer.into_parts();
    let body = body.collect().await?.to_bytes();
    if death == Some(Death::AfterTheCall) {
        shared.decide(Fate::Held);
        return std::future::pending().await;
    }
    Ok(Response::from_parts(head, Full::new(body)))
}

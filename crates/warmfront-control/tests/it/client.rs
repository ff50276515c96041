use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{HOST, IF_MATCH};
use http::request::Parts;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tokio::sync::{broadcast, oneshot, watch};
use tokio::task::JoinHandle;
use warmfront_clock::Clock;
use warmfront_control::{Control, ControlOptions, Counts, Grants, Identities, Identity, Node, NodeDetails, Nodes};
use warmfront_facts::OriginAllow;
use warmfront_journal::{Journal, Simulated};
use warmfront_model::{AccountId, Revision, Timestamp};
use warmfront_policy::{Policy, PolicyKind};
use warmfront_signing::{Credentials, Payload, Scope, SecretKey, sign};

use crate::xml;

pub const ACCOUNT: &str = "123456789012";
pub const ROOT_KEY: &str = "AKIAIOSFODNN7EXAMPLE";
pub const DEPLOYER_KEY: &str = "AKIAI44QH8DHBEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// 2026-11-22T12:00:00Z.
pub const NOW: Timestamp = Timestamp(1_795_348_800_000);

/// A control plane on a port of its own.
pub struct Server {
    pub journal: Arc<dyn Journal>,
    pub clock: Clock,
    address: SocketAddr,
    client: HyperClient<HttpConnector, Full<Bytes>>,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
}

/// An answer, all of it.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

/// What a request is made of besides its body.
pub struct Signing<'a> {
    pub key: &'a str,
    pub secret: &'a str,
    pub region: &'a str,
    pub service: &'a str,
    pub at: Timestamp,
}

impl Default for Signing<'_> {
    fn default() -> Self {
        Signing {
            key: ROOT_KEY,
            secret: SECRET,
            region: "us-east-1",
            service: "cloudfront",
            at: NOW,
        }
    }
}

pub fn options(clock: Clock) -> ControlOptions {
    let identity = |arn: &str, grants| Identity {
        arn: arn.to_owned(),
        secret: SecretKey::new(SECRET),
        grants,
    };
    let policy = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":["cloudfront:*Invalidation*","cloudfront:GetDistribution"],
         "Resource":"arn:aws:cloudfront::123456789012:distribution/*"},
        {"Effect":"Allow","Action":"cloudfront:ListCachePolicies","Resource":"*"},
        {"Effect":"Deny","Action":"cloudfront:ListInvalidations","Resource":"*"}]}"#;
    let policy = Policy::parse(policy, PolicyKind::Identity).unwrap();
    let identities = Identities::new([
        (
            ROOT_KEY.to_owned(),
            identity("arn:aws:iam::123456789012:root", Grants::Root),
        ),
        (
            DEPLOYER_KEY.to_owned(),
            identity(
                "arn:aws:iam::123456789012:user/deployer",
                Grants::Policies(vec![policy]),
            ),
        ),
    ]);
    ControlOptions {
        clock,
        signing_clock: Clock::manual(NOW),
        origin_allow: OriginAllow {
            loopback: true,
            networks: Vec::new(),
        },
        ..ControlOptions::new(AccountId::parse(ACCOUNT).unwrap(), identities)
    }
}

/// A POP that reports this position.
pub fn node(name: &str, counts: Counts, applied: watch::Receiver<Revision>) -> Node {
    Node {
        name: name.to_owned(),
        tier: "pop",
        counts,
        applied,
        describe: Box::new(NodeDetails::default),
    }
}

impl Server {
    /// With no node to wait for: everything is Deployed and Completed as soon as it is in the journal.
    pub async fn start() -> Server {
        Server::start_with(Arc::new(Simulated::new(1)), Vec::new(), |_| {}).await
    }

    pub async fn start_with(
        journal: Arc<dyn Journal>,
        applied: Vec<watch::Receiver<Revision>>,
        configure: impl FnOnce(&mut ControlOptions),
    ) -> Server {
        let clock = Clock::manual(NOW);
        let mut options = options(clock.clone());
        configure(&mut options);
        let nodes = Nodes::default();
        for (number, applied) in applied.into_iter().enumerate() {
            let node = node(&format!("node {number}"), Counts::WithProcess, applied);
            nodes.attach(node, broadcast::Sender::new(1).subscribe());
        }
        Server::start_over(journal, clock, options, nodes).await
    }

    pub async fn start_over(journal: Arc<dyn Journal>, clock: Clock, options: ControlOptions, nodes: Nodes) -> Server {
        let control = Control::new(Arc::clone(&journal), options, nodes).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(async move {
            control.serve(listener, async { drop(stopped.await) }).await;
        });
        let client = HyperClient::builder(TokioExecutor::new()).build_http();
        Server {
            journal,
            clock,
            address,
            client,
            stop: Some(stop),
            serving,
        }
    }

    /// Shuts down in order.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        drop(self.client);
        self.serving.await.unwrap();
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None, "").await
    }

    pub async fn post(&self, path: &str, body: &str) -> Answer {
        self.send(Method::POST, path, None, body).await
    }

    pub async fn put(&self, path: &str, if_match: &str, body: &str) -> Answer {
        self.send(Method::PUT, path, Some(if_match), body).await
    }

    pub async fn delete(&self, path: &str, if_match: &str) -> Answer {
        self.send(Method::DELETE, path, Some(if_match), "").await
    }

    pub async fn send(&self, method: Method, path: &str, if_match: Option<&str>, body: &str) -> Answer {
        let mut parts = self.parts(method, path);
        if let Some(if_match) = if_match {
            parts.headers.insert(IF_MATCH, if_match.parse().unwrap());
        }
        self.send_signed(parts, body, &Signing::default()).await
    }

    pub fn parts(&self, method: Method, path: &str) -> Parts {
        let path = if path.starts_with("/warmfront/") {
            path.to_owned()
        } else {
            format!("/2020-05-31/{path}")
        };
        let uri = format!("http://{}{path}", self.address);
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header(HOST, self.address.to_string());
        request.body(()).unwrap().into_parts().0
    }

    pub async fn send_signed(&self, mut parts: Parts, body: &str, signing: &Signing<'_>) -> Answer {
        let credentials = Credentials {
            access_key_id: signing.key.to_owned(),
            secret_access_key: SecretKey::new(signing.secret),
            session_token: None,
        };
        let scope = Scope {
            region: signing.region,
            service: signing.service,
        };
        sign(
            &mut parts,
            Payload::Bytes(body.as_bytes()),
            &credentials,
            scope,
            signing.at,
        )
        .unwrap();
        self.send_as_is(parts, body).await
    }

    pub async fn send_as_is(&self, parts: Parts, body: &str) -> Answer {
        let request = Request::from_parts(parts, Full::new(Bytes::copy_from_slice(body.as_bytes())));
        let (parts, body) = self.client.request(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    /// A new distribution's Id and ETag.
    pub async fn distribution(&self, reference: &str) -> (String, String) {
        let answer = self.post("distribution", &xml::Config::new(reference).build()).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        (answer.text("Id"), answer.header("etag"))
    }

    /// A new invalidation's Id.
    pub async fn invalidation(&self, distribution: &str, reference: &str, paths: &[&str]) -> String {
        let body = xml::batch(reference, paths);
        let answer = self
            .post(&format!("distribution/{distribution}/invalidation"), &body)
            .await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.text("Id")
    }

    /// Returns when the watermark in the journal has reached the newest invalidation there was.
    pub async fn watermark_written(&self, after: Revision) {
        let mut watch = self.journal.watch(after).await.unwrap();
        while watch.next().await.unwrap().unwrap().key != "completed" {}
    }

    /// Gives requests sent before every opportunity to get as far as they can: some round trips that wait for nothing.
    pub async fn let_others_proceed(&self) {
        for _ in 0..50 {
            assert_eq!(self.get("cache-policy?Type=none").await.status, 400);
        }
    }

    pub async fn head(&self) -> Revision {
        self.journal.head().await.unwrap()
    }
}

impl Answer {
    /// The text of the first element of this name.
    pub fn text(&self, element: &str) -> String {
        self.texts(element)
            .into_iter()
            .next()
            .unwrap_or_else(|| panic!("no {element} in {}", self.body))
    }

    /// The texts of all elements of this name that hold nothing but text.
    pub fn texts(&self, element: &str) -> Vec<String> {
        let (begin, end) = (format!("<{element}>"), format!("</{element}>"));
        let after = self.body.split(&begin).skip(1);
        after
            .filter_map(|rest| rest.split_once(&end))
            .map(|(text, _)| text.to_owned())
            .collect()
    }

    pub fn header(&self, name: &str) -> String {
        self.headers
            .get(name)
            .unwrap_or_else(|| panic!("no {name} in {:?}", self.headers))
            .to_str()
            .unwrap()
            .to_owned()
    }

    /// Checks that this is CloudFront's error document with this status and code, and gives its message.
    #[track_caller]
    pub fn error(&self, status: u16, code: &str) -> String {
        assert_eq!(
            (self.status.as_u16(), self.text("Code").as_str()),
            (status, code),
            "{}",
            self.body
        );
        assert_eq!(self.text("Type"), if status >= 500 { "Receiver" } else { "Sender" });
        assert_eq!(self.text("RequestId"), self.header("x-amzn-requestid"));
        assert_eq!(self.header("content-type"), "text/xml");
        assert!(
            self.body
                .contains("<ErrorResponse xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\">")
        );
        self.text("Message")
    }
}

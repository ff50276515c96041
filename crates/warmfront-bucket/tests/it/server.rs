use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use warmfront_bucket::{Bucket, BucketOptions};
use warmfront_clock::Clock;
use warmfront_model::{AccountId, Timestamp};
use warmfront_signing::{Credentials, Payload, Scope, SecretKey, sign};

/// 1994-11-06T08:49:37Z, when every object of a test was last changed.
pub const NOW: Timestamp = Timestamp(784_111_777_000);

/// A bucket server and a client for it.
pub struct Server {
    pub dir: TempDir,
    address: std::net::SocketAddr,
    client: Client<HttpConnector, Full<Bytes>>,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<std::io::Result<()>>>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// By whose key a request is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Root,
    Edge,
    Nobody,
}

impl Server {
    pub async fn start() -> Server {
        Server::start_in(tempfile::tempdir().unwrap()).await
    }

    /// A server on a folder that may have been used before.
    pub async fn start_in(dir: TempDir) -> Server {
        let options = BucketOptions {
            account: AccountId::parse("123456789012").unwrap(),
            region: "us-east-1".to_owned(),
            root: credentials("root"),
            edge: credentials("edge"),
            clock: Clock::manual(NOW),
        };
        let bucket = Bucket::open(dir.path(), options).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(async move {
            bucket
                .serve(listener, async move {
                    let _ = stopped.await;
                })
                .await
        });
        let client = Client::builder(TokioExecutor::new()).build_http();
        Server {
            dir,
            address,
            client,
            stop: Some(stop),
            serving: Some(serving),
        }
    }

    /// Ends the server in good order and gives its folder.
    pub async fn stop(mut self) -> TempDir {
        drop(self.stop.take());
        drop(self.client);
        self.serving.take().unwrap().await.unwrap().unwrap();
        self.dir
    }

    pub async fn create_bucket(&self, name: &str) {
        assert_eq!(self.root("PUT", &format!("/{name}"), "").await.status, 200);
    }

    /// A request signed by the root key.
    pub async fn root(&self, method: &str, path: &str, body: impl Into<Bytes>) -> Answer {
        self.send(Key::Root, method, path, &[], body).await
    }

    pub async fn send(
        &self,
        key: Key,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let (mut parts, body) = self.request(method, path, headers, body);
        sign_by(&mut parts, key, &body);
        self.send_as_is(parts, body).await
    }

    pub fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> (Parts, Bytes) {
        let uri = format!("http://{}{path}", self.address);
        let mut request = Request::builder()
            .method(Method::from_bytes(method.as_bytes()).unwrap())
            .uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", self.address.to_string());
        }
        (request.body(()).unwrap().into_parts().0, body.into())
    }

    pub async fn send_as_is(&self, parts: Parts, body: Bytes) -> Answer {
        let response = self
            .client
            .request(Request::from_parts(parts, Full::new(body)))
            .await
            .unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }
}

impl Answer {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The text of the first element of this name.
    pub fn element(&self, name: &str) -> Option<&str> {
        self.elements(name).into_iter().next()
    }

    /// The texts of all elements of this name.
    pub fn elements(&self, name: &str) -> Vec<&str> {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        self.text()
            .split(&open)
            .skip(1)
            .filter_map(|rest| Some(rest.split_once(&close)?.0))
            .collect()
    }

    /// That this is S3's error document with this status and code.
    #[track_caller]
    pub fn assert_error(&self, status: u16, code: &str) {
        assert_eq!(
            (self.status.as_u16(), self.element("Code")),
            (status, Some(code)),
            "{self:?}"
        );
        assert_eq!(self.element("RequestId"), self.header("x-amz-request-id"));
        assert!(
            self.element("Message").is_some_and(|message| !message.is_empty()),
            "{self:?}"
        );
    }
}

pub fn credentials(name: &str) -> Credentials {
    Credentials {
        access_key_id: format!("AKIA{}", name.to_uppercase()),
        secret_access_key: SecretKey::new(format!("{name}-secret")),
        session_token: None,
    }
}

/// Signs with the system's time, by which the server judges.
pub fn sign_by(parts: &mut Parts, key: Key, body: &Bytes) {
    let name = match key {
        Key::Root => "root",
        Key::Edge => "edge",
        Key::Nobody => return,
    };
    let scope = Scope {
        region: "us-east-1",
        service: "s3",
    };
    sign(
        parts,
        Payload::Bytes(body),
        &credentials(name),
        scope,
        Clock::system().now(),
    )
    .unwrap();
}

use anyhow::Context;
use bytes::Bytes;
use http::header::{AGE, HOST};
use http::{HeaderMap, HeaderName, Request, StatusCode};
use http_body_util::Full;

use super::http::Http;

/// Someone who looks at a distribution's site through the edge, over HTTP.
#[derive(Clone, Debug)]
pub struct Viewer {
    http: Http,
    edge: String,
    host: String,
}

/// What the viewer got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The status.
    pub status: StatusCode,
    /// `x-cache`, such as `Hit from cloudfront`; empty if there is none.
    pub x_cache: String,
    /// `age`; empty if there is none.
    pub age: String,
    /// The body.
    pub body: Bytes,
}

impl Page {
    /// Whether it came out of the cache.
    pub fn is_hit(&self) -> bool {
        self.x_cache == "Hit from cloudfront"
    }

    /// Whether it came from the origin just now.
    pub fn is_miss(&self) -> bool {
        self.x_cache == "Miss from cloudfront"
    }
}

impl Viewer {
    /// A viewer of the distribution `id`, at the edge `http://HOST:PORT`. The host name is sent, not resolved.
    pub fn new(http: Http, edge: &str, id: &str) -> Viewer {
        Viewer {
            http,
            edge: edge.to_owned(),
            host: format!("{}.cloudfront.localhost", id.to_ascii_lowercase()),
        }
    }

    /// The name the distribution answers at.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Gets one page; `path` begins with `/`.
    pub async fn get(&self, path: &str) -> anyhow::Result<Page> {
        let request = Request::get(format!("{}{path}", self.edge))
            .header(HOST, &self.host)
            .body(Full::default())?;
        let answer = self.http.send(request).await.with_context(|| format!("GET {path}"))?;
        Ok(Page {
            status: answer.status,
            x_cache: text(&answer.headers, &HeaderName::from_static("x-cache")),
            age: text(&answer.headers, &AGE),
            body: answer.body,
        })
    }
}

fn text(headers: &HeaderMap, name: &HeaderName) -> String {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_owned()
}

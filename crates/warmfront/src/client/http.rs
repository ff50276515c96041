use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use thiserror::Error;
use warmfront_clock::Clock;
use warmfront_signing::{Credentials, Payload, Scope, Signer};

use crate::command::REGION;
use crate::outcome::Complaint;

/// How long a whole request and its answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The largest answer that is taken in.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// An HTTP client with a pool of connections. Clones share it.
#[derive(Clone, Debug)]
pub struct Http(Client<HttpConnector, Full<Bytes>>);

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// An error as the APIs answer it.
#[derive(Debug, Error)]
#[error("{code} ({status}): {message}")]
pub struct ApiError {
    /// The status.
    pub status: StatusCode,
    /// AWS's name for the error, or the status's reason where the answer has none.
    pub code: String,
    /// What the server says about it.
    pub message: String,
}

impl Http {
    /// A client without connections yet.
    pub fn new() -> Http {
        Http(Client::builder(TokioExecutor::new()).build_http())
    }

    /// Sends a request and takes in the whole answer, whatever its status.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> anyhow::Result<Answer> {
        let target = request.uri().clone();
        let exchange = async {
            let (head, body) = self.0.request(request).await.map_err(explain)?.into_parts();
            let body = Limited::new(body, ANSWER_BYTES_MAX)
                .collect()
                .await
                .map_err(anyhow::Error::from_boxed)?;
            anyhow::Ok(Answer {
                status: head.status,
                headers: head.headers,
                body: body.to_bytes(),
            })
        };
        let answered = tokio::time::timeout(TIMEOUT, exchange).await;
        answered
            .unwrap_or_else(|_| Err(anyhow::anyhow!("no answer within {TIMEOUT:?}")))
            .with_context(|| target.to_string())
    }
}

fn explain(error: hyper_util::client::legacy::Error) -> anyhow::Error {
    if !error.is_connect() {
        return error.into();
    }
    Complaint::failed("nobody answers there")
        .hint("is the server running? start it with: warmfront serve")
        .into()
}

/// One signed API at one address.
#[derive(Clone, Debug)]
pub struct SignedApi {
    http: Http,
    endpoint: String,
    signer: Arc<Signer>,
}

impl SignedApi {
    /// The API `service` (its signing name) at `endpoint`, `http://HOST:PORT`.
    pub fn new(http: Http, endpoint: &str, service: &str, credentials: &Credentials) -> SignedApi {
        let signer = Signer::new(
            credentials,
            Scope {
                region: REGION,
                service,
            },
        );
        SignedApi {
            http,
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            signer: Arc::new(signer),
        }
    }

    /// Sends one request; `path` is percent-encoded and may carry a query.
    ///
    /// # Errors
    /// [`ApiError`] for any status but 2xx, else what went wrong on the way.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, &str)],
        body: impl Into<Bytes>,
    ) -> anyhow::Result<Answer> {
        let body = body.into();
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.endpoint));
        for &(name, value) in headers {
            request = request.header(name, value);
        }
        let (mut parts, ()) = request.body(())?.into_parts();
        let host = parts.uri.authority().context("the endpoint names no host")?.as_str();
        parts.headers.insert(HOST, HeaderValue::from_str(host)?);
        self.signer
            .sign(&mut parts, Payload::Bytes(&body), Clock::system().now())?;
        let answer = self.http.send(Request::from_parts(parts, Full::new(body))).await?;
        if answer.status.is_success() {
            Ok(answer)
        } else {
            Err(api_error(&answer).into())
        }
    }

    /// As [`SignedApi::call`], with an XML body.
    pub async fn call_xml(&self, method: Method, path: &str, body: Vec<u8>) -> anyhow::Result<Answer> {
        self.call(method, path, &[(CONTENT_TYPE.as_str(), "text/xml")], body)
            .await
    }
}

fn api_error(answer: &Answer) -> ApiError {
    if let Ok(OwnError { error }) = serde_json::from_slice(&answer.body) {
        return ApiError {
            status: answer.status,
            code: error.code,
            message: error.message,
        };
    }
    let text = String::from_utf8_lossy(&answer.body);
    let code = element_text(&text, "Code")
        .unwrap_or_else(|| answer.status.canonical_reason().unwrap_or("unknown status").to_owned());
    let message = element_text(&text, "Message").unwrap_or_else(|| text.chars().take(500).collect());
    ApiError {
        status: answer.status,
        code,
        message,
    }
}

/// An error of Warmfront's own API.
#[derive(Deserialize)]
struct OwnError {
    error: CodeAndMessage,
}

#[derive(Deserialize)]
struct CodeAndMessage {
    code: String,
    message: String,
}

/// The text of the first element `name`, with XML's own five entities decoded. Enough for error documents.
fn element_text(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    let entities = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&amp;", "&"),
    ];
    Some(entities.iter().fold(text.to_owned(), |text, (entity, character)| {
        text.replace(entity, character)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, body: &'static str, expected: &str) {
        let answer = Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: Bytes::from_static(body.as_bytes()),
        };
        assert_eq!(api_error(&answer).to_string(), expected);
    }

    #[test]
    fn error_documents_of_both_apis_are_read() {
        check(
            404,
            "<?xml version=\"1.0\"?>\n<ErrorResponse><Error><Type>Sender</Type><Code>NoSuchDistribution</Code>\
             <Message>a &lt;b&gt; &amp;amp; c</Message></Error><RequestId>1</RequestId></ErrorResponse>",
            "NoSuchDistribution (404 Not Found): a <b> &amp; c",
        );
        check(
            409,
            "<Error><Code>BucketAlreadyOwnedByYou</Code><Message>yours</Message></Error>",
            "BucketAlreadyOwnedByYou (409 Conflict): yours",
        );
        check(
            409,
            r#"{"error":{"code":"ClockNotManual","message":"no"},"request_id":"1"}"#,
            "ClockNotManual (409 Conflict): no",
        );
        check(502, "no XML", "Bad Gateway (502 Bad Gateway): no XML");
    }
}

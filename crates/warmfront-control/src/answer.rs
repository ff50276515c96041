use axum::body::Body;
use http::header::{CONTENT_TYPE, ETAG, HeaderName, HeaderValue, LOCATION};
use http::{Response, StatusCode};
use serde::Serialize;
use warmfront_wire::{Document, error_document, to_xml};

use crate::error::ApiError;

const TOKEN: HeaderName = HeaderName::from_static("x-warmfront-token");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// Which of the two APIs is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speech {
    /// CloudFront's.
    Xml,
    /// Warmfront's own.
    Json,
}

impl Speech {
    fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Speech::Xml => "text/xml",
            Speech::Json => "application/json",
        })
    }
}

/// What an operation answers with.
#[derive(Debug)]
pub(crate) struct Answer {
    status: StatusCode,
    speech: Speech,
    headers: Vec<(HeaderName, String)>,
    body: Vec<u8>,
}

impl Answer {
    pub(crate) fn ok<T: Document>(document: &T) -> Answer {
        Answer {
            status: StatusCode::OK,
            speech: Speech::Xml,
            headers: Vec::new(),
            body: to_xml(document),
        }
    }

    /// 201, and where to find it.
    pub(crate) fn created<T: Document>(document: &T, path: &str) -> Answer {
        let location = format!("https://cloudfront.amazonaws.com/2020-05-31/{path}");
        Answer {
            status: StatusCode::CREATED,
            ..Answer::ok(document).with(LOCATION, location)
        }
    }

    pub(crate) fn no_content() -> Answer {
        Answer {
            status: StatusCode::NO_CONTENT,
            speech: Speech::Xml,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub(crate) fn json<T: Serialize>(value: &T) -> Answer {
        let body = serde_json::to_vec_pretty(value).unwrap_or_default();
        Answer {
            status: StatusCode::OK,
            speech: Speech::Json,
            headers: Vec::new(),
            body,
        }
    }

    /// The token of an invalidation: nothing older than it is to be answered to who shows it.
    pub(crate) fn token(self, token: String) -> Answer {
        self.with(TOKEN, token)
    }

    pub(crate) fn etag(self, etag: String) -> Answer {
        self.with(ETAG, etag)
    }

    fn with(mut self, name: HeaderName, value: String) -> Answer {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn into_response(self, request_id: &str) -> Response<Body> {
        let has_body = !self.body.is_empty();
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
        if has_body {
            headers.insert(CONTENT_TYPE, self.speech.content_type());
        }
        name_request(response, request_id)
    }
}

/// The answer to a request that failed.
pub(crate) fn error_response(error: &ApiError, speech: Speech, request_id: &str) -> Response<Body> {
    let (code, message) = (error.code(), error.to_string());
    let (name, status) = match error {
        ApiError::ClockNotManual => ("ClockNotManual", 409),
        ApiError::DryRunUnderWay => ("DryRunUnderWay", 409),
        _ => (code.code(), code.status()),
    };
    let body = match speech {
        Speech::Xml => error_document(code, &message, request_id),
        Speech::Json => {
            let error = serde_json::json!({ "code": name, "message": message });
            serde_json::json!({ "error": error, "request_id": request_id })
                .to_string()
                .into_bytes()
        }
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, speech.content_type());
    name_request(response, request_id)
}

fn name_request(mut response: Response<Body>, request_id: &str) -> Response<Body> {
    if let Ok(request_id) = HeaderValue::try_from(request_id) {
        response.headers_mut().insert(REQUEST_ID, request_id);
    }
    response
}

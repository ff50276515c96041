//! What every answer gets on its way out: S3's request ids, and a complete error document.
//!
//! Source: S3 API reference, "Error responses" and "Common response headers".

use http::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE};
use http::{HeaderValue, Method, StatusCode};
use s3s::{Body, HttpResponse};

use crate::errors;

#[cfg(test)]
mod tests;

/// The ids under which S3 tells of a request.
#[derive(Clone, Debug)]
pub(crate) struct RequestId {
    /// `x-amz-request-id`: 16 characters.
    pub id: String,
    /// `x-amz-id-2`, `HostId` in error documents.
    pub host_id: String,
}

impl RequestId {
    pub(crate) fn random() -> RequestId {
        let id = format!("{:016X}", rand::random::<u64>());
        let host_id: [u8; 48] = rand::random();
        RequestId {
            id,
            host_id: crate::digest::to_base64(&host_id),
        }
    }
}

/// Completes `response` to a request for `path` by `method`.
pub(crate) fn complete(response: &mut HttpResponse, method: &Method, path: &str, request_id: &RequestId) {
    let is_error = response.status().is_client_error() || response.status().is_server_error();
    if is_error && let Some(document) = response.body().bytes() {
        let document = String::from_utf8_lossy(&document);
        let completed = complete_document(&document, path, request_id);
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
        *response.body_mut() = Body::from(completed);
    }
    // The protocol layer sends a HEAD for a range as 200 with the headers of a 206.
    if response.status() == StatusCode::OK && response.headers().contains_key(CONTENT_RANGE) {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    let has_no_body = response.status() == StatusCode::NOT_MODIFIED || is_error && method == Method::HEAD;
    if has_no_body {
        *response.body_mut() = Body::empty();
        response.headers_mut().remove(CONTENT_TYPE);
        response.headers_mut().remove(CONTENT_LENGTH);
    }
    let headers = response.headers_mut();
    for (name, value) in [
        ("x-amz-request-id", &request_id.id),
        ("x-amz-id-2", &request_id.host_id),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    headers.insert(http::header::SERVER, HeaderValue::from_static("AmazonS3"));
}

/// An error document with what S3 says in each: message, resource, ids.
fn complete_document(document: &str, path: &str, request_id: &RequestId) -> String {
    let Some(body) = document.strip_suffix("</Error>") else {
        return document.to_owned();
    };
    let mut completed = body.to_owned();
    if !body.contains("<Message>") {
        let code = body
            .split_once("<Code>")
            .and_then(|(_, rest)| rest.split_once("</Code>"));
        completed.push_str(&format!(
            "<Message>{}</Message>",
            default_message(code.map_or("", |(code, _)| code))
        ));
    }
    completed.push_str(&format!(
        "<Resource>{}</Resource><RequestId>{}</RequestId><HostId>{}</HostId></Error>",
        escape(path),
        request_id.id,
        request_id.host_id
    ));
    completed
}

/// S3's words for the codes that the protocol layer sends without any.
fn default_message(code: &str) -> String {
    let message = match code {
        "SignatureDoesNotMatch" => return errors::signature_mismatch().message().unwrap_or_default().to_owned(),
        "InvalidAccessKeyId" => "The AWS Access Key Id you provided does not exist in our records.",
        "InvalidBucketName" => "The specified bucket is not valid.",
        "InvalidURI" => "Couldn't parse the specified URI.",
        "KeyTooLongError" => "Your key is too long",
        "MalformedXML" => "The XML you provided was not well-formed or did not validate against our published schema",
        "MethodNotAllowed" => "The specified method is not allowed against this resource.",
        "MaxMessageLengthExceeded" => "Your request was too big.",
        "MissingContentLength" => "You must provide the Content-Length HTTP header.",
        "IncompleteBody" => "You did not provide the number of bytes specified by the Content-Length HTTP header",
        "InternalError" => "We encountered an internal error. Please try again.",
        "RequestTimeTooSkewed" => "The difference between the request time and the current time is too large.",
        _ => "The request could not be carried out.",
    };
    message.to_owned()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH};
use http::request::Parts;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use warmfront_wire::{Document, from_xml, query_parameter};

use crate::error::ApiError;
use crate::{ControlOptions, Identities};

/// A body has this long to arrive.
const BODY_SECS_MAX: Duration = Duration::from_secs(30);

/// The largest body that is buffered for someone who does not even name a known access key.
const STRANGERS_BODY_BYTES_MAX: usize = 64 * 1024;

/// A request, all of it.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: String,
    /// As sent, nothing decoded.
    pub(crate) path: String,
    /// As sent, without `?`.
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Call {
    /// Reads a request to its end, within the limits.
    pub(crate) async fn receive(request: Request<Body>, options: &ControlOptions) -> Result<Call, ApiError> {
        let (parts, body) = request.into_parts();
        let known = names_known_key(&parts, &options.identities);
        let bytes_max = if known {
            options.body_bytes_max
        } else {
            options.body_bytes_max.min(STRANGERS_BODY_BYTES_MAX)
        };
        let too_large = || ApiError::BodyTooLarge { bytes_max };
        if content_length(&parts).is_some_and(|length| length > bytes_max as u64) {
            return Err(too_large());
        }
        let body = match tokio::time::timeout(BODY_SECS_MAX, Limited::new(body, bytes_max).collect()).await {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(too_large()),
            Ok(Err(error)) => return Err(ApiError::BodyCutShort(error.to_string())),
            Err(_) => {
                return Err(ApiError::BodyCutShort(format!(
                    "it took more than {} s",
                    BODY_SECS_MAX.as_secs()
                )));
            }
        };
        Ok(Call {
            method: parts.method.as_str().to_owned(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: parts.headers,
            body,
        })
    }

    /// A query parameter, decoded.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        query_parameter(&self.query, name)
    }

    /// The body as a document.
    pub(crate) fn document<T: Document>(&self) -> Result<T, ApiError> {
        Ok(from_xml(&self.body)?)
    }

    #[cfg(test)]
    pub(crate) fn with_query(query: &str) -> Call {
        Call {
            method: "GET".to_owned(),
            path: "/".to_owned(),
            query: query.to_owned(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }
}

fn content_length(parts: &Parts) -> Option<u64> {
    parts.headers.get(CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

/// Whether the credential in the header Authorization, or in the query of a presigned request, names someone known.
/// Proves nothing.
fn names_known_key(parts: &Parts, identities: &Identities) -> bool {
    let authorization = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let in_header = authorization
        .and_then(|value| value.split_once("Credential="))
        .and_then(|(_, credential)| credential.split('/').next())
        .is_some_and(|key| identities.find(key.trim()).is_some());
    in_header
        || query_parameter(parts.uri.query().unwrap_or_default(), "X-Amz-Credential")
            .and_then(|credential| credential.split('/').next().map(str::to_owned))
            .is_some_and(|key| identities.find(&key).is_some())
}

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::header::{AUTHORIZATION, CONTENT_LENGTH, EXPECT};
use http::request::Parts;
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use warmfront_wire::{Document, from_xml, query_parameter};

use crate::error::ApiError;
use crate::server::PeerAddress;
use crate::{ControlOptions, Identities};

/// A body has this long to arrive.
const BODY_SECS_MAX: Duration = Duration::from_secs(30);

/// The largest body that is buffered for someone who does not even name a known access key.
const STRANGERS_BODY_BYTES_MAX: usize = 64 * 1024;

/// How much of a body that is too large is read and dropped before the answer.
const DROPPED_BYTES_MAX: usize = 64 * 1024 * 1024;

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
    /// The address it came from, if that is known.
    pub(crate) peer: Option<IpAddr>,
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
        let announced = content_length(&parts).is_some_and(|length| length > bytes_max as u64);
        if announced && parts.headers.contains_key(EXPECT) {
            return Err(ApiError::BodyTooLarge { bytes_max });
        }
        let body = tokio::time::timeout(BODY_SECS_MAX, collect(body, bytes_max))
            .await
            .unwrap_or_else(|_| {
                Err(ApiError::BodyCutShort(format!(
                    "it took more than {} s",
                    BODY_SECS_MAX.as_secs()
                )))
            })?;
        Ok(Call {
            method: parts.method.as_str().to_owned(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            peer: parts.extensions.get::<PeerAddress>().map(|peer| peer.0),
            headers: parts.headers,
            body,
        })
    }

    /// A query parameter, decoded.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        query_parameter(&self.query, name)
    }

    /// A header's value as text, if it is there.
    pub(crate) fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        self.headers
            .get(name)
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
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
            peer: None,
        }
    }
}

/// The body, if it has at most `bytes_max`. Of one that has more, some is read and dropped: a client that is still sending
/// would otherwise see its connection fail instead of the answer.
async fn collect(mut body: Body, bytes_max: usize) -> Result<Bytes, ApiError> {
    let (mut kept, mut n_bytes) = (BytesMut::new(), 0_usize);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| ApiError::BodyCutShort(error.to_string()))?;
        let Ok(data) = frame.into_data() else { continue };
        n_bytes = n_bytes.saturating_add(data.len());
        if n_bytes <= bytes_max {
            kept.extend_from_slice(&data);
        } else if n_bytes - bytes_max > DROPPED_BYTES_MAX {
            break;
        } else {
            kept = BytesMut::new();
        }
    }
    if n_bytes <= bytes_max {
        Ok(kept.freeze())
    } else {
        Err(ApiError::BodyTooLarge { bytes_max })
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

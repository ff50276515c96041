use http::HeaderMap;
use subtle::ConstantTimeEq;
use warmfront_model::Timestamp;

use crate::canonical::{CanonicalRequest, PathForm};
use crate::claim::Claim;
use crate::key::{SigningKey, string_to_sign};
use crate::{Scope, SecretKey, VerifyError};

#[cfg(test)]
mod tests;

/// How far a request's date may lie from ours, either way, in seconds.
///
/// Source: CloudFront API Reference, "Common Errors", RequestExpired; Amazon S3 API Reference, RequestTimeTooSkewed.
pub const MAX_SKEW_SECS: u64 = 15 * 60;

const PATH_BYTES_MAX: usize = 8 * 1024;
const QUERY_BYTES_MAX: usize = 16 * 1024;
/// S3 allows 8 KiB of headers and 2 KiB of metadata; other services' session tokens need some more.
const HEADER_BYTES_MAX: usize = 32 * 1024;
const HEADERS_MAX: usize = 200;

const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// A request as it arrived.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    /// In capitals, as on the wire.
    pub method: &'a str,
    /// The path as on the wire, nothing decoded, without `?`.
    pub path: &'a str,
    /// What stood after `?`, nothing decoded; empty if nothing did.
    pub query: &'a str,
    /// All headers. Over HTTP/2 the caller puts `:authority` in as `host`.
    pub headers: &'a HeaderMap,
    /// SHA-256 of the body that arrived, in lower-case hexadecimal.
    pub body_sha256: &'a str,
}

/// What the signature says of the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PayloadClaim {
    /// The body is signed, and is what arrived.
    Verified,
    /// `UNSIGNED-PAYLOAD`, or a presigned S3 URL: the signature says nothing of the body.
    Unsigned,
    /// `STREAMING-…`: the body is `aws-chunked`. What it carries (chunk signatures, trailing checksums) is for the
    /// caller to check or to refuse; nothing of the body is verified yet.
    Streaming(String),
}

/// A request that was signed with a known secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Whose secret it was.
    pub access_key_id: String,
    /// The names of the headers that the signature covers, in lower case. Always with `host`.
    pub signed_headers: Vec<String>,
    /// What is known of the body.
    pub payload: PayloadClaim,
    /// When it was signed.
    pub signed_at: Timestamp,
    /// True if the signature came in the query.
    pub presigned: bool,
}

/// Checks that `incoming` was signed for `scope`, close to `now`, with the secret that `secret_of` gives for its access
/// key id. The signature may stand in the Authorization header or in the query (presigned).
///
/// `host` and each `x-amz-*` header present must be signed (Amazon S3 API Reference, "Signature Calculations for the
/// Authorization Header", on CanonicalHeaders; IAM User Guide, "Create a signed AWS API request", for all services).
/// Beyond S3 a body must always match its signature. For S3 see [`Verified::payload`].
///
/// # Errors
/// [`VerifyError`]. Any bytes are an error at worst, never a panic.
pub fn verify(
    incoming: &Incoming<'_>,
    scope: Scope<'_>,
    secret_of: impl Fn(&str) -> Option<SecretKey>,
    now: Timestamp,
) -> Result<Verified, VerifyError> {
    check_limits(incoming)?;
    let claim = Claim::read(incoming.query, incoming.headers)?;
    check_scope(&claim, scope)?;
    check_time(&claim, now)?;
    check_signed_headers(&claim, incoming.headers)?;
    let payload_hash = payload_hash(&claim, scope, incoming)?;
    let secret = secret_of(&claim.access_key_id).ok_or_else(|| VerifyError::UnknownKey {
        access_key_id: claim.access_key_id.clone(),
    })?;

    let expected = signature(incoming, &claim, scope, payload_hash, &secret);
    if !bool::from(expected.ct_eq(&claim.signature)) {
        return Err(VerifyError::SignatureDoesNotMatch);
    }
    Ok(Verified {
        payload: check_payload(payload_hash, incoming.body_sha256)?,
        signed_headers: claim.signed_headers.split(';').map(str::to_owned).collect(),
        signed_at: claim.signed_at,
        presigned: claim.presigned_secs.is_some(),
        access_key_id: claim.access_key_id,
    })
}

fn signature(
    incoming: &Incoming<'_>,
    claim: &Claim,
    scope: Scope<'_>,
    payload_hash: &str,
    secret: &SecretKey,
) -> [u8; 32] {
    let canonical_request = CanonicalRequest {
        method: incoming.method,
        path: incoming.path,
        path_form: if scope.is_s3() { PathForm::Once } else { PathForm::Twice },
        query: incoming.query,
        headers: incoming.headers,
        signed_headers: &claim.signed_headers,
        payload_hash,
    };
    let to_sign = string_to_sign(&claim.amz_date, &claim.day, scope, &canonical_request.to_bytes());
    SigningKey::derive(secret, &claim.day, scope).sign(to_sign.as_bytes())
}

fn check_limits(incoming: &Incoming<'_>) -> Result<(), VerifyError> {
    let header_bytes = incoming
        .headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    for (what, size, max) in [
        ("path", incoming.path.len(), PATH_BYTES_MAX),
        ("query", incoming.query.len(), QUERY_BYTES_MAX),
        ("headers", header_bytes, HEADER_BYTES_MAX),
        ("number of headers", incoming.headers.len(), HEADERS_MAX),
    ] {
        if size > max {
            return Err(VerifyError::TooLarge { what, max });
        }
    }
    Ok(())
}

fn check_scope(claim: &Claim, scope: Scope<'_>) -> Result<(), VerifyError> {
    // The form of the date is checked already: eight digits come first.
    let day = claim.amz_date.get(..8).unwrap_or_default();
    for (part, expected, given) in [
        ("date", day, &claim.day),
        ("region", scope.region, &claim.region),
        ("service", scope.service, &claim.service),
    ] {
        if expected != given {
            return Err(VerifyError::WrongScope {
                part,
                expected: expected.to_owned(),
                given: given.clone(),
            });
        }
    }
    Ok(())
}

fn check_time(claim: &Claim, now: Timestamp) -> Result<(), VerifyError> {
    let signed_at = claim.signed_at;
    let skew_max = std::time::Duration::from_secs(MAX_SKEW_SECS);
    if signed_at > now.plus(skew_max) {
        return Err(VerifyError::Skewed { signed_at });
    }
    match claim.presigned_secs {
        None if now > signed_at.plus(skew_max) => Err(VerifyError::Skewed { signed_at }),
        None => Ok(()),
        Some(secs) => {
            let expired_at = signed_at.plus(std::time::Duration::from_secs(secs));
            if now > expired_at {
                Err(VerifyError::Expired { expired_at })
            } else {
                Ok(())
            }
        }
    }
}

fn check_signed_headers(claim: &Claim, headers: &HeaderMap) -> Result<(), VerifyError> {
    let is_signed = |name: &str| claim.signed_headers.split(';').any(|signed| signed == name);
    let unsigned = std::iter::once("host")
        .chain(
            headers
                .keys()
                .map(|name| name.as_str())
                .filter(|name| name.starts_with("x-amz-")),
        )
        .find(|name| !is_signed(name));
    match unsigned {
        Some(name) => Err(VerifyError::HeaderNotSigned { name: name.to_owned() }),
        None => Ok(()),
    }
}

/// The last line of the canonical request.
///
/// S3 takes what the request says, and `UNSIGNED-PAYLOAD` for a presigned URL that says nothing. Others hash the body.
fn payload_hash<'a>(claim: &Claim, scope: Scope<'_>, incoming: &Incoming<'a>) -> Result<&'a str, VerifyError> {
    if !scope.is_s3() {
        return Ok(incoming.body_sha256);
    }
    let Some(value) = incoming.headers.get("x-amz-content-sha256") else {
        let presigned = claim.presigned_secs.is_some();
        return if presigned {
            Ok(UNSIGNED_PAYLOAD)
        } else {
            Err(VerifyError::MissingContentSha256)
        };
    };
    let text = value
        .to_str()
        .map(str::trim)
        .map_err(|_| VerifyError::InvalidContentSha256)?;
    let is_word = matches!(
        text,
        UNSIGNED_PAYLOAD
            | "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
            | "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
            | "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
    );
    let is_hash = text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if is_word || is_hash {
        Ok(text)
    } else {
        Err(VerifyError::InvalidContentSha256)
    }
}

fn check_payload(payload_hash: &str, body_sha256: &str) -> Result<PayloadClaim, VerifyError> {
    match payload_hash {
        UNSIGNED_PAYLOAD => Ok(PayloadClaim::Unsigned),
        word if word.starts_with("STREAMING-") => Ok(PayloadClaim::Streaming(word.to_owned())),
        hash if hash == body_sha256 => Ok(PayloadClaim::Verified),
        _ => Err(VerifyError::PayloadMismatch),
    }
}

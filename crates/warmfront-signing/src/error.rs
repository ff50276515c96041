use thiserror::Error;
use warmfront_model::Timestamp;

use crate::IncompleteReason;

/// Why a request does not count as signed. Nothing in it is secret.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum VerifyError {
    /// There is no signature at all.
    #[error("the request is not signed")]
    MissingAuthenticationToken,
    /// There is one, but not all of it, or more than one.
    #[error("the signature is incomplete: {what}")]
    IncompleteSignature {
        /// Which part.
        what: IncompleteReason,
    },
    /// Nobody has this access key id.
    #[error("the access key id {access_key_id:?} is unknown")]
    UnknownKey {
        /// The id that was given.
        access_key_id: String,
    },
    /// Signed for another day, region or service.
    #[error("the credential's {part} is {given:?}; it must be {expected:?}")]
    WrongScope {
        /// `date`, `region` or `service`.
        part: &'static str,
        /// What it must be here.
        expected: String,
        /// What the credential says.
        given: String,
    },
    /// Dated more than [`MAX_SKEW_SECS`](crate::MAX_SKEW_SECS) from now; for a presigned URL: in the future.
    #[error("the request is dated more than 15 minutes from now")]
    Skewed {
        /// The request's date.
        signed_at: Timestamp,
    },
    /// A presigned URL past its time.
    #[error("the presigned URL has expired")]
    Expired {
        /// Its last good moment.
        expired_at: Timestamp,
    },
    /// `host` or an `x-amz-*` header is there but not signed.
    #[error("the header {name} is present and must be signed")]
    HeaderNotSigned {
        /// The header.
        name: String,
    },
    /// S3 wants `x-amz-content-sha256` in each request with an Authorization header.
    #[error("the header x-amz-content-sha256 is missing")]
    MissingContentSha256,
    /// `x-amz-content-sha256` is neither a hash nor one of S3's words for a body that is not hashed.
    #[error(
        "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, \
             STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a SHA-256"
    )]
    InvalidContentSha256,
    /// The signature is not the one our canonical request gives with that secret.
    #[error("the signature does not match the request and the secret")]
    SignatureDoesNotMatch,
    /// The signature matches, but the body is not the one that was signed.
    #[error("the body does not match x-amz-content-sha256")]
    PayloadMismatch,
    /// A part of the request is larger than we canonicalise.
    #[error("the {what} is larger than {max}")]
    TooLarge {
        /// `path`, `query`, `headers` (bytes) or `number of headers`.
        what: &'static str,
        /// The limit.
        max: usize,
    },
}

impl From<IncompleteReason> for VerifyError {
    fn from(what: IncompleteReason) -> VerifyError {
        VerifyError::IncompleteSignature { what }
    }
}

//! The one table from our errors to S3's codes, statuses and messages.
//!
//! Source: S3 API reference, "Error responses".

use http::StatusCode;
use s3s::{S3Error, S3ErrorCode, s3_error};

use crate::ingest::IngestError;
use crate::store::{BucketError, ObjectError, StoreError, UploadError};

impl From<StoreError> for S3Error {
    fn from(error: StoreError) -> S3Error {
        tracing::error!(%error, "the bucket's store failed");
        if error.is_storage_full() {
            // S3's disks never fill; 507 is what HTTP has for it, and clients do not retry it as they would a 503.
            return custom(
                "InsufficientStorage",
                StatusCode::INSUFFICIENT_STORAGE,
                "No space is left to store this.",
            );
        }
        match error {
            StoreError::Database(_) | StoreError::Io(_) | StoreError::Corrupt(_) | StoreError::Interrupted => {
                s3_error!(InternalError, "We encountered an internal error. Please try again.")
            }
        }
    }
}

impl From<ObjectError> for S3Error {
    fn from(error: ObjectError) -> S3Error {
        match error {
            ObjectError::NoSuchBucket => no_such_bucket(),
            ObjectError::NoSuchKey => no_such_key(),
            ObjectError::PreconditionFailed => precondition_failed(),
            ObjectError::Store(error) => error.into(),
        }
    }
}

impl From<BucketError> for S3Error {
    fn from(error: BucketError) -> S3Error {
        match error {
            BucketError::NoSuchBucket => no_such_bucket(),
            BucketError::AlreadyOwned => s3_error!(
                BucketAlreadyOwnedByYou,
                "Your previous request to create the named bucket succeeded and you already own it."
            ),
            BucketError::NotEmpty => s3_error!(BucketNotEmpty, "The bucket you tried to delete is not empty"),
            BucketError::TooMany => {
                s3_error!(TooManyBuckets, "You have attempted to create more buckets than allowed")
            }
            BucketError::Store(error) => error.into(),
        }
    }
}

impl From<UploadError> for S3Error {
    fn from(error: UploadError) -> S3Error {
        match error {
            UploadError::NoSuchUpload => s3_error!(
                NoSuchUpload,
                "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted \
                 or completed."
            ),
            UploadError::TooMany => s3_error!(
                ServiceUnavailable,
                "Too many multipart uploads are in progress. Abort some of them and try again."
            ),
            UploadError::InvalidPart => s3_error!(
                InvalidPart,
                "One or more of the specified parts could not be found. The part may not have been uploaded, or the \
                 specified entity tag may not match the part's entity tag."
            ),
            UploadError::InvalidPartOrder => s3_error!(
                InvalidPartOrder,
                "The list of parts was not in ascending order. The parts list must be specified in order by part number."
            ),
            UploadError::EntityTooSmall => s3_error!(
                EntityTooSmall,
                "Your proposed upload is smaller than the minimum allowed object size."
            ),
            UploadError::BadDigest(value) => s3_error!(
                BadDigest,
                "The checksum you specified did not match the checksum of the parts, which is {}.",
                value
            ),
            UploadError::Object(error) => error.into(),
        }
    }
}

impl From<IngestError> for S3Error {
    fn from(error: IngestError) -> S3Error {
        match error {
            IngestError::InvalidDigest => s3_error!(InvalidDigest, "The Content-MD5 you specified is not valid."),
            IngestError::Md5Mismatch => {
                s3_error!(
                    BadDigest,
                    "The Content-MD5 you specified did not match what we received."
                )
            }
            IngestError::InvalidChecksum => {
                s3_error!(InvalidRequest, "Value for x-amz-checksum header is invalid.")
            }
            IngestError::SeveralChecksums => s3_error!(
                InvalidRequest,
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
            ),
            IngestError::ChecksumMismatch(algorithm) => s3_error!(
                BadDigest,
                "The {} you specified did not match the calculated checksum.",
                algorithm.name()
            ),
            IngestError::TrailerMissing => custom(
                "MalformedTrailerError",
                StatusCode::BAD_REQUEST,
                "The request contained trailing data that was not well-formed or did not conform to our published schema.",
            ),
            IngestError::Sha256Mismatch => custom(
                "XAmzContentSHA256Mismatch",
                StatusCode::BAD_REQUEST,
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
            ),
            IngestError::ChunkSignature => signature_mismatch(),
            IngestError::Incomplete => s3_error!(
                IncompleteBody,
                "You did not provide the number of bytes specified by the Content-Length HTTP header"
            ),
            IngestError::TooLarge => {
                s3_error!(EntityTooLarge, "Your proposed upload exceeds the maximum allowed size")
            }
            IngestError::Timeout => s3_error!(
                RequestTimeout,
                "Your socket connection to the server was not read from or written to within the timeout period."
            ),
            IngestError::Store(error) => error.into(),
        }
    }
}

/// An error whose code the protocol layer does not know.
pub(crate) fn custom(code: &'static str, status: StatusCode, message: &'static str) -> S3Error {
    let mut error = S3Error::with_message(S3ErrorCode::Custom(code.into()), message);
    error.set_status_code(status);
    error
}

pub(crate) fn access_denied() -> S3Error {
    s3_error!(AccessDenied, "Access Denied")
}

pub(crate) fn no_such_bucket() -> S3Error {
    s3_error!(NoSuchBucket, "The specified bucket does not exist")
}

pub(crate) fn no_such_key() -> S3Error {
    s3_error!(NoSuchKey, "The specified key does not exist.")
}

pub(crate) fn precondition_failed() -> S3Error {
    s3_error!(
        PreconditionFailed,
        "At least one of the pre-conditions you specified did not hold"
    )
}

pub(crate) fn signature_mismatch() -> S3Error {
    s3_error!(
        SignatureDoesNotMatch,
        "The request signature we calculated does not match the signature you provided. Check your key and signing method."
    )
}

/// For what is known but not there, each under its own name.
pub(crate) fn not_implemented(what: &str) -> S3Error {
    s3_error!(NotImplemented, "{} is not implemented.", what)
}

//! What is stored with an object beside its bytes: system headers, user metadata, and what is refused to be stored.

use std::collections::BTreeMap;

use http::HeaderMap;
use s3s::dto::{ChecksumType, Metadata};
use s3s::{S3Result, s3_error};

use crate::digest::Algorithm;
use crate::errors;
use crate::store::{StoredChecksum, SystemHeaders};

/// Names and values of the user metadata together, in bytes. Source: S3 User Guide, "Working with object metadata".
const METADATA_BYTES_MAX: usize = 2048;

/// What S3 answers with when no Content-Type was given.
const CONTENT_TYPE_DEFAULT: &str = "binary/octet-stream";

/// Checks and keeps a request's user metadata.
pub(super) fn user_metadata(metadata: Option<Metadata>) -> S3Result<BTreeMap<String, String>> {
    let metadata: BTreeMap<String, String> = metadata.into_iter().flatten().collect();
    let n_bytes: usize = metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
    if n_bytes > METADATA_BYTES_MAX {
        return Err(s3_error!(
            MetadataTooLarge,
            "Your metadata headers exceed the maximum allowed metadata size"
        ));
    }
    Ok(metadata)
}

/// Finishes the system headers of a request that stores an object.
///
/// `aws-chunked` is the framing of the request and no encoding of the object. Source: S3 API reference, "Signature
/// Calculations for the Authorization Header: Transferring Payload in Multiple Chunks".
pub(super) fn system_headers(mut headers: SystemHeaders) -> SystemHeaders {
    if let Some(encodings) = headers.content_encoding.take() {
        let kept = encodings
            .split(',')
            .map(str::trim)
            .filter(|name| !name.eq_ignore_ascii_case("aws-chunked"));
        let kept = kept.collect::<Vec<_>>().join(",");
        headers.content_encoding = Some(kept).filter(|kept| !kept.is_empty());
    }
    headers
        .content_type
        .get_or_insert_with(|| CONTENT_TYPE_DEFAULT.to_owned());
    headers
}

/// Refuses what this bucket cannot keep, rather than forgetting it silently.
pub(super) fn refuse_unsupported(headers: &HeaderMap) -> S3Result<()> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let grants = ["full-control", "read", "read-acp", "write-acp"];
    let has_grant = grants
        .iter()
        .any(|grant| headers.contains_key(format!("x-amz-grant-{grant}")));
    // What the owner has anyway is accepted. Source: S3 User Guide, "Controlling ownership of objects and disabling ACLs".
    let changes_acl = text("x-amz-acl").is_some_and(|acl| !matches!(acl, "private" | "bucket-owner-full-control"));
    if has_grant || changes_acl {
        return Err(s3_error!(
            AccessControlListNotSupported,
            "The bucket does not allow ACLs"
        ));
    }
    if text("x-amz-server-side-encryption").is_some_and(|encryption| encryption != "AES256") {
        return Err(errors::not_implemented("Encryption with AWS KMS"));
    }
    let refused = [
        (
            "x-amz-server-side-encryption-customer-algorithm",
            "Encryption with customer-provided keys",
        ),
        (
            "x-amz-copy-source-server-side-encryption-customer-algorithm",
            "Encryption with customer-provided keys",
        ),
        ("x-amz-object-lock-mode", "Object Lock"),
        ("x-amz-object-lock-legal-hold", "Object Lock"),
        ("x-amz-write-offset-bytes", "Appending to an object"),
    ];
    match refused.iter().find(|(name, _)| headers.contains_key(*name)) {
        Some((_, what)) => Err(errors::not_implemented(what)),
        None if text("x-amz-tagging").is_some_and(|tags| !tags.is_empty()) => {
            Err(errors::not_implemented("Object tagging"))
        }
        None => Ok(()),
    }
}

/// A checksum in the five members that S3's answers have for it, and its type.
#[derive(Default)]
pub(super) struct ChecksumMembers {
    pub crc32: Option<String>,
    pub crc32c: Option<String>,
    pub crc64nvme: Option<String>,
    pub sha1: Option<String>,
    pub sha256: Option<String>,
    pub type_: Option<ChecksumType>,
}

impl ChecksumMembers {
    pub(super) fn new(algorithm: Algorithm, value: String) -> ChecksumMembers {
        let mut members = ChecksumMembers::default();
        let member = match algorithm {
            Algorithm::Crc32 => &mut members.crc32,
            Algorithm::Crc32c => &mut members.crc32c,
            Algorithm::Crc64Nvme => &mut members.crc64nvme,
            Algorithm::Sha1 => &mut members.sha1,
            Algorithm::Sha256 => &mut members.sha256,
        };
        *member = Some(value);
        members
    }

    pub(super) fn of(checksum: Option<StoredChecksum>) -> ChecksumMembers {
        let Some(checksum) = checksum else {
            return ChecksumMembers::default();
        };
        let mut members = ChecksumMembers::new(checksum.algorithm, checksum.value);
        members.type_ = Some(checksum_type(checksum.composite));
        members
    }
}

pub(super) fn checksum_type(composite: bool) -> ChecksumType {
    ChecksumType::from_static(if composite {
        ChecksumType::COMPOSITE
    } else {
        ChecksumType::FULL_OBJECT
    })
}

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{ContentId, StoreError};
use crate::digest::Algorithm;

/// What the store keeps of a bucket besides its objects.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct BucketRecord {
    pub created_ms: i64,
    pub region: String,
    /// The bucket policy as it was put, byte for byte.
    pub policy: Option<String>,
    /// `None` once it was deleted: then nothing is blocked.
    pub public_access_block: Option<PublicAccessBlock>,
}

/// S3's four switches against making a bucket public by mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PublicAccessBlock {
    pub block_public_acls: bool,
    pub ignore_public_acls: bool,
    pub block_public_policy: bool,
    pub restrict_public_buckets: bool,
}

impl PublicAccessBlock {
    /// What a new bucket has. Source: S3 User Guide, "Blocking public access to your Amazon S3 storage".
    pub(crate) const ALL: PublicAccessBlock = PublicAccessBlock {
        block_public_acls: true,
        ignore_public_acls: true,
        block_public_policy: true,
        restrict_public_buckets: true,
    };
}

/// Where an object's bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Content {
    /// One file of this name.
    File(ContentId),
    /// The parts of the completed upload of this id.
    Parts(ContentId),
}

/// An object: where its bytes are, and everything a HEAD tells about it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ObjectRecord {
    pub content: Content,
    pub size: u64,
    /// Without quotes: the MD5 in hexadecimal, or of a multipart upload S3's `md5-of-md5s-N`.
    pub etag: String,
    pub modified_ms: i64,
    pub headers: SystemHeaders,
    pub metadata: BTreeMap<String, String>,
    pub checksum: Option<StoredChecksum>,
    /// 0 for an object that was put in one request.
    pub n_parts: u32,
}

/// The headers that S3 stores with an object and sends back with it, as they were given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SystemHeaders {
    pub cache_control: Option<String>,
    pub content_disposition: Option<String>,
    pub content_encoding: Option<String>,
    pub content_language: Option<String>,
    pub content_type: Option<String>,
    /// Seconds since 1970.
    pub expires_unix_secs: Option<i64>,
    pub website_redirect_location: Option<String>,
}

/// A checksum as S3 writes it: base64, and of a composite one `-N` behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredChecksum {
    pub algorithm: Algorithm,
    pub value: String,
    pub composite: bool,
}

/// A multipart upload that was begun and neither completed nor aborted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct UploadRecord {
    pub initiated_ms: i64,
    pub headers: SystemHeaders,
    pub metadata: BTreeMap<String, String>,
    pub algorithm: Algorithm,
    /// Whether the client named the algorithm; S3 lists it only then.
    pub algorithm_given: bool,
    pub composite: bool,
}

/// One part of an upload, or of an object that came from one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PartRecord {
    pub file: ContentId,
    pub size: u64,
    pub md5: [u8; 16],
    pub modified_ms: i64,
    /// By the upload's algorithm, raw.
    pub checksum: Vec<u8>,
}

/// The first byte of every value, so that a later release can tell what it reads.
const VERSION: u8 = 1;

/// A record as it lies in a table: version, then JSON.
pub(super) fn encode(record: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    let mut bytes = vec![VERSION];
    serde_json::to_writer(&mut bytes, record).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    Ok(bytes)
}

/// The record in a table's value.
pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    match bytes.split_first() {
        Some((&VERSION, json)) => serde_json::from_slice(json).map_err(|error| StoreError::Corrupt(error.to_string())),
        Some((version, _)) => Err(StoreError::Corrupt(format!("record of version {version}"))),
        None => Err(StoreError::Corrupt("empty record".to_owned())),
    }
}

//! The rim: a bucket and a distribution, as a release uses them. Two of each: Amazon's, and one in memory for tests; and a folder as
//! a bucket for the state.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::headers::Headers;
use crate::site::Site;

#[cfg(feature = "aws")]
pub mod aws;
pub mod folder;
pub mod memory;

/// Why a call to a bucket or a distribution failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{action} on {resource}: {code}: {message}")]
pub struct TargetError {
    /// What to do about it.
    pub fault: Fault,
    /// The IAM action, such as `s3:PutObject`.
    pub action: &'static str,
    /// The ARN, or the folder.
    pub resource: String,
    /// The service's code.
    pub code: String,
    /// The service's words.
    pub message: String,
}

/// What an error asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Too many requests: slow down, then again.
    Throttled,
    /// The service has trouble, or the connection broke: again.
    Unavailable,
    /// TooManyInvalidationsInProgress: again when others have completed.
    QuotaFull,
    /// A condition did not hold: somebody else has written.
    ConditionFailed,
    /// Not allowed.
    Denied,
    /// The credentials are missing, unknown or over: no permission would help.
    Unidentified,
    /// The bucket lies in another region, which is known from now on: again at once.
    Moved,
    /// Not there.
    NotFound,
    /// Anything else; trying again would not help.
    Refused,
}

/// An object's headers, all that S3 keeps of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredHeaders {
    /// Content-Type.
    pub content_type: Option<String>,
    /// Cache-Control.
    pub cache_control: Option<String>,
    /// Content-Encoding.
    pub content_encoding: Option<String>,
    /// Content-Disposition.
    pub content_disposition: Option<String>,
    /// Content-Language.
    pub content_language: Option<String>,
    /// User metadata: names in lower case, without `x-amz-meta-`.
    pub metadata: BTreeMap<String, String>,
}

/// Files from this size on are sent in parts.
pub const MULTIPART_BYTES_MIN: u64 = 2 * PART_BYTES;

/// A part's size; S3 allows 10,000 parts, so files up to 160 GiB. Tests make do with less.
pub const PART_BYTES: u64 = if cfg!(test) { 16 * 1024 } else { 16 * 1024 * 1024 };

/// The metadata that holds an object's SHA-256.
pub const DIGEST_METADATA: &str = "warmfront-sha256";

/// The metadata that holds cache tags unless the distribution names another. Source: CloudFront Developer Guide, "Invalidate by cache tag".
pub const TAG_METADATA: &str = "cache-tag";

impl StoredHeaders {
    /// What a release stores with a file.
    pub fn new(headers: &Headers, digest: Digest, tag_metadata: &str) -> StoredHeaders {
        let mut stored = StoredHeaders::default();
        stored.adopt(headers, digest, tag_metadata);
        stored
    }

    /// Replaces what a release decides on, and leaves the rest as it is.
    pub fn adopt(&mut self, headers: &Headers, digest: Digest, tag_metadata: &str) {
        self.content_type = Some(headers.content_type.clone());
        self.cache_control = Some(headers.cache_control.clone());
        self.metadata.insert(DIGEST_METADATA.into(), digest.to_string());
        if headers.tags.is_empty() {
            self.metadata.remove(tag_metadata);
        } else {
            self.metadata.insert(tag_metadata.into(), headers.tags.join(","));
        }
    }

    /// The content's digest, if the object says.
    pub fn digest(&self) -> Option<Digest> {
        self.metadata.get(DIGEST_METADATA)?.parse().ok()
    }

    /// The part that a release decides on.
    pub fn headers(&self, tag_metadata: &str) -> Headers {
        let tags = self.metadata.get(tag_metadata).map(String::as_str).unwrap_or_default();
        Headers {
            content_type: self.content_type.clone().unwrap_or_default(),
            cache_control: self.cache_control.clone().unwrap_or_default(),
            tags: tags
                .split(',')
                .map(str::trim)
                .filter(|tag| !tag.is_empty())
                .map(str::to_owned)
                .collect(),
        }
    }
}

/// A key as the bucket lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The key.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// The ETag without quotes: whoever writes new bytes changes it.
    pub etag: String,
}

/// An object without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Bytes.
    pub size: u64,
    /// The ETag without quotes.
    pub etag: String,
    /// The headers.
    pub headers: StoredHeaders,
}

/// What is written.
#[derive(Clone, Debug)]
pub enum Body {
    /// These bytes.
    Bytes(Bytes),
    /// The bytes of this file, of which there must be so many, with this digest.
    File {
        /// Where it is.
        path: PathBuf,
        /// Its length in bytes.
        size: u64,
        /// Its digest: the bucket refuses other bytes.
        digest: Digest,
    },
}

/// When a write may happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Always.
    Any,
    /// Only if the key is not there.
    Absent,
    /// Only if the object still has this ETag.
    Matches(String),
}

/// Where an object lies.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The name of its bucket, as [`Bucket::name`] gives it.
    pub bucket: &'a str,
    /// Its key.
    pub key: &'a str,
}

/// Objects under keys.
#[async_trait]
pub trait Bucket: Send + Sync + fmt::Debug {
    /// What it is called in messages: `s3://NAME`, or a folder.
    fn name(&self) -> String;

    /// The keys that begin with `prefix`, in order.
    ///
    /// `cuts` are keys in order, about a page apart, if some are known: the pieces between them may be listed at the same time. Whatever
    /// they are, the list is whole.
    async fn list(&self, prefix: &str, cuts: &[String]) -> Result<Vec<Listed>, TargetError>;

    /// One object without its bytes; `None` if it is not there.
    async fn head(&self, key: &str) -> Result<Option<Head>, TargetError>;

    /// One object; `None` if it is not there.
    async fn get(&self, key: &str) -> Result<Option<(Bytes, Head)>, TargetError>;

    /// Writes one object, whole or not at all, and gives its ETag.
    async fn put(&self, key: &str, body: Body, headers: &StoredHeaders, on: Condition) -> Result<String, TargetError>;

    /// Copies an object here without its bytes coming to this machine, with these headers in place of its own, and gives the copy's
    /// ETag; `None` if that cannot be done.
    async fn copy(&self, from: Place<'_>, to: &str, headers: &StoredHeaders) -> Result<Option<String>, TargetError>;

    /// Deletes keys; one that is not there is no error.
    async fn delete(&self, keys: &[String]) -> Result<(), TargetError>;
}

/// An invalidation as the service sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalidation {
    /// Its Id.
    pub id: String,
    /// Whether it reads `Completed`.
    pub is_completed: bool,
    /// How many paths it has, if the call tells.
    pub paths: Option<PathCount>,
}

/// An invalidation's paths, as the quotas count them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathCount {
    /// Paths without a wildcard, and tags.
    pub files: u64,
    /// Paths with one.
    pub wildcards: u64,
}

impl PathCount {
    /// Counts paths.
    pub fn of(paths: &[String]) -> PathCount {
        let wildcards = paths.iter().filter(|path| crate::cover::is_wildcard(path)).count();
        PathCount {
            files: (paths.len() - wildcards) as u64,
            wildcards: wildcards as u64,
        }
    }

    /// All of them: each is one path on the bill.
    pub fn sum(self) -> u64 {
        self.files + self.wildcards
    }
}

impl std::ops::Add for PathCount {
    type Output = PathCount;

    fn add(self, other: PathCount) -> PathCount {
        PathCount {
            files: self.files + other.files,
            wildcards: self.wildcards + other.wildcards,
        }
    }
}

/// Distributions and their invalidations.
#[async_trait]
pub trait Cdn: Send + Sync + fmt::Debug {
    /// What a release needs to know of a distribution.
    async fn site(&self, distribution: &str) -> Result<Site, TargetError>;

    /// Creates an invalidation. The same caller reference with the same paths gives the earlier one.
    async fn invalidate(
        &self,
        distribution: &str,
        caller_reference: &str,
        paths: &[String],
    ) -> Result<Invalidation, TargetError>;

    /// Looks at one.
    async fn invalidation(&self, distribution: &str, id: &str) -> Result<Invalidation, TargetError>;

    /// The invalidations created at or after `since_unix_secs`, the newest first. Older ones may be left out after a page whose last one
    /// reads `Completed` and is among `known`.
    async fn invalidations(
        &self,
        distribution: &str,
        since_unix_secs: i64,
        known: &BTreeSet<String>,
    ) -> Result<Vec<Invalidation>, TargetError>;

    /// The Ids of all distributions of the account.
    async fn distributions(&self) -> Result<Vec<String>, TargetError>;
}

/// Copies an object, also between buckets: on the server if it can, else through here. Gives the new object's ETag.
///
/// # Errors
/// [`Fault::NotFound`] if the object is not there.
pub async fn transfer(
    source: &dyn Bucket,
    from: &str,
    target: &dyn Bucket,
    to: &str,
    headers: &StoredHeaders,
) -> Result<String, TargetError> {
    let place = Place {
        bucket: &source.name(),
        key: from,
    };
    if let Some(etag) = target.copy(place, to, headers).await? {
        return Ok(etag);
    }
    let Some((bytes, _)) = source.get(from).await? else {
        return Err(TargetError {
            fault: Fault::NotFound,
            action: "s3:GetObject",
            resource: format!("{}/{from}", source.name()),
            code: "NoSuchKey".into(),
            message: "the object is not there".into(),
        });
    };
    target.put(to, Body::Bytes(bytes), headers, Condition::Any).await
}

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use warmfront_invalidation::{InvalidPath, InvalidationItem, InvalidationMode, UnknownMode};
use warmfront_model::{Distribution, DistributionId, InvalidDistributionId, OriginAccessControl, Revision, Timestamp};
use warmfront_wire::XmlError;
use warmfront_wire::convert::ConfigError;
use warmfront_wire::types::{DistributionConfig, OriginAccessControlConfig};

use crate::{configuration, envelope};

/// A journal value that cannot be read, or a record that cannot be written.
#[derive(Debug, Error)]
pub enum RecordError {
    /// Fewer bytes than every record begins with.
    #[error("the record is cut short")]
    Truncated,
    /// Written by a newer program.
    #[error("the record has version {found}; this program reads up to {supported}: use the newer program")]
    Version {
        /// Its version.
        found: u8,
        /// The newest version this program reads.
        supported: u8,
    },
    /// Neither plain nor zstd.
    #[error("the record is encoded in a way this program does not know ({0})")]
    Encoding(u8),
    /// Compression failed.
    #[error("the record cannot be compressed or decompressed")]
    Compression(#[source] std::io::Error),
    /// Larger than this many bytes when decompressed.
    #[error("the record is larger than {0} bytes")]
    TooLarge(usize),
    /// Not the JSON it should be.
    #[error("the record's JSON cannot be read")]
    Json(#[from] serde_json::Error),
    /// Not the XML document it should be.
    #[error("the record's configuration cannot be read")]
    Xml(#[from] XmlError),
    /// A configuration that this program does not accept.
    #[error("the record's configuration is refused: {0}")]
    Configuration(#[from] ConfigError),
    /// A member record whose life is no hexadecimal number.
    #[error("the record's life is no hexadecimal number")]
    Life,
    /// An invalidation path that this program does not accept.
    #[error("the record's invalidation path is refused: {0}")]
    Path(#[from] InvalidPath),
    /// A distribution's Id that is none.
    #[error(transparent)]
    Distribution(#[from] InvalidDistributionId),
    /// A way to invalidate that this program does not know.
    #[error(transparent)]
    Mode(#[from] UnknownMode),
}

/// A distribution as the journal keeps it: at `distribution/ID`.
#[derive(Clone, Debug)]
pub struct DistributionRecord {
    /// The Id.
    pub id: DistributionId,
    /// `d1234567890abc.cloudfront.net`.
    pub domain_name: Arc<str>,
    /// When it was created.
    pub created: Timestamp,
    /// When its configuration was last written.
    pub last_modified: Timestamp,
    /// Where its configuration was last written: nothing else writes this key, so the ETag derives from it.
    pub revision: Revision,
    /// The configuration as sent, with CloudFront's defaults filled in.
    pub config: DistributionConfig,
    /// The same, validated, as far as it stands for itself: a custom policy counts as one that caches nothing, sends
    /// nothing on and changes no answer. [`PolicySet::resolve`](crate::PolicySet::resolve) gives the distribution with its
    /// policies.
    pub distribution: Arc<Distribution>,
}

#[derive(Serialize, Deserialize)]
struct DistributionValue {
    domain_name: String,
    created_ms: i64,
    last_modified_ms: i64,
    config: String,
}

impl DistributionRecord {
    /// The value that says this. `revision` and `distribution` are not in it: the one comes from the journal, the other
    /// from `config`.
    ///
    /// # Errors
    /// [`RecordError::TooLarge`].
    pub fn encode(&self) -> Result<Bytes, RecordError> {
        encode(&DistributionValue {
            domain_name: self.domain_name.to_string(),
            created_ms: self.created.0,
            last_modified_ms: self.last_modified.0,
            config: configuration::document(&self.config),
        })
    }

    pub(crate) fn decode(id: DistributionId, value: &[u8], revision: Revision) -> Result<Self, RecordError> {
        let value: DistributionValue = decode(value)?;
        let (config, distribution) = configuration::distribution(&id, &value.domain_name, &value.config)?;
        Ok(DistributionRecord {
            id,
            domain_name: value.domain_name.into(),
            created: Timestamp(value.created_ms),
            last_modified: Timestamp(value.last_modified_ms),
            revision,
            config,
            distribution,
        })
    }
}

/// An origin access control as the journal keeps it: at `origin-access-control/ID`.
#[derive(Clone, Debug)]
pub struct OriginAccessControlRecord {
    /// The Id.
    pub id: String,
    /// When it was created.
    pub created: Timestamp,
    /// Where it was last written; the ETag derives from it.
    pub revision: Revision,
    /// The configuration as sent.
    pub config: OriginAccessControlConfig,
    /// The same, validated.
    pub control: OriginAccessControl,
}

#[derive(Serialize, Deserialize)]
struct OriginAccessControlValue {
    created_ms: i64,
    config: String,
}

impl OriginAccessControlRecord {
    /// The value that says this.
    ///
    /// # Errors
    /// [`RecordError::TooLarge`].
    pub fn encode(&self) -> Result<Bytes, RecordError> {
        encode(&OriginAccessControlValue {
            created_ms: self.created.0,
            config: configuration::document(&self.config),
        })
    }

    pub(crate) fn decode(id: String, value: &[u8], revision: Revision) -> Result<Self, RecordError> {
        let value: OriginAccessControlValue = decode(value)?;
        let (config, control) = configuration::origin_access_control(&id, &value.config)?;
        Ok(OriginAccessControlRecord {
            id,
            created: Timestamp(value.created_ms),
            revision,
            config,
            control,
        })
    }
}

/// An invalidation as the journal keeps it: at `invalidation/DISTRIBUTION/HASH`, never rewritten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidationRecord {
    /// The Id, which derives from the distribution and the caller reference.
    pub id: String,
    /// What it is for.
    pub distribution: DistributionId,
    /// When it was created.
    pub created: Timestamp,
    /// Its epoch: everything fetched before it is covered.
    pub revision: Revision,
    /// CallerReference.
    pub caller_reference: String,
    /// The paths and `#tags` as sent.
    pub paths: Vec<String>,
    /// The same, read; one for each path.
    pub items: Vec<InvalidationItem>,
    /// What happens to the covered responses.
    pub mode: InvalidationMode,
    /// Who asked for it.
    pub origin: InvalidationOrigin,
}

/// Who asked for an invalidation, for the audit; empty where it is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvalidationOrigin {
    /// The ARN of who signed the request.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub principal: String,
    /// The address that the request came from.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address: String,
    /// Why, in the caller's words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

#[derive(Serialize, Deserialize)]
struct InvalidationValue {
    created_ms: i64,
    caller_reference: String,
    paths: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mode: Option<String>,
    #[serde(flatten)]
    origin: InvalidationOrigin,
}

impl InvalidationRecord {
    /// The value that says this.
    ///
    /// # Errors
    /// [`RecordError::TooLarge`].
    pub fn encode(&self) -> Result<Bytes, RecordError> {
        encode(&InvalidationValue {
            created_ms: self.created.0,
            caller_reference: self.caller_reference.clone(),
            paths: self.paths.clone(),
            mode: (self.mode != InvalidationMode::Refetch).then(|| self.mode.as_str().to_owned()),
            origin: self.origin.clone(),
        })
    }

    pub(crate) fn decode(distribution: DistributionId, value: &[u8], revision: Revision) -> Result<Self, RecordError> {
        let value: InvalidationValue = decode(value)?;
        let items = value
            .paths
            .iter()
            .map(|path| InvalidationItem::parse(path))
            .collect::<Result<_, _>>()?;
        Ok(InvalidationRecord {
            id: crate::invalidation_id(&distribution, &value.caller_reference),
            distribution,
            created: Timestamp(value.created_ms),
            revision,
            caller_reference: value.caller_reference,
            paths: value.paths,
            items,
            mode: value.mode.map_or(Ok(InvalidationMode::Refetch), |mode| mode.parse())?,
            origin: value.origin,
        })
    }
}

/// The tags of a resource as the journal keeps them: at `tags/ARN`.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TagsRecord {
    /// Value by key.
    pub tags: BTreeMap<String, String>,
}

impl TagsRecord {
    /// The value that says this.
    ///
    /// # Errors
    /// [`RecordError::TooLarge`].
    pub fn encode(&self) -> Result<Bytes, RecordError> {
        encode(self)
    }

    pub(crate) fn decode(value: &[u8]) -> Result<Self, RecordError> {
        decode(value)
    }
}

/// The completion watermark as the journal keeps it: at `completed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompletedRecord {
    /// Every invalidation up to here is Completed.
    pub through: Revision,
}

#[derive(Serialize, Deserialize)]
struct CompletedValue {
    through: u64,
}

impl CompletedRecord {
    /// The value that says this.
    ///
    /// # Errors
    /// None in practice; the signature is that of every record.
    pub fn encode(&self) -> Result<Bytes, RecordError> {
        encode(&CompletedValue {
            through: self.through.0,
        })
    }

    pub(crate) fn decode(value: &[u8]) -> Result<Self, RecordError> {
        let value: CompletedValue = decode(value)?;
        Ok(CompletedRecord {
            through: Revision(value.through),
        })
    }
}

pub(crate) fn encode<T: Serialize>(value: &T) -> Result<Bytes, RecordError> {
    envelope::seal(serde_json::to_vec(value)?)
}

pub(crate) fn decode<T: DeserializeOwned>(value: &[u8]) -> Result<T, RecordError> {
    Ok(serde_json::from_slice(&envelope::open(value)?)?)
}

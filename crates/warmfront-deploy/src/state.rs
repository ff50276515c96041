//! What outlives a run: the releases, how far each has come, the bytes that a rollback needs, and the lock. All of it in a bucket or a folder
//! that the distribution cannot serve.

use std::sync::Arc;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::manifest::Manifest;
use crate::patience::Patience;
use crate::plan::Plan;
use crate::record::Record;
use crate::target::{Body, Bucket, Condition, Fault, StoredHeaders, TargetError};

mod lock;

pub use lock::{Lock, LockError, LockHolder};

/// One line of the list of releases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Its Id.
    pub id: String,
    /// When it was finished, in milliseconds since 1970.
    pub finished_ms: i64,
    /// The release that it brought back, if it was a rollback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_to: Option<String>,
    /// How many files the site had.
    pub n_files: usize,
    /// How many were written.
    pub n_uploads: usize,
    /// How many paths were invalidated.
    pub n_paths: usize,
}

/// The list of releases.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Finished ones whose manifests are kept, the newest last.
    pub finished: Vec<Release>,
    /// Those that began since and were not finished, the newest last.
    pub unfinished: Vec<String>,
}

impl Head {
    /// The release that viewers are meant to see.
    pub fn current(&self) -> Option<&Release> {
        self.finished.last()
    }
}

/// The state cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The bucket or folder fails.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// A document cannot be read.
    #[error("the state's {name} cannot be read: {reason}")]
    Damaged {
        /// The document.
        name: String,
        /// Why.
        reason: String,
    },
    /// A document that others speak of is not there.
    #[error("the state's {0} is missing")]
    Missing(String),
    /// Another run wrote the list of releases meanwhile.
    #[error("another run has changed the list of releases meanwhile")]
    Conflict,
}

/// The state of one site's releases.
#[derive(Clone, Debug)]
pub struct State {
    bucket: Arc<dyn Bucket>,
    prefix: String,
    patience: Patience,
}

impl State {
    /// The state below `prefix` (empty, or ending with `/`). A call that fails is tried again as long as `patience` lasts.
    pub fn new(bucket: Arc<dyn Bucket>, prefix: &str, patience: Patience) -> State {
        State {
            bucket,
            prefix: prefix.into(),
            patience,
        }
    }

    /// Where it is, for messages.
    pub fn name(&self) -> String {
        format!("{}/{}", self.bucket.name(), self.prefix)
    }

    /// The bucket it lies in.
    pub fn bucket(&self) -> &dyn Bucket {
        &*self.bucket
    }

    /// The list of releases, and what to give to [`State::put_head`].
    pub async fn head(&self) -> Result<(Head, Condition), StateError> {
        match self.read("head.json").await? {
            Some((head, etag)) => Ok((head, Condition::Matches(etag))),
            None => Ok((Head::default(), Condition::Absent)),
        }
    }

    /// Replaces the list of releases, if nobody else did since it was read.
    ///
    /// # Errors
    /// [`StateError::Conflict`] if somebody did.
    pub async fn put_head(&self, head: &Head, read: Condition) -> Result<(), StateError> {
        match self.write("head.json", head, read).await {
            Err(StateError::Target(error)) if error.fault == Fault::ConditionFailed => {
                // The answer to an earlier try may have been lost: then it is ours that lies there.
                let (found, _) = self.head().await?;
                if found == *head {
                    Ok(())
                } else {
                    Err(StateError::Conflict)
                }
            }
            done => done.map(|_| ()),
        }
    }

    /// A release's plan.
    pub async fn plan(&self, release: &str) -> Result<Plan, StateError> {
        self.expect(&format!("releases/{release}/plan.json")).await
    }

    /// Writes a release's plan, once.
    pub async fn put_plan(&self, plan: &Plan) -> Result<(), StateError> {
        let name = format!("releases/{}/plan.json", plan.release);
        self.write(&name, plan, Condition::Any).await.map(|_| ())
    }

    /// How far a release has come; `None` before its first step is finished.
    pub async fn record(&self, release: &str) -> Result<Option<Record>, StateError> {
        let found = self.read(&format!("releases/{release}/record.json")).await?;
        Ok(found.map(|(record, _)| record))
    }

    /// Writes how far a release has come.
    pub async fn put_record(&self, record: &Record) -> Result<(), StateError> {
        let name = format!("releases/{}/record.json", record.release);
        self.write(&name, record, Condition::Any).await.map(|_| ())
    }

    /// A finished release's files.
    pub async fn manifest(&self, release: &str) -> Result<Manifest, StateError> {
        self.expect(&format!("releases/{release}/manifest.json")).await
    }

    /// Writes a finished release's files.
    pub async fn put_manifest(&self, release: &str, manifest: &Manifest) -> Result<(), StateError> {
        let name = format!("releases/{release}/manifest.json");
        self.write(&name, manifest, Condition::Any).await.map(|_| ())
    }

    /// Forgets a release.
    pub async fn forget(&self, release: &str) -> Result<(), StateError> {
        let keys = ["plan", "record", "manifest"].map(|name| format!("{}releases/{release}/{name}.json", self.prefix));
        self.delete(&keys).await
    }

    /// The key under which bytes with this digest are kept.
    pub fn kept_key(&self, digest: Digest) -> String {
        format!("{}objects/{digest}", self.prefix)
    }

    /// The contents that are kept.
    pub async fn kept(&self) -> Result<std::collections::BTreeSet<Digest>, StateError> {
        let prefix = format!("{}objects/", self.prefix);
        let listed = self.patience.attempt(|| self.bucket.list(&prefix, &[])).await?;
        Ok(listed
            .iter()
            .filter_map(|listed| listed.key.strip_prefix(&prefix)?.parse().ok())
            .collect())
    }

    /// Drops kept bytes.
    pub async fn drop_kept(&self, digests: &[Digest]) -> Result<(), StateError> {
        let keys: Vec<String> = digests.iter().map(|digest| self.kept_key(*digest)).collect();
        self.delete(&keys).await
    }

    /// Reads a document of another kind; `None` if it is not there.
    pub async fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<(T, String)>, StateError> {
        let key = format!("{}{name}", self.prefix);
        let Some((bytes, head)) = self.patience.attempt(|| self.bucket.get(&key)).await? else {
            return Ok(None);
        };
        let damaged = |error: serde_json::Error| StateError::Damaged {
            name: name.into(),
            reason: error.to_string(),
        };
        Ok(Some((serde_json::from_slice(&bytes).map_err(damaged)?, head.etag)))
    }

    /// Writes a document and gives its ETag. If an answer is lost on the way, a condition fails on what this call has written itself.
    pub async fn write<T: Serialize>(&self, name: &str, value: &T, condition: Condition) -> Result<String, StateError> {
        let damaged = |error: serde_json::Error| StateError::Damaged {
            name: name.into(),
            reason: error.to_string(),
        };
        let body = Body::Bytes(Bytes::from(serde_json::to_vec(value).map_err(damaged)?));
        let headers = StoredHeaders {
            content_type: Some("application/json".into()),
            cache_control: Some("no-store".into()),
            ..StoredHeaders::default()
        };
        let key = format!("{}{name}", self.prefix);
        let put = || self.bucket.put(&key, body.clone(), &headers, condition.clone());
        Ok(self.patience.attempt(put).await?)
    }

    async fn delete(&self, keys: &[String]) -> Result<(), StateError> {
        Ok(self.patience.attempt(|| self.bucket.delete(keys)).await?)
    }

    async fn expect<T: DeserializeOwned>(&self, name: &str) -> Result<T, StateError> {
        let found = self.read(name).await?;
        found
            .map(|(value, _)| value)
            .ok_or_else(|| StateError::Missing(name.into()))
    }
}

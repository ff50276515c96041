//! A folder as a bucket.

use std::io;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;

use super::{Body, Bucket, Condition, Fault, Head, Listed, Place, StoredHeaders, TargetError};
use crate::digest::Digest;

/// A folder as a bucket for the state: keys are file names, ETags are digests, headers are not kept.
#[derive(Debug)]
pub struct FolderBucket {
    root: PathBuf,
}

impl FolderBucket {
    /// The bucket in `root`, which need not exist yet.
    pub fn new(root: impl Into<PathBuf>) -> FolderBucket {
        FolderBucket { root: root.into() }
    }

    fn error(&self, action: &'static str, key: &str, error: &io::Error) -> TargetError {
        let fault = match error.kind() {
            io::ErrorKind::NotFound => Fault::NotFound,
            io::ErrorKind::PermissionDenied => Fault::Denied,
            io::ErrorKind::AlreadyExists => Fault::ConditionFailed,
            _ => Fault::Refused,
        };
        TargetError {
            fault,
            action,
            resource: self.root.join(key).display().to_string(),
            code: format!("{:?}", error.kind()),
            message: error.to_string(),
        }
    }

    fn read(&self, key: &str) -> Result<Option<Bytes>, TargetError> {
        match std::fs::read(self.root.join(key)) {
            Ok(bytes) => Ok(Some(bytes.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.error("read", key, &error)),
        }
    }

    /// While it is held no other process writes: what a condition saw stays true until the write.
    fn guard(&self) -> io::Result<std::fs::File> {
        std::fs::create_dir_all(&self.root)?;
        let guard = std::fs::File::create(self.root.join(".guard.part"))?;
        guard.lock()?;
        Ok(guard)
    }

    /// Writes beside the place, then renames; `create_new` of a link makes "only if absent" hold between processes.
    fn write(&self, key: &str, bytes: &[u8], only_if_absent: bool) -> io::Result<()> {
        let path = self.root.join(key);
        let parent = path.parent().unwrap_or(&self.root);
        std::fs::create_dir_all(parent)?;
        let staged = parent.join(format!(".{:016x}.part", rand::random::<u64>()));
        std::fs::write(&staged, bytes)?;
        std::fs::File::open(&staged)?.sync_all()?;
        let placed = if only_if_absent {
            std::fs::hard_link(&staged, &path).and_then(|()| std::fs::remove_file(&staged))
        } else {
            std::fs::rename(&staged, &path)
        };
        if placed.is_err() {
            let _ = std::fs::remove_file(&staged);
        }
        placed
    }

    fn head_of(bytes: &[u8]) -> Head {
        Head {
            size: bytes.len() as u64,
            etag: Digest::of(bytes).to_string(),
            headers: StoredHeaders::default(),
        }
    }

    fn walk(&self, folder: &Path, into: &mut Vec<PathBuf>) -> io::Result<()> {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                self.walk(&path, into)?;
            } else if path.extension().is_none_or(|extension| extension != "part") {
                into.push(path);
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Bucket for FolderBucket {
    fn name(&self) -> String {
        self.root.display().to_string()
    }

    async fn list(&self, prefix: &str, _: &[String]) -> Result<Vec<Listed>, TargetError> {
        let mut paths = Vec::new();
        match self.walk(&self.root, &mut paths) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(self.error("list", prefix, &error)),
            _ => {}
        }
        let mut listed = Vec::new();
        for path in paths {
            let key = path
                .strip_prefix(&self.root)
                .unwrap_or(&path)
                .to_string_lossy()
                .into_owned();
            if !key.starts_with(prefix) {
                continue;
            }
            let size = std::fs::metadata(&path).map(|metadata| metadata.len()).unwrap_or(0);
            listed.push(Listed {
                key,
                size,
                etag: String::new(),
            });
        }
        listed.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(listed)
    }

    async fn head(&self, key: &str) -> Result<Option<Head>, TargetError> {
        Ok(self.read(key)?.map(|bytes| FolderBucket::head_of(&bytes)))
    }

    async fn get(&self, key: &str) -> Result<Option<(Bytes, Head)>, TargetError> {
        Ok(self.read(key)?.map(|bytes| {
            let head = FolderBucket::head_of(&bytes);
            (bytes, head)
        }))
    }

    async fn put(&self, key: &str, body: Body, _: &StoredHeaders, on: Condition) -> Result<String, TargetError> {
        let bytes = match body {
            Body::Bytes(bytes) => bytes,
            Body::File { path, .. } => std::fs::read(&path)
                .map_err(|error| self.error("read", key, &error))?
                .into(),
        };
        let written = |error| self.error("write", key, &error);
        let guard = self.guard().map_err(written)?;
        if let Condition::Matches(etag) = &on {
            let current = self.head(key).await?.map(|head| head.etag);
            if current.as_ref() != Some(etag) {
                return Err(TargetError {
                    fault: Fault::ConditionFailed,
                    action: "write",
                    resource: self.root.join(key).display().to_string(),
                    code: "PreconditionFailed".into(),
                    message: "somebody else has written it".into(),
                });
            }
        }
        self.write(key, &bytes, on == Condition::Absent).map_err(written)?;
        drop(guard);
        Ok(Digest::of(&bytes).to_string())
    }

    async fn copy(&self, _: Place<'_>, _: &str, _: &StoredHeaders) -> Result<Option<String>, TargetError> {
        Ok(None)
    }

    async fn delete(&self, keys: &[String]) -> Result<(), TargetError> {
        for key in keys {
            match std::fs::remove_file(self.root.join(key)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(self.error("delete", key, &error)),
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn conditions_hold() {
        let folder = tempfile::tempdir().unwrap();
        let bucket = FolderBucket::new(folder.path().join("state"));
        let put = |text: &'static str, condition| {
            let bucket = &bucket;
            async move {
                let body = Body::Bytes(Bytes::from_static(text.as_bytes()));
                bucket
                    .put("locks/one", body, &StoredHeaders::default(), condition)
                    .await
            }
        };
        assert!(bucket.list("", &[]).await.unwrap().is_empty());
        let first = put("1", Condition::Absent).await.unwrap();
        assert_eq!(
            put("2", Condition::Absent).await.unwrap_err().fault,
            Fault::ConditionFailed
        );
        put("2", Condition::Matches(first.clone())).await.unwrap();
        assert_eq!(
            put("3", Condition::Matches(first)).await.unwrap_err().fault,
            Fault::ConditionFailed
        );
        assert_eq!(&bucket.get("locks/one").await.unwrap().unwrap().0[..], b"2");
        let keys: Vec<String> = bucket
            .list("locks/", &[])
            .await
            .unwrap()
            .into_iter()
            .map(|listed| listed.key)
            .collect();
        assert_eq!(keys, ["locks/one"]);
        bucket.delete(&["locks/one".into(), "locks/none".into()]).await.unwrap();
        assert_eq!(bucket.head("locks/one").await.unwrap(), None);
    }
}

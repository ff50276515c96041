use redb::{ReadableTable, ReadableTableMetadata};
use thiserror::Error;

use super::database::{PARTS, UPLOADS};
use super::objects::{ObjectError, Superseded, require_bucket, take_content};
use super::record::{decode, encode};
use super::{Content, ContentId, PartRecord, StagedFile, Store, StoreError, UploadRecord};

/// Names an upload; the files of its parts belong to it.
pub(crate) type UploadId = ContentId;

/// Uploads neither completed nor aborted, in all buckets. S3 has no such limit; a disk does.
const UPLOADS_MAX: u64 = 10_000;

/// Why an upload could not go on.
#[derive(Debug, Error)]
pub(crate) enum UploadError {
    #[error("the upload does not exist")]
    NoSuchUpload,
    #[error("there are as many uploads as there may be")]
    TooMany,
    #[error("a part is missing, or its ETag or checksum is another")]
    InvalidPart,
    #[error("the parts are not in ascending order")]
    InvalidPartOrder,
    #[error("a part that is not the last is smaller than 5 MiB")]
    EntityTooSmall,
    #[error("the object's checksum is another: {0}")]
    BadDigest(String),
    #[error(transparent)]
    Object(#[from] ObjectError),
}

impl From<StoreError> for UploadError {
    fn from(error: StoreError) -> UploadError {
        UploadError::Object(error.into())
    }
}

macro_rules! from_redb {
    ($($error:ident),*) => {
        $(impl From<redb::$error> for UploadError {
            fn from(error: redb::$error) -> UploadError {
                StoreError::from(error).into()
            }
        })*
    };
}
from_redb!(TableError, StorageError);

/// A part as the client names it to complete an upload.
#[derive(Clone, Debug)]
pub(crate) struct CompletedPart {
    pub number: u32,
    /// Without quotes.
    pub etag: String,
    /// By the upload's algorithm, raw, if the client gave it.
    pub checksum: Option<Vec<u8>>,
}

/// Some entries in order, and whether there are more.
#[derive(Debug)]
pub(crate) struct Page<T> {
    pub entries: Vec<T>,
    pub is_truncated: bool,
}

/// Which uploads to list.
#[derive(Clone, Debug, Default)]
pub(crate) struct UploadsQuery {
    pub prefix: String,
    /// Only uploads of greater keys, or of this key with a greater id.
    pub after: Option<(String, Option<UploadId>)>,
    pub n_max: usize,
}

impl Store {
    /// Begins an upload.
    pub(crate) fn create_upload(
        &self,
        bucket: &str,
        key: &str,
        record: &UploadRecord,
    ) -> Result<UploadId, UploadError> {
        let id = ContentId::random();
        self.database.write(|transaction| {
            require_bucket(transaction, bucket)?;
            let mut uploads = transaction.open_table(UPLOADS)?;
            if uploads.len()? >= UPLOADS_MAX {
                return Err(UploadError::TooMany);
            }
            uploads.insert((bucket, key, id.0), encode(record)?.as_slice())?;
            Ok(id)
        })
    }

    /// The upload of this name and id.
    pub(crate) fn upload(&self, bucket: &str, key: &str, id: UploadId) -> Result<UploadRecord, UploadError> {
        self.database.read(|transaction| {
            let record = transaction.open_table(UPLOADS)?.get((bucket, key, id.0))?;
            Ok(decode(record.ok_or(UploadError::NoSuchUpload)?.value())?)
        })
    }

    /// Adds a part, in the place of the one that had its number.
    pub(crate) fn put_part(
        &self,
        (bucket, key, id): (&str, &str, UploadId),
        number: u32,
        part: &PartRecord,
        staged: StagedFile,
    ) -> Result<(), UploadError> {
        let outcome = self.database.write(|transaction| {
            if transaction.open_table(UPLOADS)?.get((bucket, key, id.0))?.is_none() {
                return Err(UploadError::NoSuchUpload);
            }
            let mut parts = transaction.open_table(PARTS)?;
            let old = parts.insert((id.0, number), encode(part)?.as_slice())?;
            Ok(old.map(|old| decode::<PartRecord>(old.value())).transpose()?)
        });
        match outcome {
            Ok(old) => {
                staged.keep();
                self.release(old.map(|old| Superseded {
                    content: old.file,
                    files: vec![old.file],
                }));
                Ok(())
            }
            // As for objects: what a failed commit left is found out at the next start.
            Err(UploadError::Object(ObjectError::Store(error))) => {
                staged.keep();
                Err(error.into())
            }
            Err(refused) => Err(refused),
        }
    }

    /// The upload, and up to `n_max` of its parts with numbers greater than `after`.
    pub(crate) fn parts(
        &self,
        (bucket, key, id): (&str, &str, UploadId),
        after: u32,
        n_max: usize,
    ) -> Result<(UploadRecord, Page<(u32, PartRecord)>), UploadError> {
        let upload = self.upload(bucket, key, id)?;
        let mut found = Vec::new();
        self.database
            .read(|transaction| {
                let first = after.saturating_add(1);
                for entry in transaction.open_table(PARTS)?.range((id.0, first)..=(id.0, u32::MAX))? {
                    let (number, part) = entry?;
                    if found.len() == n_max {
                        return Ok(true);
                    }
                    found.push((number.value().1, decode(part.value())?));
                }
                Ok::<_, UploadError>(false)
            })
            .map(|is_truncated| {
                (
                    upload,
                    Page {
                        entries: found,
                        is_truncated,
                    },
                )
            })
    }

    /// Ends an upload and removes its parts.
    pub(crate) fn abort_upload(&self, bucket: &str, key: &str, id: UploadId) -> Result<(), UploadError> {
        let superseded = self.database.write(|transaction| {
            if transaction.open_table(UPLOADS)?.remove((bucket, key, id.0))?.is_none() {
                return Err(UploadError::NoSuchUpload);
            }
            Ok(take_content(&mut transaction.open_table(PARTS)?, Content::Parts(id))?)
        })?;
        self.release([superseded]);
        Ok(())
    }

    /// One page of the uploads of a bucket, by key and then by id.
    pub(crate) fn uploads(
        &self,
        bucket: &str,
        query: &UploadsQuery,
    ) -> Result<Page<(String, UploadId, UploadRecord)>, UploadError> {
        self.database.read(|transaction| {
            let from = match &query.after {
                Some((key, id)) if *key >= query.prefix => (bucket, key.as_str(), id.map_or(u128::MAX, |id| id.0)),
                _ => (bucket, query.prefix.as_str(), 0),
            };
            let mut found = Vec::new();
            for entry in transaction.open_table(UPLOADS)?.range(from..)? {
                let (name, record) = entry?;
                let (found_in, key, id) = name.value();
                if found_in != bucket || !key.starts_with(&query.prefix) {
                    break;
                }
                if query.after.is_some() && (found_in, key, id) == from {
                    continue;
                }
                if found.len() == query.n_max {
                    return Ok(Page {
                        entries: found,
                        is_truncated: query.n_max > 0,
                    });
                }
                found.push((key.to_owned(), ContentId(id), decode(record.value())?));
            }
            Ok(Page {
                entries: found,
                is_truncated: false,
            })
        })
    }
}

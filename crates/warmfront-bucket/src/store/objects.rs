use redb::{ReadableTable, Table, WriteTransaction};
use thiserror::Error;

use super::database::{BUCKETS, OBJECTS, PARTS};
use super::record::{decode, encode};
use super::{Content, ContentId, ObjectRecord, PartRecord, Pin, StagedFile, Store, StoreError};

/// Why an object could not be read or changed.
#[derive(Debug, Error)]
pub(crate) enum ObjectError {
    #[error("the bucket does not exist")]
    NoSuchBucket,
    #[error("the key does not exist")]
    NoSuchKey,
    #[error("a condition of the request does not hold")]
    PreconditionFailed,
    #[error(transparent)]
    Store(#[from] StoreError),
}

macro_rules! from_redb {
    ($($error:ident),*) => {
        $(impl From<redb::$error> for ObjectError {
            fn from(error: redb::$error) -> ObjectError {
                ObjectError::Store(error.into())
            }
        })*
    };
}
from_redb!(TableError, StorageError);

/// What must hold of the object there is, for a write to happen.
///
/// Source: S3 User Guide, "How to prevent object overwrites with conditional writes".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WriteCondition {
    Always,
    /// `If-None-Match: *`.
    IfAbsent,
    /// `If-Match: *`.
    IfPresent,
    /// `If-Match` with an ETag, without quotes.
    IfMatch(String),
}

impl WriteCondition {
    pub(super) fn check(&self, existing: Option<&ObjectRecord>) -> Result<(), ObjectError> {
        match (self, existing) {
            (WriteCondition::Always, _) | (WriteCondition::IfAbsent, None) | (WriteCondition::IfPresent, Some(_)) => {
                Ok(())
            }
            (WriteCondition::IfMatch(etag), Some(record)) if record.etag == *etag => Ok(()),
            (WriteCondition::IfPresent | WriteCondition::IfMatch(_), None) => Err(ObjectError::NoSuchKey),
            (WriteCondition::IfAbsent | WriteCondition::IfMatch(_), Some(_)) => Err(ObjectError::PreconditionFailed),
        }
    }
}

/// An object whose bytes stay in place while this lives.
pub(crate) struct Opened {
    pub record: ObjectRecord,
    /// The files in order, with their sizes.
    pub pieces: Vec<(ContentId, u64)>,
    /// The numbers of the parts that the pieces came from; empty if the object was put in one request.
    pub part_numbers: Vec<u32>,
    pub pin: Pin,
}

impl Opened {
    /// Where the bytes of part `number` are; an object that was put in one request is its own part 1.
    pub(crate) fn part(&self, number: u32) -> Option<std::ops::Range<u64>> {
        if self.part_numbers.is_empty() {
            return (number == 1).then_some(0..self.record.size);
        }
        let index = self.part_numbers.iter().position(|&found| found == number)?;
        let start: u64 = self.pieces[..index].iter().map(|piece| piece.1).sum();
        Some(start..start + self.pieces[index].1)
    }
}

/// A content that no record names any more, and its files.
pub(super) struct Superseded {
    pub content: ContentId,
    pub files: Vec<ContentId>,
}

impl Store {
    /// Finds an object and keeps its bytes in place.
    pub(crate) fn open_object(&self, bucket: &str, key: &str) -> Result<Opened, ObjectError> {
        let (pin, (record, pieces, part_numbers)) = self.pins.pin(|| {
            self.database.read(|transaction| {
                let record = transaction.open_table(OBJECTS)?.get((bucket, key))?;
                let record: ObjectRecord = decode(record.ok_or(ObjectError::NoSuchKey)?.value())?;
                let (mut pieces, mut part_numbers) = (Vec::new(), Vec::new());
                let content = match record.content {
                    Content::File(file) => {
                        pieces.push((file, record.size));
                        file
                    }
                    Content::Parts(upload) => {
                        for entry in transaction
                            .open_table(PARTS)?
                            .range((upload.0, 0)..=(upload.0, u32::MAX))?
                        {
                            let (number, part) = entry?;
                            let part: PartRecord = decode(part.value())?;
                            pieces.push((part.file, part.size));
                            part_numbers.push(number.value().1);
                        }
                        upload
                    }
                };
                Ok::<_, ObjectError>((content, (record, pieces, part_numbers)))
            })
        })?;
        Ok(Opened {
            record,
            pieces,
            part_numbers,
            pin,
        })
    }

    /// Makes `record` the object of this name if `condition` holds; `staged` are its bytes.
    pub(crate) fn put_object(
        &self,
        bucket: &str,
        key: &str,
        record: &ObjectRecord,
        condition: &WriteCondition,
        staged: StagedFile,
    ) -> Result<(), ObjectError> {
        let outcome = self.database.write(|transaction| {
            require_bucket(transaction, bucket)?;
            replace(transaction, bucket, key, record, condition)
        });
        match outcome {
            Ok(superseded) => {
                staged.keep();
                self.release(superseded);
                Ok(())
            }
            // A commit that failed may yet be found committed: the next start's sweep decides about the file.
            Err(ObjectError::Store(error)) => {
                staged.keep();
                Err(error.into())
            }
            Err(refused) => Err(refused),
        }
    }

    /// Deletes objects in one step. A missing one counts as deleted; a condition that does not hold spares its object.
    pub(crate) fn delete_objects(
        &self,
        bucket: &str,
        wanted: &[(String, WriteCondition)],
    ) -> Result<Vec<Result<(), ObjectError>>, ObjectError> {
        let mut superseded = Vec::new();
        let outcomes = self.database.write(|transaction| {
            require_bucket(transaction, bucket)?;
            let mut objects = transaction.open_table(OBJECTS)?;
            let mut parts = transaction.open_table(PARTS)?;
            let mut outcomes = Vec::with_capacity(wanted.len());
            for (key, condition) in wanted {
                let existing = get(&objects, bucket, key)?;
                outcomes.push(match condition.check(existing.as_ref()) {
                    Ok(()) => {
                        if let Some(existing) = existing {
                            objects.remove((bucket, key.as_str()))?;
                            superseded.push(take_content(&mut parts, existing.content)?);
                        }
                        Ok(())
                    }
                    Err(refused) => Err(refused),
                });
            }
            Ok::<_, ObjectError>(outcomes)
        })?;
        self.release(superseded);
        Ok(outcomes)
    }

    pub(super) fn release(&self, superseded: impl IntoIterator<Item = Superseded>) {
        superseded
            .into_iter()
            .for_each(|old| self.pins.release(old.content, old.files));
    }
}

pub(super) fn require_bucket(transaction: &WriteTransaction, bucket: &str) -> Result<(), ObjectError> {
    match transaction.open_table(BUCKETS)?.get(bucket)? {
        Some(_) => Ok(()),
        None => Err(ObjectError::NoSuchBucket),
    }
}

fn get(
    objects: &impl ReadableTable<(&'static str, &'static str), &'static [u8]>,
    bucket: &str,
    key: &str,
) -> Result<Option<ObjectRecord>, StoreError> {
    objects
        .get((bucket, key))?
        .map(|record| decode(record.value()))
        .transpose()
}

/// Puts `record` in the place of what is there, which it gives back, if `condition` allows.
pub(super) fn replace(
    transaction: &WriteTransaction,
    bucket: &str,
    key: &str,
    record: &ObjectRecord,
    condition: &WriteCondition,
) -> Result<Option<Superseded>, ObjectError> {
    let mut objects = transaction.open_table(OBJECTS)?;
    let existing = get(&objects, bucket, key)?;
    condition.check(existing.as_ref())?;
    objects.insert((bucket, key), encode(record)?.as_slice())?;
    match existing {
        Some(existing) => Ok(Some(take_content(
            &mut transaction.open_table(PARTS)?,
            existing.content,
        )?)),
        None => Ok(None),
    }
}

/// Forgets a content's parts and gives the files that are now nobody's.
pub(super) fn take_content(
    parts: &mut Table<'_, (u128, u32), &'static [u8]>,
    content: Content,
) -> Result<Superseded, StoreError> {
    match content {
        Content::File(file) => Ok(Superseded {
            content: file,
            files: vec![file],
        }),
        Content::Parts(upload) => {
            let mut files = Vec::new();
            for entry in parts.extract_from_if((upload.0, 0)..=(upload.0, u32::MAX), |_, _| true)? {
                files.push(decode::<PartRecord>(entry?.1.value())?.file);
            }
            Ok(Superseded { content: upload, files })
        }
    }
}

use std::collections::HashSet;

use redb::{ReadableTable, WriteTransaction};

use super::database::{OBJECTS, PARTS, UPLOADS};
use super::objects::{Superseded, replace};
use super::record::decode;
use super::uploads::{CompletedPart, UploadError, UploadId};
use super::{
    Content, ContentId, ObjectRecord, PartRecord, Store, StoreError, StoredChecksum, UploadRecord, WriteCondition,
};
use crate::digest;

/// The least size of every part but the last. Source: S3 User Guide, "Amazon S3 multipart upload limits".
const PART_BYTES_MIN: u64 = 5 << 20;

impl Store {
    /// Makes an object of the parts named, which must be in ascending order; other parts are removed.
    ///
    /// `expected` is the object's checksum if the client gave one. The same call again, after it succeeded, gives the
    /// same object, so that a client that lost the answer may ask again.
    pub(crate) fn complete_upload(
        &self,
        (bucket, key, id): (&str, &str, UploadId),
        wanted: &[CompletedPart],
        condition: &WriteCondition,
        expected: Option<&str>,
        modified_ms: i64,
    ) -> Result<ObjectRecord, UploadError> {
        let mut superseded = Vec::new();
        let record = self.database.write(|transaction| {
            let upload: UploadRecord = match transaction.open_table(UPLOADS)?.remove((bucket, key, id.0))? {
                Some(upload) => decode(upload.value())?,
                None => return completed_before(transaction, bucket, key, id),
            };
            let (parts, unused) = take_parts(transaction, id, wanted)?;
            let record = assemble(id, &upload, &parts, wanted, expected, modified_ms)?;
            superseded.extend(replace(transaction, bucket, key, &record, condition)?);
            superseded.extend(unused.into_iter().map(|file| Superseded {
                content: file,
                files: vec![file],
            }));
            Ok(record)
        })?;
        self.release(superseded);
        Ok(record)
    }
}

/// The object of this name, if this very upload made it.
fn completed_before(
    transaction: &WriteTransaction,
    bucket: &str,
    key: &str,
    id: UploadId,
) -> Result<ObjectRecord, UploadError> {
    let objects = transaction.open_table(OBJECTS)?;
    let object = objects
        .get((bucket, key))?
        .map(|found| decode::<ObjectRecord>(found.value()))
        .transpose()?;
    object
        .filter(|object| object.content == Content::Parts(id))
        .ok_or(UploadError::NoSuchUpload)
}

/// A part with its number.
type Numbered = (u32, PartRecord);

/// The parts that are wanted, by number; the others are forgotten, and their files given.
fn take_parts(
    transaction: &WriteTransaction,
    id: UploadId,
    wanted: &[CompletedPart],
) -> Result<(Vec<Numbered>, Vec<ContentId>), UploadError> {
    let numbers: HashSet<u32> = wanted.iter().map(|part| part.number).collect();
    let (mut parts, mut unused) = (Vec::new(), Vec::new());
    let mut table = transaction.open_table(PARTS)?;
    for entry in table.range((id.0, 0)..=(id.0, u32::MAX))? {
        let (number, part) = entry?;
        let (number, part) = (number.value().1, decode::<PartRecord>(part.value())?);
        if numbers.contains(&number) {
            parts.push((number, part));
        } else {
            unused.push((number, part.file));
        }
    }
    for (number, _) in &unused {
        table.remove((id.0, *number))?;
    }
    Ok((parts, unused.into_iter().map(|(_, file)| file).collect()))
}

/// The object that `parts` make, in the order of their numbers, if they are what the client says.
///
/// Source: S3 API reference, CompleteMultipartUpload.
fn assemble(
    id: UploadId,
    upload: &UploadRecord,
    parts: &[Numbered],
    wanted: &[CompletedPart],
    expected: Option<&str>,
    modified_ms: i64,
) -> Result<ObjectRecord, UploadError> {
    if wanted.windows(2).any(|pair| pair[0].number >= pair[1].number) {
        return Err(UploadError::InvalidPartOrder);
    }
    if wanted.is_empty() || parts.len() != wanted.len() {
        return Err(UploadError::InvalidPart);
    }
    for (wanted, (number, part)) in wanted.iter().zip(parts) {
        let checksum_differs = wanted
            .checksum
            .as_ref()
            .is_some_and(|checksum| *checksum != part.checksum);
        if wanted.number != *number || wanted.etag != hex::encode(part.md5) || checksum_differs {
            return Err(UploadError::InvalidPart);
        }
    }
    if parts[..parts.len() - 1]
        .iter()
        .any(|(_, part)| part.size < PART_BYTES_MIN)
    {
        return Err(UploadError::EntityTooSmall);
    }
    let checksums: Vec<(&[u8], u64)> = parts
        .iter()
        .map(|(_, part)| (part.checksum.as_slice(), part.size))
        .collect();
    let value = digest::of_parts(upload.algorithm, upload.composite, &checksums)
        .ok_or_else(|| StoreError::Corrupt("checksum of a part".to_owned()))?;
    let without_count = value.split('-').next().unwrap_or_default();
    if let Some(expected) = expected
        && expected != value
        && expected != without_count
    {
        return Err(UploadError::BadDigest(value));
    }
    let md5s: Vec<[u8; 16]> = parts.iter().map(|(_, part)| part.md5).collect();
    Ok(ObjectRecord {
        content: Content::Parts(id),
        size: parts.iter().map(|(_, part)| part.size).sum(),
        etag: digest::etag_of_parts(&md5s),
        modified_ms,
        headers: upload.headers.clone(),
        metadata: upload.metadata.clone(),
        checksum: Some(StoredChecksum {
            algorithm: upload.algorithm,
            value,
            composite: upload.composite,
        }),
        n_parts: u32::try_from(parts.len()).unwrap_or(u32::MAX),
    })
}

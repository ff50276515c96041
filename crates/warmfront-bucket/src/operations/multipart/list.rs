use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::upload_id;
use crate::operations::Operations;
use crate::operations::list::{Encoding, page_size};
use crate::operations::metadata::{ChecksumMembers, checksum_type};
use crate::store::{PartRecord, UploadId, UploadRecord, UploadsQuery};
use crate::{dates, digest, errors};

impl Operations {
    pub(in crate::operations) async fn list_parts(
        &self,
        request: S3Request<ListPartsInput>,
    ) -> S3Result<S3Response<ListPartsOutput>> {
        let input = request.input;
        let max_parts = page_size(input.max_parts)?;
        let marker = input.part_number_marker.unwrap_or(0);
        let after = u32::try_from(marker).map_err(|_| s3_error!(InvalidArgument, "Invalid part-number-marker"))?;
        let id = upload_id(&input.upload_id)?;
        let (bucket, key) = (input.bucket.clone(), input.key.clone());
        let n_max = max_parts.unsigned_abs() as usize;
        let (record, page) = self
            .shared
            .blocking(move |store| store.parts((&bucket, &key, id), after, n_max))
            .await?;
        let last = page.entries.last().and_then(|(number, _)| i32::try_from(*number).ok());
        let given = record.algorithm_given;
        Ok(S3Response::new(ListPartsOutput {
            bucket: Some(input.bucket),
            checksum_algorithm: given.then(|| ChecksumAlgorithm::from_static(record.algorithm.name())),
            checksum_type: given.then(|| checksum_type(record.composite)),
            is_truncated: Some(page.is_truncated),
            key: Some(input.key),
            max_parts: Some(max_parts),
            next_part_number_marker: Some(last.unwrap_or(marker)),
            owner: Some(self.owner()),
            part_number_marker: Some(marker),
            parts: Some(
                page.entries
                    .into_iter()
                    .map(|(number, part)| listed_part(number, part, &record))
                    .collect(),
            ),
            storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
            upload_id: Some(input.upload_id),
            ..Default::default()
        }))
    }

    pub(in crate::operations) async fn list_multipart_uploads(
        &self,
        request: S3Request<ListMultipartUploadsInput>,
    ) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
        let input = request.input;
        if input.delimiter.as_ref().is_some_and(|delimiter| !delimiter.is_empty()) {
            return Err(errors::not_implemented("Listing multipart uploads with a delimiter"));
        }
        let encoding = Encoding::parse(input.encoding_type.as_ref())?;
        let max_uploads = page_size(input.max_uploads)?;
        // Without a key marker the upload marker does not count. Source: S3 API reference, ListMultipartUploads.
        let id_marker = input
            .upload_id_marker
            .as_deref()
            .filter(|id| !id.is_empty())
            .map(upload_id)
            .transpose()?;
        let query = UploadsQuery {
            prefix: input.prefix.clone().unwrap_or_default(),
            after: input
                .key_marker
                .clone()
                .filter(|key| !key.is_empty())
                .map(|key| (key, id_marker)),
            n_max: max_uploads.unsigned_abs() as usize,
        };
        let bucket = input.bucket.clone();
        let page = self
            .shared
            .blocking(move |store| store.uploads(&bucket, &query))
            .await?;
        let last = page
            .entries
            .last()
            .filter(|_| page.is_truncated)
            .map(|(key, id, _)| (key.clone(), id.to_string()));
        let (next_key_marker, next_upload_id_marker) = last.unzip();
        let uploads = page
            .entries
            .into_iter()
            .map(|(key, id, record)| self.listed_upload(encoding.apply(key), id, &record));
        Ok(S3Response::new(ListMultipartUploadsOutput {
            bucket: Some(input.bucket),
            encoding_type: input.encoding_type,
            is_truncated: Some(page.is_truncated),
            key_marker: Some(encoding.apply(input.key_marker.unwrap_or_default())),
            max_uploads: Some(max_uploads),
            next_key_marker: next_key_marker.map(|key| encoding.apply(key)),
            next_upload_id_marker,
            prefix: Some(encoding.apply(input.prefix.unwrap_or_default())),
            upload_id_marker: input.upload_id_marker,
            uploads: Some(uploads.collect()),
            ..Default::default()
        }))
    }

    fn listed_upload(&self, key: String, id: UploadId, record: &UploadRecord) -> MultipartUpload {
        let given = record.algorithm_given;
        let owner = self.owner();
        MultipartUpload {
            checksum_algorithm: given.then(|| ChecksumAlgorithm::from_static(record.algorithm.name())),
            checksum_type: given.then(|| checksum_type(record.composite)),
            initiated: Some(dates::from_ms(record.initiated_ms)),
            initiator: Some(Initiator {
                display_name: None,
                id: owner.id.clone(),
            }),
            key: Some(key),
            owner: Some(owner),
            storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
            upload_id: Some(id.to_string()),
        }
    }
}

fn listed_part(number: u32, part: PartRecord, upload: &UploadRecord) -> Part {
    let checksum = match upload.algorithm_given {
        true => ChecksumMembers::new(upload.algorithm, digest::to_base64(&part.checksum)),
        false => ChecksumMembers::default(),
    };
    Part {
        checksum_crc32: checksum.crc32,
        checksum_crc32c: checksum.crc32c,
        checksum_crc64nvme: checksum.crc64nvme,
        checksum_sha1: checksum.sha1,
        checksum_sha256: checksum.sha256,
        e_tag: Some(ETag::Strong(hex::encode(part.md5))),
        last_modified: Some(dates::from_ms(part.modified_ms)),
        part_number: i32::try_from(number).ok(),
        size: i64::try_from(part.size).ok(),
    }
}

mod list;

use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::Operations;
use super::copy::{parse_algorithm, source_range};
use super::metadata::{ChecksumMembers, checksum_type, refuse_unsupported, system_headers, user_metadata};
use super::put::{PUT_BYTES_MAX, write_condition};
use crate::condition::unquoted;
use crate::dates;
use crate::digest::{self, Algorithm};
use crate::ingest::{Announced, Ingested, ingest};
use crate::store::{
    CompletedPart as NamedPart, ContentId, ObjectRecord, PartRecord, SystemHeaders, UploadError, UploadId, UploadRecord,
};

/// Part numbers are 1 to this. Source: S3 User Guide, "Amazon S3 multipart upload limits".
const PART_NUMBER_MAX: i32 = 10_000;

impl Operations {
    pub(super) async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        refuse_unsupported(&request.headers)?;
        let input = request.input;
        let (algorithm, composite) = chosen_checksum(input.checksum_algorithm.as_ref(), input.checksum_type.as_ref())?;
        let record = UploadRecord {
            initiated_ms: self.now_ms(),
            headers: system_headers(SystemHeaders {
                cache_control: input.cache_control,
                content_disposition: input.content_disposition,
                content_encoding: input.content_encoding,
                content_language: input.content_language,
                content_type: input.content_type,
                expires_unix_secs: input.expires.map(dates::to_unix_secs),
                website_redirect_location: input.website_redirect_location,
            }),
            metadata: user_metadata(input.metadata)?,
            algorithm,
            algorithm_given: input.checksum_algorithm.is_some(),
            composite,
        };
        let (bucket, key) = (input.bucket.clone(), input.key.clone());
        let id = self
            .shared
            .blocking(move |store| store.create_upload(&bucket, &key, &record))
            .await?;
        Ok(S3Response::new(CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            checksum_type: input.checksum_algorithm.is_some().then(|| checksum_type(composite)),
            checksum_algorithm: input.checksum_algorithm,
            key: Some(input.key),
            upload_id: Some(id.to_string()),
            ..Default::default()
        }))
    }

    pub(super) async fn upload_part(
        &self,
        request: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        refuse_unsupported(&request.headers)?;
        let trailers = request.trailing_headers;
        let input = request.input;
        let number = part_number(input.part_number)?;
        let announced = Announced::from_headers(&request.headers, input.content_length)?;
        let upload = Upload {
            bucket: input.bucket,
            key: input.key,
            id: upload_id(&input.upload_id)?,
        };
        let record = self.upload(&upload).await?;
        let given = announced.algorithm();
        if let Some(given) = given.filter(|given| record.algorithm_given && *given != record.algorithm) {
            return Err(s3_error!(
                InvalidRequest,
                "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
                record.algorithm.name().to_lowercase(),
                given.name().to_lowercase()
            ));
        }
        let body = input
            .body
            .ok_or_else(|| s3_error!(MissingRequestBodyError, "Request body is empty."))?;
        let files = &self.shared.store.files;
        let ingested = ingest(
            files,
            body,
            &announced,
            trailers.as_ref(),
            record.algorithm,
            PUT_BYTES_MAX,
        )
        .await?;
        let part = self.put_part(upload, number, ingested).await?;
        let value = digest::to_base64(&part.checksum);
        let told = given.is_some_and(|given| given == record.algorithm) || record.algorithm_given;
        let checksum = if told {
            ChecksumMembers::new(record.algorithm, value)
        } else {
            ChecksumMembers::default()
        };
        Ok(S3Response::new(UploadPartOutput {
            checksum_crc32: checksum.crc32,
            checksum_crc32c: checksum.crc32c,
            checksum_crc64nvme: checksum.crc64nvme,
            checksum_sha1: checksum.sha1,
            checksum_sha256: checksum.sha256,
            e_tag: Some(ETag::Strong(hex::encode(part.md5))),
            ..Default::default()
        }))
    }

    pub(super) async fn upload_part_copy(
        &self,
        request: S3Request<UploadPartCopyInput>,
    ) -> S3Result<S3Response<UploadPartCopyOutput>> {
        refuse_unsupported(&request.headers)?;
        let caller = self.caller(&request)?;
        let input = request.input;
        let number = part_number(input.part_number)?;
        let upload = Upload {
            bucket: input.bucket,
            key: input.key,
            id: upload_id(&input.upload_id)?,
        };
        let record = self.upload(&upload).await?;
        let source = self.open_source(&caller, &input.copy_source, &request.headers).await?;
        let range = source_range(input.copy_source_range.as_deref(), source.record.size)?;
        let ingested = self.ingest_copy(source, range, record.algorithm).await?;
        let part = self.put_part(upload, number, ingested).await?;
        let checksum = match record.algorithm_given {
            true => ChecksumMembers::new(record.algorithm, digest::to_base64(&part.checksum)),
            false => ChecksumMembers::default(),
        };
        let result = CopyPartResult {
            checksum_crc32: checksum.crc32,
            checksum_crc32c: checksum.crc32c,
            checksum_crc64nvme: checksum.crc64nvme,
            checksum_sha1: checksum.sha1,
            checksum_sha256: checksum.sha256,
            e_tag: Some(ETag::Strong(hex::encode(part.md5))),
            last_modified: Some(dates::from_ms(part.modified_ms)),
        };
        Ok(S3Response::new(UploadPartCopyOutput {
            copy_part_result: Some(result),
            ..Default::default()
        }))
    }

    pub(super) async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let condition = write_condition(&request.headers)?;
        let input = request.input;
        let upload = Upload {
            bucket: input.bucket,
            key: input.key,
            id: upload_id(&input.upload_id)?,
        };
        let record = self.upload(&upload).await;
        let algorithm = match record {
            Ok(record) => Some(record.algorithm),
            // It may be completed already, and then its parts were checked.
            Err(UploadError::NoSuchUpload) => None,
            Err(error) => return Err(error.into()),
        };
        let parts = input.multipart_upload.and_then(|named| named.parts).unwrap_or_default();
        let parts = parts
            .into_iter()
            .map(|part| named_part(part, algorithm))
            .collect::<S3Result<Vec<NamedPart>>>()?;
        let expected = match algorithm {
            Some(Algorithm::Crc32) => input.checksum_crc32,
            Some(Algorithm::Crc32c) => input.checksum_crc32c,
            Some(Algorithm::Crc64Nvme) => input.checksum_crc64nvme,
            Some(Algorithm::Sha1) => input.checksum_sha1,
            Some(Algorithm::Sha256) => input.checksum_sha256,
            None => None,
        };
        let now_ms = self.now_ms();
        let Upload { bucket, key, id } = upload.clone();
        let record = self
            .shared
            .blocking(move |store| {
                store.complete_upload((&bucket, &key, id), &parts, &condition, expected.as_deref(), now_ms)
            })
            .await?;
        Ok(S3Response::new(complete_output(upload, &record)))
    }

    pub(super) async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        let input = request.input;
        let id = upload_id(&input.upload_id)?;
        self.shared
            .blocking(move |store| store.abort_upload(&input.bucket, &input.key, id))
            .await?;
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }

    async fn upload(&self, upload: &Upload) -> Result<UploadRecord, UploadError> {
        let Upload { bucket, key, id } = upload.clone();
        self.shared.blocking(move |store| store.upload(&bucket, &key, id)).await
    }

    async fn put_part(&self, upload: Upload, number: u32, ingested: Ingested) -> S3Result<PartRecord> {
        let part = PartRecord {
            file: ingested.staged.id(),
            size: ingested.size,
            md5: ingested.md5,
            modified_ms: self.now_ms(),
            checksum: ingested.checksum,
        };
        let record = part.clone();
        let Upload { bucket, key, id } = upload;
        self.shared
            .blocking(move |store| store.put_part((&bucket, &key, id), number, &record, ingested.staged))
            .await?;
        Ok(part)
    }
}

/// Which upload of which object.
#[derive(Clone)]
struct Upload {
    bucket: String,
    key: String,
    id: UploadId,
}

fn upload_id(text: &str) -> Result<UploadId, UploadError> {
    ContentId::parse(text).ok_or(UploadError::NoSuchUpload)
}

fn part_number(number: i32) -> S3Result<u32> {
    match u32::try_from(number) {
        Ok(valid) if (1..=PART_NUMBER_MAX).contains(&number) => Ok(valid),
        _ => Err(s3_error!(
            InvalidArgument,
            "Part number must be an integer between 1 and 10000, inclusive"
        )),
    }
}

/// The upload's algorithm, and whether its object's checksum is composite.
///
/// Source: S3 User Guide, "Checking object integrity in Amazon S3", "Full object and composite checksum types".
fn chosen_checksum(algorithm: Option<&ChecksumAlgorithm>, asked: Option<&ChecksumType>) -> S3Result<(Algorithm, bool)> {
    let algorithm = match algorithm {
        Some(algorithm) => parse_algorithm(algorithm.as_str())?,
        None => Algorithm::DEFAULT,
    };
    let composite = match asked.map(ChecksumType::as_str) {
        None => algorithm.may_be_composite(),
        Some(ChecksumType::COMPOSITE) if algorithm.may_be_composite() => true,
        Some(ChecksumType::FULL_OBJECT) if algorithm.may_be_full_object() => false,
        Some(asked) => {
            return Err(s3_error!(
                InvalidRequest,
                "The {} checksum type cannot be used with the {} checksum algorithm.",
                asked,
                algorithm.name().to_lowercase()
            ));
        }
    };
    Ok((algorithm, composite))
}

fn named_part(part: CompletedPart, algorithm: Option<Algorithm>) -> S3Result<NamedPart> {
    let checksum = match algorithm {
        Some(Algorithm::Crc32) => part.checksum_crc32,
        Some(Algorithm::Crc32c) => part.checksum_crc32c,
        Some(Algorithm::Crc64Nvme) => part.checksum_crc64nvme,
        Some(Algorithm::Sha1) => part.checksum_sha1,
        Some(Algorithm::Sha256) => part.checksum_sha256,
        None => None,
    };
    let checksum = checksum
        .map(|value| digest::from_base64(&value).ok_or(UploadError::InvalidPart))
        .transpose()?;
    let etag = part.e_tag.ok_or(UploadError::InvalidPart)?.into_value();
    let number = part_number(part.part_number.unwrap_or_default())?;
    Ok(NamedPart {
        number,
        etag: unquoted(&etag).to_owned(),
        checksum,
    })
}

fn complete_output(upload: Upload, record: &ObjectRecord) -> CompleteMultipartUploadOutput {
    let checksum = ChecksumMembers::of(record.checksum.clone());
    CompleteMultipartUploadOutput {
        location: Some(format!("/{}/{}", upload.bucket, upload.key)),
        bucket: Some(upload.bucket),
        key: Some(upload.key),
        checksum_crc32: checksum.crc32,
        checksum_crc32c: checksum.crc32c,
        checksum_crc64nvme: checksum.crc64nvme,
        checksum_sha1: checksum.sha1,
        checksum_sha256: checksum.sha256,
        checksum_type: checksum.type_,
        e_tag: Some(ETag::Strong(record.etag.clone())),
        ..Default::default()
    }
}

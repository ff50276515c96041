use http::HeaderMap;
use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::Operations;
use super::metadata::{ChecksumMembers, refuse_unsupported, system_headers, user_metadata};
use crate::condition::unquoted;
use crate::digest::{self, Algorithm};
use crate::ingest::{Announced, Ingested, ingest};
use crate::store::{Content, ObjectRecord, StoredChecksum, SystemHeaders, WriteCondition};
use crate::{dates, errors};

/// The largest object of one request. Source: S3 User Guide, "Uploading objects".
pub(super) const PUT_BYTES_MAX: u64 = 5 << 30;

impl Operations {
    pub(super) async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        refuse_unsupported(&request.headers)?;
        let condition = write_condition(&request.headers)?;
        let trailers = request.trailing_headers;
        let input = request.input;
        let announced = Announced::from_headers(&request.headers, input.content_length)?;
        let metadata = user_metadata(input.metadata)?;
        let headers = system_headers(SystemHeaders {
            cache_control: input.cache_control,
            content_disposition: input.content_disposition,
            content_encoding: input.content_encoding,
            content_language: input.content_language,
            content_type: input.content_type,
            expires_unix_secs: input.expires.map(dates::to_unix_secs),
            website_redirect_location: input.website_redirect_location,
        });
        let algorithm = announced.algorithm().unwrap_or(Algorithm::DEFAULT);
        let body = input
            .body
            .ok_or_else(|| s3_error!(MissingRequestBodyError, "Request body is empty."))?;
        let files = &self.shared.store.files;
        let ingested = ingest(files, body, &announced, trailers.as_ref(), algorithm, PUT_BYTES_MAX).await?;
        let record = self.object_record(&ingested, algorithm, headers, metadata);
        let output = put_output(&record);
        let (bucket, key) = (input.bucket, input.key);
        self.shared
            .blocking(move |store| store.put_object(&bucket, &key, &record, &condition, ingested.staged))
            .await?;
        Ok(S3Response::new(output))
    }

    /// The record of an object whose bytes came in one piece.
    pub(super) fn object_record(
        &self,
        ingested: &Ingested,
        algorithm: Algorithm,
        headers: SystemHeaders,
        metadata: std::collections::BTreeMap<String, String>,
    ) -> ObjectRecord {
        let value = digest::to_base64(&ingested.checksum);
        ObjectRecord {
            content: Content::File(ingested.staged.id()),
            size: ingested.size,
            etag: hex::encode(ingested.md5),
            modified_ms: self.now_ms(),
            headers,
            metadata,
            checksum: Some(StoredChecksum {
                algorithm,
                value,
                composite: false,
            }),
            n_parts: 0,
        }
    }
}

fn put_output(record: &ObjectRecord) -> PutObjectOutput {
    let checksum = ChecksumMembers::of(record.checksum.clone());
    PutObjectOutput {
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

/// Reads `If-None-Match: *` and `If-Match` of a write. Source: S3 API reference, PutObject.
pub(super) fn write_condition(headers: &HeaderMap) -> S3Result<WriteCondition> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default().trim());
    match (text("if-none-match"), text("if-match")) {
        (None, None) => Ok(WriteCondition::Always),
        (Some("*"), None) => Ok(WriteCondition::IfAbsent),
        (None, Some("*")) => Ok(WriteCondition::IfPresent),
        (None, Some(etag)) => Ok(WriteCondition::IfMatch(unquoted(etag).to_owned())),
        (Some(_), _) => Err(errors::not_implemented(
            "A write with an If-None-Match other than * or beside If-Match",
        )),
    }
}

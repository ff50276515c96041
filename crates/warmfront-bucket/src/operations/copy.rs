use std::ops::Range;

use http::HeaderMap;
use s3s::dto::{Range as AskedRange, *};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::Operations;
use super::get::refuse_version;
use super::metadata::{ChecksumMembers, refuse_unsupported, system_headers, user_metadata};
use super::put::{PUT_BYTES_MAX, write_condition};
use crate::access::Caller;
use crate::body::ObjectBody;
use crate::condition::{Conditions, Outcome};
use crate::digest::Algorithm;
use crate::ingest::{Announced, Ingested, ingest};
use crate::store::{Opened, SystemHeaders};
use crate::{dates, errors};

impl Operations {
    pub(super) async fn copy_object(
        &self,
        request: S3Request<CopyObjectInput>,
    ) -> S3Result<S3Response<CopyObjectOutput>> {
        refuse_unsupported(&request.headers)?;
        let condition = write_condition(&request.headers)?;
        let caller = self.caller(&request)?;
        let input = request.input;
        let replaces = replaces_metadata(input.metadata_directive.as_ref())?;
        let (source_bucket, source_key) = source_of(&input.copy_source)?;
        if !replaces && source_bucket == input.bucket && source_key == input.key {
            return Err(s3_error!(
                InvalidRequest,
                "This copy request is illegal because it is trying to copy an object to itself without changing the \
                 object's metadata, storage class, website redirect location or encryption attributes."
            ));
        }
        let source = self.open_source(&caller, &input.copy_source, &request.headers).await?;
        let (headers, metadata) = if replaces {
            let headers = SystemHeaders {
                cache_control: input.cache_control,
                content_disposition: input.content_disposition,
                content_encoding: input.content_encoding,
                content_language: input.content_language,
                content_type: input.content_type,
                expires_unix_secs: input.expires.map(dates::to_unix_secs),
                website_redirect_location: input.website_redirect_location,
            };
            (system_headers(headers), user_metadata(input.metadata)?)
        } else {
            // The redirect location alone is never copied. Source: S3 API reference, CopyObject.
            let website_redirect_location = input.website_redirect_location;
            (
                SystemHeaders {
                    website_redirect_location,
                    ..source.record.headers.clone()
                },
                source.record.metadata.clone(),
            )
        };
        let named = input
            .checksum_algorithm
            .as_ref()
            .map(|algorithm| parse_algorithm(algorithm.as_str()))
            .transpose()?;
        let kept = source.record.checksum.as_ref().map(|checksum| checksum.algorithm);
        let algorithm = named.or(kept).unwrap_or(Algorithm::DEFAULT);
        let whole = 0..source.record.size;
        let ingested = self.ingest_copy(source, whole, algorithm).await?;
        let record = self.object_record(&ingested, algorithm, headers, metadata);
        let checksum = ChecksumMembers::of(record.checksum.clone());
        let result = CopyObjectResult {
            checksum_crc32: checksum.crc32,
            checksum_crc32c: checksum.crc32c,
            checksum_crc64nvme: checksum.crc64nvme,
            checksum_sha1: checksum.sha1,
            checksum_sha256: checksum.sha256,
            checksum_type: checksum.type_,
            e_tag: Some(ETag::Strong(record.etag.clone())),
            last_modified: Some(dates::from_ms(record.modified_ms)),
        };
        let (bucket, key) = (input.bucket, input.key);
        self.shared
            .blocking(move |store| store.put_object(&bucket, &key, &record, &condition, ingested.staged))
            .await?;
        Ok(S3Response::new(CopyObjectOutput {
            copy_object_result: Some(result),
            ..Default::default()
        }))
    }

    /// The object to copy from, if `caller` may read it and the conditions on it hold.
    pub(super) async fn open_source(
        &self,
        caller: &Caller,
        source: &CopySource,
        headers: &HeaderMap,
    ) -> S3Result<Opened> {
        let (bucket, key) = source_of(source)?;
        if self.shared.store.buckets.get(bucket).is_none() {
            return Err(errors::no_such_bucket());
        }
        self.access.require(caller, "s3:GetObject", bucket, Some(key))?;
        let opened = self.find(caller, bucket.to_owned(), key.to_owned()).await?;
        let modified_unix_secs = opened.record.modified_ms.div_euclid(1000);
        let conditions = Conditions::from_headers(headers, "x-amz-copy-source-");
        match conditions.evaluate(&opened.record.etag, modified_unix_secs) {
            Outcome::Proceed => Ok(opened),
            Outcome::NotModified | Outcome::PreconditionFailed => Err(errors::precondition_failed()),
        }
    }

    /// Copies some of an object's bytes to a new file.
    pub(super) async fn ingest_copy(
        &self,
        source: Opened,
        range: Range<u64>,
        algorithm: Algorithm,
    ) -> S3Result<Ingested> {
        if range.end - range.start > PUT_BYTES_MAX {
            return Err(s3_error!(
                InvalidRequest,
                "The specified copy source is larger than the maximum allowable size for a copy source: {}",
                PUT_BYTES_MAX
            ));
        }
        let files = &self.shared.store.files;
        let body = StreamingBlob::new(ObjectBody::new(files.clone(), source, range));
        Ok(ingest(files, body, &Announced::default(), None, algorithm, PUT_BYTES_MAX).await?)
    }
}

/// The bucket and key of a copy source.
fn source_of(source: &CopySource) -> S3Result<(&str, &str)> {
    match source {
        CopySource::Bucket {
            bucket,
            key,
            version_id,
        } => {
            refuse_version(version_id.as_deref())?;
            Ok((bucket, key))
        }
        CopySource::AccessPoint { .. } | CopySource::Outpost { .. } => {
            Err(errors::not_implemented("Copying from an access point"))
        }
    }
}

/// Reads `x-amz-metadata-directive`; COPY if it is not there.
fn replaces_metadata(directive: Option<&MetadataDirective>) -> S3Result<bool> {
    match directive.map(MetadataDirective::as_str) {
        None | Some(MetadataDirective::COPY) => Ok(false),
        Some(MetadataDirective::REPLACE) => Ok(true),
        Some(_) => Err(s3_error!(InvalidArgument, "Unknown metadata directive.")),
    }
}

/// Reads `x-amz-copy-source-range`: both ends are given and lie in the object. Source: S3 API reference, UploadPartCopy.
pub(super) fn source_range(text: Option<&str>, size: u64) -> S3Result<Range<u64>> {
    let Some(text) = text else { return Ok(0..size) };
    match AskedRange::parse(text) {
        Ok(AskedRange::Int {
            first,
            last: Some(last),
        }) if first < size && last < size => Ok(first..last + 1),
        Ok(AskedRange::Int {
            first: _,
            last: Some(_),
        }) => Err(s3_error!(
            InvalidArgument,
            "Range specified is not valid for source object of size: {}",
            size
        )),
        _ => Err(s3_error!(
            InvalidArgument,
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based \
             offsets of the first and last bytes to copy"
        )),
    }
}

/// Reads the name of a checksum algorithm.
pub(super) fn parse_algorithm(name: &str) -> S3Result<Algorithm> {
    Algorithm::parse(name).ok_or_else(|| {
        s3_error!(
            InvalidRequest,
            "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, \
             CRC64NVME, SHA1, SHA256]"
        )
    })
}

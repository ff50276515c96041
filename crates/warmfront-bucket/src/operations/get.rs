use std::ops::Range;

use http::{HeaderMap, HeaderValue};
use s3s::dto::{Range as AskedRange, *};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};

use super::Operations;
use super::metadata::ChecksumMembers;
use crate::access::Caller;
use crate::body::ObjectBody;
use crate::condition::{Conditions, Outcome};
use crate::store::{ObjectError, ObjectRecord, Opened};
use crate::{dates, errors};

/// Which of an object's bytes to send.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Selected {
    range: Range<u64>,
    is_partial: bool,
    /// Of how many parts, when one was asked for.
    n_parts: Option<i32>,
}

impl Operations {
    pub(super) async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let caller = self.caller(&request)?;
        let input = request.input;
        refuse_version(input.version_id.as_deref())?;
        let opened = self.find(&caller, input.bucket, input.key).await?;
        check_conditions(&request.headers, &opened.record)?;
        let selected = select(&opened, input.range.as_ref(), input.part_number)?;
        let head = head_output(&opened.record, &selected, wants_checksum(input.checksum_mode.as_ref()));
        let body = ObjectBody::new(self.shared.store.files.clone(), opened, selected.range);
        Ok(S3Response::new(get_output(head, StreamingBlob::new(body))))
    }

    pub(super) async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let caller = self.caller(&request)?;
        let input = request.input;
        refuse_version(input.version_id.as_deref())?;
        let opened = self.find(&caller, input.bucket, input.key).await?;
        check_conditions(&request.headers, &opened.record)?;
        let selected = select(&opened, input.range.as_ref(), input.part_number)?;
        let output = head_output(&opened.record, &selected, wants_checksum(input.checksum_mode.as_ref()));
        Ok(S3Response::new(output))
    }

    /// The object, kept in place. A missing one is a 404 only for those who may list the bucket; others get 403.
    ///
    /// Source: S3 API reference, GetObject, "Permissions".
    pub(super) async fn find(&self, caller: &Caller, bucket: String, key: String) -> S3Result<Opened> {
        let looked_for = (bucket.clone(), key);
        let found = self
            .shared
            .blocking(move |store| store.open_object(&looked_for.0, &looked_for.1))
            .await;
        match found {
            Err(ObjectError::NoSuchKey) if !self.access.allows(caller, "s3:ListBucket", &bucket, None) => {
                Err(errors::access_denied())
            }
            other => Ok(other?),
        }
    }
}

/// Refuses every version but the one there is. Source: S3 User Guide, "How S3 Versioning works".
pub(super) fn refuse_version(version_id: Option<&str>) -> S3Result<()> {
    match version_id {
        None | Some("null") => Ok(()),
        Some(_) => Err(s3_error!(InvalidArgument, "Invalid version id specified")),
    }
}

fn wants_checksum(mode: Option<&ChecksumMode>) -> bool {
    mode.is_some_and(|mode| mode.as_str().eq_ignore_ascii_case(ChecksumMode::ENABLED))
}

fn check_conditions(headers: &HeaderMap, record: &ObjectRecord) -> S3Result<()> {
    let modified_unix_secs = record.modified_ms.div_euclid(1000);
    match Conditions::from_headers(headers, "").evaluate(&record.etag, modified_unix_secs) {
        Outcome::Proceed => Ok(()),
        Outcome::PreconditionFailed => Err(errors::precondition_failed()),
        Outcome::NotModified => {
            let mut error = S3Error::new(S3ErrorCode::NotModified);
            error.set_headers(unchanged_headers(record));
            Err(error)
        }
    }
}

/// What a 304 must carry of what a 200 would. Source: RFC 9110 section 15.4.5.
fn unchanged_headers(record: &ObjectRecord) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let etag = format!("\"{}\"", record.etag);
    let modified = dates::http_date(record.modified_ms);
    let expires = record
        .headers
        .expires_unix_secs
        .map(|secs| dates::http_date(secs.saturating_mul(1000)));
    let given = [
        ("etag", Some(&etag)),
        ("last-modified", Some(&modified)),
        ("cache-control", record.headers.cache_control.as_ref()),
        ("expires", expires.as_ref()),
    ];
    for (name, value) in given {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
            headers.insert(name, value);
        }
    }
    headers
}

fn select(opened: &Opened, range: Option<&AskedRange>, part_number: Option<i32>) -> S3Result<Selected> {
    match (range, part_number) {
        (Some(_), Some(_)) => Err(s3_error!(
            InvalidRequest,
            "Cannot specify both Range header and partNumber query parameter"
        )),
        (Some(range), None) => select_range(opened.record.size, range),
        (None, Some(number)) => {
            let range = u32::try_from(number).ok().and_then(|number| opened.part(number));
            let range = range.ok_or_else(|| {
                let status = http::StatusCode::RANGE_NOT_SATISFIABLE;
                errors::custom(
                    "InvalidPartNumber",
                    status,
                    "The requested partnumber is not satisfiable",
                )
            })?;
            let n_parts = Some(opened.record.n_parts).filter(|&n_parts| n_parts > 0);
            let n_parts = n_parts.and_then(|n_parts| i32::try_from(n_parts).ok());
            Ok(Selected {
                is_partial: opened.record.size > 0,
                range,
                n_parts,
            })
        }
        (None, None) => Ok(Selected {
            range: 0..opened.record.size,
            is_partial: false,
            n_parts: None,
        }),
    }
}

/// Source: RFC 9110 section 14.1.2; section 15.5.17 for the Content-Range of a 416.
fn select_range(size: u64, range: &AskedRange) -> S3Result<Selected> {
    match range.check(size) {
        Ok(range) if !range.is_empty() => Ok(Selected {
            range,
            is_partial: true,
            n_parts: None,
        }),
        _ => {
            let mut error = s3_error!(InvalidRange, "The requested range is not satisfiable");
            let mut headers = HeaderMap::new();
            if let Ok(value) = HeaderValue::from_str(&format!("bytes */{size}")) {
                headers.insert(http::header::CONTENT_RANGE, value);
            }
            error.set_headers(headers);
            Err(error)
        }
    }
}

fn head_output(record: &ObjectRecord, selected: &Selected, wants_checksum: bool) -> HeadObjectOutput {
    let Range { start, end } = selected.range;
    let is_whole = end - start == record.size;
    // A checksum of the whole says nothing of a range. Source: S3 API reference, GetObject, "x-amz-checksum-mode".
    let checksum = ChecksumMembers::of(record.checksum.clone().filter(|_| wants_checksum && is_whole));
    HeadObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        cache_control: record.headers.cache_control.clone(),
        checksum_crc32: checksum.crc32,
        checksum_crc32c: checksum.crc32c,
        checksum_crc64nvme: checksum.crc64nvme,
        checksum_sha1: checksum.sha1,
        checksum_sha256: checksum.sha256,
        checksum_type: checksum.type_,
        content_disposition: record.headers.content_disposition.clone(),
        content_encoding: record.headers.content_encoding.clone(),
        content_language: record.headers.content_language.clone(),
        content_length: i64::try_from(end - start).ok(),
        content_range: selected
            .is_partial
            .then(|| format!("bytes {start}-{}/{}", end.saturating_sub(1), record.size)),
        content_type: record.headers.content_type.clone(),
        e_tag: Some(ETag::Strong(record.etag.clone())),
        expires: record.headers.expires_unix_secs.map(dates::from_unix_secs),
        last_modified: Some(dates::from_ms(record.modified_ms)),
        metadata: Some(record.metadata.clone().into_iter().collect()),
        parts_count: selected.n_parts,
        website_redirect_location: record.headers.website_redirect_location.clone(),
        ..Default::default()
    }
}

fn get_output(head: HeadObjectOutput, body: StreamingBlob) -> GetObjectOutput {
    GetObjectOutput {
        accept_ranges: head.accept_ranges,
        body: Some(body),
        cache_control: head.cache_control,
        checksum_crc32: head.checksum_crc32,
        checksum_crc32c: head.checksum_crc32c,
        checksum_crc64nvme: head.checksum_crc64nvme,
        checksum_sha1: head.checksum_sha1,
        checksum_sha256: head.checksum_sha256,
        checksum_type: head.checksum_type,
        content_disposition: head.content_disposition,
        content_encoding: head.content_encoding,
        content_language: head.content_language,
        content_length: head.content_length,
        content_range: head.content_range,
        content_type: head.content_type,
        e_tag: head.e_tag,
        expires: head.expires,
        last_modified: head.last_modified,
        metadata: head.metadata,
        parts_count: head.parts_count,
        website_redirect_location: head.website_redirect_location,
        ..Default::default()
    }
}

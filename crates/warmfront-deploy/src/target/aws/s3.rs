use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart, Delete, MetadataDirective, ObjectIdentifier,
};
use bytes::Bytes;
use tokio::io::AsyncReadExt;

use super::explain;
use crate::digest::Digest;
use crate::target::{Body, Bucket, Condition, Fault, Head, Listed, StoredHeaders, TargetError};

/// Files from this size on go in parts.
const MULTIPART_BYTES_MIN: u64 = 32 * 1024 * 1024;

/// A part's size; S3 allows 10,000 parts, so files up to 160 GiB.
const PART_BYTES: usize = 16 * 1024 * 1024;

/// Keys per DeleteObjects. Source: S3 API reference.
const DELETE_KEYS_MAX: usize = 1_000;

/// One bucket of S3.
#[derive(Clone, Debug)]
pub struct S3Bucket {
    client: Client,
    bucket: String,
}

impl S3Bucket {
    pub(super) fn new(client: Client, bucket: &str) -> S3Bucket {
        S3Bucket {
            client,
            bucket: bucket.to_owned(),
        }
    }

    fn arn(&self, key: &str) -> String {
        format!("arn:aws:s3:::{}/{key}", self.bucket)
    }

    async fn put_bytes(
        &self,
        key: &str,
        bytes: Bytes,
        headers: &StoredHeaders,
        condition: Condition,
    ) -> Result<String, TargetError> {
        let (absent, matches) = match condition {
            Condition::Any => (None, None),
            Condition::Absent => (Some("*".to_owned()), None),
            Condition::Matches(etag) => (None, Some(format!("\"{etag}\""))),
        };
        let request = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .checksum_sha256(Digest::of(&bytes).base64())
            .set_if_none_match(absent)
            .set_if_match(matches)
            .set_content_type(headers.content_type.clone())
            .set_cache_control(headers.cache_control.clone())
            .set_content_encoding(headers.content_encoding.clone())
            .set_content_disposition(headers.content_disposition.clone())
            .set_content_language(headers.content_language.clone())
            .set_metadata(Some(headers.metadata.clone().into_iter().collect()))
            .body(ByteStream::from(bytes));
        let answer = request.send().await;
        let answer = answer.map_err(|error| explain("s3:PutObject", self.arn(key), error))?;
        Ok(unquoted(answer.e_tag()))
    }

    /// Each part with its own SHA-256, which S3 compares.
    async fn put_in_parts(
        &self,
        key: &str,
        path: &std::path::Path,
        digest: Digest,
        headers: &StoredHeaders,
    ) -> Result<String, TargetError> {
        let request = self
            .client
            .create_multipart_upload()
            .bucket(&self.bucket)
            .key(key)
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            .set_content_type(headers.content_type.clone())
            .set_cache_control(headers.cache_control.clone())
            .set_content_encoding(headers.content_encoding.clone())
            .set_content_disposition(headers.content_disposition.clone())
            .set_content_language(headers.content_language.clone())
            .set_metadata(Some(headers.metadata.clone().into_iter().collect()));
        let answer = request
            .send()
            .await
            .map_err(|error| explain("s3:PutObject", self.arn(key), error))?;
        let upload = answer.upload_id().unwrap_or_default().to_owned();
        let sent = self.send_parts(key, path, digest, &upload).await;
        if sent.is_err() {
            let abort = self
                .client
                .abort_multipart_upload()
                .bucket(&self.bucket)
                .key(key)
                .upload_id(&upload);
            // The upload failed already; a bucket's lifecycle rule removes what this could not.
            let _ = abort.send().await;
        }
        sent
    }

    async fn send_parts(
        &self,
        key: &str,
        path: &std::path::Path,
        digest: Digest,
        upload: &str,
    ) -> Result<String, TargetError> {
        let unreadable = |error: std::io::Error| local(path, &error.to_string());
        let mut file = tokio::fs::File::open(path).await.map_err(unreadable)?;
        let mut whole = sha2::Sha256::default();
        let mut parts = Vec::new();
        loop {
            let mut part = Vec::with_capacity(PART_BYTES);
            let limit = PART_BYTES as u64;
            let n_read = (&mut file)
                .take(limit)
                .read_to_end(&mut part)
                .await
                .map_err(unreadable)?;
            if n_read == 0 {
                break;
            }
            sha2::Digest::update(&mut whole, &part);
            let number = i32::try_from(parts.len() + 1).unwrap_or(i32::MAX);
            let checksum = Digest::of(&part).base64();
            let request = self
                .client
                .upload_part()
                .bucket(&self.bucket)
                .key(key)
                .upload_id(upload)
                .part_number(number)
                .checksum_sha256(&checksum)
                .body(ByteStream::from(part));
            let answer = request
                .send()
                .await
                .map_err(|error| explain("s3:PutObject", self.arn(key), error))?;
            let done = CompletedPart::builder().part_number(number).checksum_sha256(checksum);
            parts.push(done.set_e_tag(answer.e_tag().map(str::to_owned)).build());
        }
        if Digest::from_bytes(sha2::Digest::finalize(whole).into()) != digest {
            return Err(local(path, "changed since the plan was made"));
        }
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let request = self
            .client
            .complete_multipart_upload()
            .bucket(&self.bucket)
            .key(key)
            .upload_id(upload)
            .multipart_upload(parts);
        let answer = request
            .send()
            .await
            .map_err(|error| explain("s3:PutObject", self.arn(key), error))?;
        Ok(unquoted(answer.e_tag()))
    }
}

fn unquoted(etag: Option<&str>) -> String {
    etag.unwrap_or_default().trim_matches('"').to_owned()
}

fn local(path: &std::path::Path, message: &str) -> TargetError {
    TargetError {
        fault: Fault::Refused,
        action: "read",
        resource: path.display().to_string(),
        code: "LocalFile".into(),
        message: message.into(),
    }
}

#[async_trait]
impl Bucket for S3Bucket {
    fn name(&self) -> String {
        format!("s3://{}", self.bucket)
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Listed>, TargetError> {
        let mut listed = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let request = self
                .client
                .list_objects_v2()
                .bucket(&self.bucket)
                .prefix(prefix)
                .set_continuation_token(token);
            let answer = request.send().await;
            let answer =
                answer.map_err(|error| explain("s3:ListBucket", format!("arn:aws:s3:::{}", self.bucket), error))?;
            listed.extend(answer.contents().iter().filter_map(|object| {
                Some(Listed {
                    key: object.key()?.to_owned(),
                    size: u64::try_from(object.size().unwrap_or(0)).unwrap_or(0),
                    etag: unquoted(object.e_tag()),
                })
            }));
            token = answer.next_continuation_token().map(str::to_owned);
            if token.is_none() {
                return Ok(listed);
            }
        }
    }

    async fn head(&self, key: &str) -> Result<Option<Head>, TargetError> {
        let answer = self.client.head_object().bucket(&self.bucket).key(key).send().await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                let error = explain("s3:GetObject", self.arn(key), error);
                return if error.fault == Fault::NotFound {
                    Ok(None)
                } else {
                    Err(error)
                };
            }
        };
        Ok(Some(Head {
            size: u64::try_from(answer.content_length().unwrap_or(0)).unwrap_or(0),
            etag: unquoted(answer.e_tag()),
            headers: StoredHeaders {
                content_type: answer.content_type().map(str::to_owned),
                cache_control: answer.cache_control().map(str::to_owned),
                content_encoding: answer.content_encoding().map(str::to_owned),
                content_disposition: answer.content_disposition().map(str::to_owned),
                content_language: answer.content_language().map(str::to_owned),
                metadata: answer.metadata().cloned().unwrap_or_default().into_iter().collect(),
            },
        }))
    }

    async fn get(&self, key: &str) -> Result<Option<(Bytes, Head)>, TargetError> {
        let answer = self.client.get_object().bucket(&self.bucket).key(key).send().await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                let error = explain("s3:GetObject", self.arn(key), error);
                return if error.fault == Fault::NotFound {
                    Ok(None)
                } else {
                    Err(error)
                };
            }
        };
        let head = Head {
            size: u64::try_from(answer.content_length().unwrap_or(0)).unwrap_or(0),
            etag: unquoted(answer.e_tag()),
            headers: StoredHeaders {
                content_type: answer.content_type().map(str::to_owned),
                cache_control: answer.cache_control().map(str::to_owned),
                content_encoding: answer.content_encoding().map(str::to_owned),
                content_disposition: answer.content_disposition().map(str::to_owned),
                content_language: answer.content_language().map(str::to_owned),
                metadata: answer.metadata().cloned().unwrap_or_default().into_iter().collect(),
            },
        };
        let body = answer.body.collect().await.map_err(|error| TargetError {
            fault: Fault::Unavailable,
            action: "s3:GetObject",
            resource: self.arn(key),
            code: "BrokenBody".into(),
            message: error.to_string(),
        })?;
        Ok(Some((body.into_bytes(), head)))
    }

    async fn put(
        &self,
        key: &str,
        body: Body,
        headers: &StoredHeaders,
        condition: Condition,
    ) -> Result<String, TargetError> {
        match body {
            Body::Bytes(bytes) => self.put_bytes(key, bytes, headers, condition).await,
            Body::File { path, size, digest } if size >= MULTIPART_BYTES_MIN => {
                self.put_in_parts(key, &path, digest, headers).await
            }
            Body::File { path, digest, .. } => {
                let bytes = tokio::fs::read(&path)
                    .await
                    .map_err(|error| local(&path, &error.to_string()))?;
                if Digest::of(&bytes) != digest {
                    return Err(local(&path, "changed since the plan was made"));
                }
                self.put_bytes(key, bytes.into(), headers, condition).await
            }
        }
    }

    async fn copy(&self, from: &str, to: &str, headers: &StoredHeaders) -> Result<(), TargetError> {
        self.copy_from(&self.name(), from, to, headers).await.map(|_| ())
    }

    async fn copy_from(&self, other: &str, from: &str, to: &str, headers: &StoredHeaders) -> Result<bool, TargetError> {
        let Some(source) = other.strip_prefix("s3://") else {
            return Ok(false);
        };
        // CopyObject goes up to 5 GiB; what is larger does not belong on a static site, and S3 says so.
        let request = self
            .client
            .copy_object()
            .bucket(&self.bucket)
            .key(to)
            .copy_source(format!("{source}/{}", crate::urls::request_path(from)))
            .metadata_directive(MetadataDirective::Replace)
            .set_content_type(headers.content_type.clone())
            .set_cache_control(headers.cache_control.clone())
            .set_content_encoding(headers.content_encoding.clone())
            .set_content_disposition(headers.content_disposition.clone())
            .set_content_language(headers.content_language.clone())
            .set_metadata(Some(headers.metadata.clone().into_iter().collect()));
        let copied = request.send().await;
        copied.map_err(|error| explain("s3:PutObject", self.arn(to), error))?;
        Ok(true)
    }

    async fn delete(&self, keys: &[String]) -> Result<(), TargetError> {
        let invalid = |_| local(std::path::Path::new(&self.bucket), "a key cannot be named");
        for chunk in keys.chunks(DELETE_KEYS_MAX) {
            let identifiers = chunk.iter().map(|key| ObjectIdentifier::builder().key(key).build());
            let identifiers = identifiers.collect::<Result<Vec<_>, _>>().map_err(invalid)?;
            let delete = Delete::builder()
                .set_objects(Some(identifiers))
                .quiet(true)
                .build()
                .map_err(invalid)?;
            let answer = self
                .client
                .delete_objects()
                .bucket(&self.bucket)
                .delete(delete)
                .send()
                .await;
            let answer = answer.map_err(|error| explain("s3:DeleteObject", self.arn("*"), error))?;
            if let Some(error) = answer.errors().first() {
                let code = error.code().unwrap_or_default();
                return Err(TargetError {
                    fault: super::fault_of(code, 0),
                    action: "s3:DeleteObject",
                    resource: self.arn(error.key().unwrap_or_default()),
                    code: code.to_owned(),
                    message: error.message().unwrap_or_default().to_owned(),
                });
            }
        }
        Ok(())
    }
}

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, MetadataDirective, ObjectIdentifier};
use bytes::Bytes;

use super::explain;
use crate::digest::Digest;
use crate::target::{Body, Bucket, Condition, Fault, Head, Listed, StoredHeaders, TargetError};

mod list;
mod parts;
#[cfg(test)]
mod tests;

/// What HeadObject and GetObject answer alike, in two types.
macro_rules! head_of {
    ($answer:expr) => {
        Head {
            size: u64::try_from($answer.content_length().unwrap_or(0)).unwrap_or(0),
            etag: unquoted($answer.e_tag()),
            headers: StoredHeaders {
                content_type: $answer.content_type().map(str::to_owned),
                cache_control: $answer.cache_control().map(str::to_owned),
                content_encoding: $answer.content_encoding().map(str::to_owned),
                content_disposition: $answer.content_disposition().map(str::to_owned),
                content_language: $answer.content_language().map(str::to_owned),
                metadata: $answer.metadata().cloned().unwrap_or_default().into_iter().collect(),
            },
        }
    };
}

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

    async fn list(&self, prefix: &str, cuts: &[String]) -> Result<Vec<Listed>, TargetError> {
        self.list_pieces(prefix, cuts).await
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
        Ok(Some(head_of!(answer)))
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
        let head = head_of!(answer);
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
            Body::File { path, size, digest } if size >= parts::MULTIPART_BYTES_MIN => {
                self.put_in_parts(key, &path, size, digest, headers).await
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

    async fn copy(&self, from: &str, to: &str, headers: &StoredHeaders) -> Result<String, TargetError> {
        let copied = self.copy_from(&self.name(), from, to, headers).await?;
        Ok(copied.unwrap_or_default())
    }

    async fn copy_from(
        &self,
        other: &str,
        from: &str,
        to: &str,
        headers: &StoredHeaders,
    ) -> Result<Option<String>, TargetError> {
        let Some(source) = other.strip_prefix("s3://") else {
            return Ok(None);
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
        let copied = copied.map_err(|error| explain("s3:PutObject", self.arn(to), error))?;
        let etag = copied.copy_object_result().and_then(|result| result.e_tag());
        Ok(Some(unquoted(etag)))
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

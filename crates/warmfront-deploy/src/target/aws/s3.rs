use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, MetadataDirective, ObjectIdentifier};
use bytes::Bytes;

use super::explain;
use crate::digest::Digest;
use crate::target::{
    Body, Bucket, Condition, Fault, Head, Listed, MULTIPART_BYTES_MIN, Place, StoredHeaders, TargetError,
};

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

/// The headers of an object that is written, on requests of three types.
macro_rules! with_headers {
    ($request:expr, $headers:expr) => {
        $request
            .set_content_type($headers.content_type.clone())
            .set_cache_control($headers.cache_control.clone())
            .set_content_encoding($headers.content_encoding.clone())
            .set_content_disposition($headers.content_disposition.clone())
            .set_content_language($headers.content_language.clone())
            .set_metadata(Some($headers.metadata.clone().into_iter().collect()))
    };
}
use with_headers;

/// Keys per DeleteObjects. Source: S3 API reference.
const DELETE_KEYS_MAX: usize = 1_000;

/// One bucket of S3. Clones share what they learn of its region.
#[derive(Clone, Debug)]
pub struct S3Bucket {
    at: Arc<RwLock<Region>>,
    bucket: String,
}

/// Where a bucket is believed to be.
#[derive(Debug)]
struct Region {
    client: Client,
    has_moved: bool,
}

impl S3Bucket {
    pub(super) fn new(client: Client, bucket: &str) -> S3Bucket {
        let at = Region {
            client,
            has_moved: false,
        };
        S3Bucket {
            at: Arc::new(RwLock::new(at)),
            bucket: bucket.to_owned(),
        }
    }

    fn client(&self) -> Client {
        self.at.read().unwrap_or_else(PoisonError::into_inner).client.clone()
    }

    fn arn(&self, key: &str) -> String {
        format!("arn:aws:s3:::{}/{key}", self.bucket)
    }

    /// What an error means. If it says that the bucket lies in another region, calls go there from now on.
    fn explain<E>(&self, action: &'static str, resource: String, error: SdkError<E>) -> TargetError
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let moved = region_in(&error).and_then(|region| self.move_to(region));
        let error = explain(action, resource, error);
        TargetError {
            fault: moved.unwrap_or(error.fault),
            ..error
        }
    }

    /// The fault of a call that was told to go to `region`; `None` if calls go there already.
    fn move_to(&self, region: String) -> Option<Fault> {
        let mut at = self.at.write().unwrap_or_else(PoisonError::into_inner);
        let config = at.client.config();
        if config.region().is_some_and(|now| now.as_ref() == region) {
            // A call that was under way when another one learned it.
            return at.has_moved.then_some(Fault::Unavailable);
        }
        let config = config.to_builder().region(aws_config::Region::new(region));
        *at = Region {
            client: Client::from_conf(config.build()),
            has_moved: true,
        };
        Some(Fault::Moved)
    }

    async fn put_bytes(
        &self,
        key: &str,
        bytes: Bytes,
        headers: &StoredHeaders,
        on: Condition,
    ) -> Result<String, TargetError> {
        let (absent, matches) = match on {
            Condition::Any => (None, None),
            Condition::Absent => (Some("*".to_owned()), None),
            Condition::Matches(etag) => (None, Some(format!("\"{etag}\""))),
        };
        let request = self.client().put_object().bucket(&self.bucket).key(key);
        let request = with_headers!(request, headers)
            .checksum_sha256(Digest::of(&bytes).base64())
            .set_if_none_match(absent)
            .set_if_match(matches)
            .body(ByteStream::from(bytes));
        let answer = request.send().await;
        let answer = answer.map_err(|error| self.explain("s3:PutObject", self.arn(key), error))?;
        Ok(unquoted(answer.e_tag()))
    }
}

/// The region to which S3 sends a client that asked in another one: in a header, or in the error's document.
///
/// Source: Amazon S3 User Guide, "Making requests", request redirection; S3 API reference, "Error responses".
fn region_in<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Option<String> {
    let response = error.raw_response()?;
    let is_redirect = matches!(response.status().as_u16(), 301 | 307)
        || matches!(error.code(), Some("PermanentRedirect" | "AuthorizationHeaderMalformed"));
    if !is_redirect {
        return None;
    }
    if let Some(region) = response.headers().get("x-amz-bucket-region") {
        return Some(region.to_owned());
    }
    let document = std::str::from_utf8(response.body().bytes()?).ok()?;
    let (region, _) = document.split_once("<Region>")?.1.split_once('<')?;
    Some(region.to_owned())
}

fn unquoted(etag: Option<&str>) -> String {
    etag.unwrap_or_default().trim_matches('"').to_owned()
}

/// `None` for what is not there.
fn if_there<T>(answer: Result<T, TargetError>) -> Result<Option<T>, TargetError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.fault == Fault::NotFound && error.code != "NoSuchBucket" => Ok(None),
        Err(error) => Err(error),
    }
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
        let answer = self.client().head_object().bucket(&self.bucket).key(key).send().await;
        let answer = answer.map_err(|error| self.explain("s3:GetObject", self.arn(key), error));
        Ok(if_there(answer)?.map(|answer| head_of!(answer)))
    }

    async fn get(&self, key: &str) -> Result<Option<(Bytes, Head)>, TargetError> {
        let answer = self.client().get_object().bucket(&self.bucket).key(key).send().await;
        let answer = answer.map_err(|error| self.explain("s3:GetObject", self.arn(key), error));
        let Some(answer) = if_there(answer)? else {
            return Ok(None);
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

    async fn put(&self, key: &str, body: Body, headers: &StoredHeaders, on: Condition) -> Result<String, TargetError> {
        match body {
            Body::Bytes(bytes) => self.put_bytes(key, bytes, headers, on).await,
            Body::File { path, size, digest } if size >= MULTIPART_BYTES_MIN => {
                self.put_in_parts(key, &path, size, digest, headers).await
            }
            Body::File { path, digest, .. } => {
                let bytes = tokio::fs::read(&path)
                    .await
                    .map_err(|error| local(&path, &error.to_string()))?;
                if Digest::of(&bytes) != digest {
                    return Err(local(&path, "changed since the plan was made"));
                }
                self.put_bytes(key, bytes.into(), headers, on).await
            }
        }
    }

    async fn copy(&self, from: Place<'_>, to: &str, headers: &StoredHeaders) -> Result<Option<String>, TargetError> {
        let Some(source) = from.bucket.strip_prefix("s3://") else {
            return Ok(None);
        };
        // CopyObject goes up to 5 GiB; what is larger does not belong on a static site, and S3 says so.
        let request = self.client().copy_object().bucket(&self.bucket).key(to);
        let request = with_headers!(request, headers)
            .copy_source(format!("{source}/{}", crate::urls::request_path(from.key)))
            .metadata_directive(MetadataDirective::Replace);
        let copied = request.send().await;
        let copied = copied.map_err(|error| self.explain("s3:PutObject", self.arn(to), error))?;
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
                .client()
                .delete_objects()
                .bucket(&self.bucket)
                .delete(delete)
                .send()
                .await;
            let answer = answer.map_err(|error| self.explain("s3:DeleteObject", self.arn("*"), error))?;
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

use anyhow::Context;
use bytes::Bytes;
use http::Method;
use warmfront_signing::Credentials;

use super::http::{Http, SignedApi};

/// A client of the S3 API, path style. Keys and bucket names must need no escaping in a URL.
#[derive(Clone, Debug)]
pub struct S3(SignedApi);

impl S3 {
    /// The API at `endpoint`, `http://HOST:PORT`.
    pub fn new(http: Http, endpoint: &str, credentials: &Credentials) -> S3 {
        S3(SignedApi::new(http, endpoint, "s3", credentials))
    }

    /// CreateBucket.
    pub async fn create_bucket(&self, bucket: &str) -> anyhow::Result<()> {
        self.0
            .call(Method::PUT, &format!("/{bucket}"), &[], "")
            .await
            .context("CreateBucket")?;
        Ok(())
    }

    /// PutObject with its Content-Type and Cache-Control.
    pub async fn put_object(
        &self,
        bucket: &str,
        key: &str,
        body: impl Into<Bytes>,
        content_type: &str,
        cache_control: &str,
    ) -> anyhow::Result<()> {
        let headers = [("content-type", content_type), ("cache-control", cache_control)];
        let path = format!("/{bucket}/{key}");
        self.0
            .call(Method::PUT, &path, &headers, body)
            .await
            .with_context(|| format!("PutObject {key}"))?;
        Ok(())
    }

    /// PutBucketPolicy.
    pub async fn put_bucket_policy(&self, bucket: &str, policy: String) -> anyhow::Result<()> {
        let headers = [("content-type", "application/json")];
        self.0
            .call(Method::PUT, &format!("/{bucket}?policy"), &headers, policy)
            .await
            .context("PutBucketPolicy")?;
        Ok(())
    }
}

use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result, s3_error};
use warmfront_policy::{Policy as BucketPolicy, PolicyKind, is_public};

use super::Operations;
use crate::digest;
use crate::errors;
use crate::store::{BucketError, PublicAccessBlock};

impl Operations {
    pub(super) async fn put_bucket_policy(
        &self,
        request: S3Request<PutBucketPolicyInput>,
    ) -> S3Result<S3Response<PutBucketPolicyOutput>> {
        let input = request.input;
        let text = input.policy;
        require_md5(input.content_md5.as_deref(), text.as_bytes())?;
        let policy = BucketPolicy::parse(&text, PolicyKind::Bucket).map_err(|error| {
            s3_error!(
                MalformedPolicy,
                "Policies must be valid JSON and suit a bucket: {}",
                error
            )
        })?;
        check_for_bucket(&policy, &input.bucket)?;
        let state = self
            .shared
            .store
            .buckets
            .get(&input.bucket)
            .ok_or_else(errors::no_such_bucket)?;
        let blocks = state
            .record
            .public_access_block
            .is_some_and(|block| block.block_public_policy);
        if blocks && is_public(&policy) {
            return Err(s3_error!(
                AccessDenied,
                "Access Denied: public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access."
            ));
        }
        self.shared
            .blocking(move |store| store.change_bucket(&input.bucket, |record| record.policy = Some(text)))
            .await?;
        Ok(S3Response::new(PutBucketPolicyOutput {}))
    }

    pub(super) async fn get_bucket_policy(
        &self,
        request: S3Request<GetBucketPolicyInput>,
    ) -> S3Result<S3Response<GetBucketPolicyOutput>> {
        let policy = self.policy_of(&request.input.bucket)?;
        Ok(S3Response::new(GetBucketPolicyOutput { policy: Some(policy) }))
    }

    pub(super) async fn get_bucket_policy_status(
        &self,
        request: S3Request<GetBucketPolicyStatusInput>,
    ) -> S3Result<S3Response<GetBucketPolicyStatusOutput>> {
        let policy = self.policy_of(&request.input.bucket)?;
        let is_public = BucketPolicy::parse(&policy, PolicyKind::Bucket).is_ok_and(|policy| is_public(&policy));
        let policy_status = Some(PolicyStatus {
            is_public: Some(is_public),
        });
        Ok(S3Response::new(GetBucketPolicyStatusOutput { policy_status }))
    }

    pub(super) async fn delete_bucket_policy(
        &self,
        request: S3Request<DeleteBucketPolicyInput>,
    ) -> S3Result<S3Response<DeleteBucketPolicyOutput>> {
        self.shared
            .blocking(move |store| store.change_bucket(&request.input.bucket, |record| record.policy = None))
            .await?;
        Ok(S3Response::new(DeleteBucketPolicyOutput {}))
    }

    pub(super) async fn put_public_access_block(
        &self,
        request: S3Request<PutPublicAccessBlockInput>,
    ) -> S3Result<S3Response<PutPublicAccessBlockOutput>> {
        let wanted = request.input.public_access_block_configuration;
        // What is not given is false. Source: S3 API reference, PublicAccessBlockConfiguration.
        let block = PublicAccessBlock {
            block_public_acls: wanted.block_public_acls.unwrap_or(false),
            ignore_public_acls: wanted.ignore_public_acls.unwrap_or(false),
            block_public_policy: wanted.block_public_policy.unwrap_or(false),
            restrict_public_buckets: wanted.restrict_public_buckets.unwrap_or(false),
        };
        self.set_public_access_block(request.input.bucket, Some(block)).await?;
        Ok(S3Response::new(PutPublicAccessBlockOutput {}))
    }

    pub(super) async fn get_public_access_block(
        &self,
        request: S3Request<GetPublicAccessBlockInput>,
    ) -> S3Result<S3Response<GetPublicAccessBlockOutput>> {
        let state = self
            .shared
            .store
            .buckets
            .get(&request.input.bucket)
            .ok_or_else(errors::no_such_bucket)?;
        let block = state.record.public_access_block.ok_or_else(|| {
            errors::custom(
                "NoSuchPublicAccessBlockConfiguration",
                http::StatusCode::NOT_FOUND,
                "The public access block configuration was not found",
            )
        })?;
        let configuration = PublicAccessBlockConfiguration {
            block_public_acls: Some(block.block_public_acls),
            block_public_policy: Some(block.block_public_policy),
            ignore_public_acls: Some(block.ignore_public_acls),
            restrict_public_buckets: Some(block.restrict_public_buckets),
        };
        let output = GetPublicAccessBlockOutput {
            public_access_block_configuration: Some(configuration),
        };
        Ok(S3Response::new(output))
    }

    pub(super) async fn delete_public_access_block(
        &self,
        request: S3Request<DeletePublicAccessBlockInput>,
    ) -> S3Result<S3Response<DeletePublicAccessBlockOutput>> {
        self.set_public_access_block(request.input.bucket, None).await?;
        Ok(S3Response::new(DeletePublicAccessBlockOutput {}))
    }

    async fn set_public_access_block(
        &self,
        bucket: String,
        block: Option<PublicAccessBlock>,
    ) -> Result<(), BucketError> {
        self.shared
            .blocking(move |store| store.change_bucket(&bucket, |record| record.public_access_block = block))
            .await
    }

    fn policy_of(&self, bucket: &str) -> S3Result<String> {
        let state = self
            .shared
            .store
            .buckets
            .get(bucket)
            .ok_or_else(errors::no_such_bucket)?;
        state
            .record
            .policy
            .clone()
            .ok_or_else(|| s3_error!(NoSuchBucketPolicy, "The bucket policy does not exist"))
    }
}

/// Refuses a policy that speaks of something else than this bucket, or not of S3, as AWS does.
fn check_for_bucket(policy: &BucketPolicy, bucket: &str) -> S3Result<()> {
    let is_of_bucket = |resource: &str| {
        let Some(name) = resource.strip_prefix("arn:aws:s3:::") else {
            return resource == "*";
        };
        name.strip_prefix(bucket)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '*', '?']))
            || name.starts_with(['*', '?', '$'])
    };
    if !policy.resources().all(is_of_bucket) {
        return Err(s3_error!(MalformedPolicy, "Policy has invalid resource"));
    }
    let is_of_s3 = |action: &str| action == "*" || action.to_ascii_lowercase().starts_with("s3:");
    if !policy.actions().all(is_of_s3) {
        return Err(s3_error!(MalformedPolicy, "Policy has invalid action"));
    }
    Ok(())
}

/// Verifies a Content-MD5 of a body that is in memory.
fn require_md5(announced: Option<&str>, body: &[u8]) -> S3Result<()> {
    let Some(announced) = announced else { return Ok(()) };
    match digest::from_base64(announced) {
        Some(md5) if md5 == digest::md5(body) => Ok(()),
        Some(md5) if md5.len() == 16 => Err(crate::ingest::IngestError::Md5Mismatch.into()),
        _ => Err(crate::ingest::IngestError::InvalidDigest.into()),
    }
}

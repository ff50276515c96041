//! S3's operations, one file per family; here only which method leads where.

mod buckets;
mod copy;
mod defaults;
mod delete;
mod get;
mod list;
mod metadata;
mod multipart;
mod policy;
mod put;

use std::sync::Arc;

use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result};

use crate::access::{Access, Caller};
use crate::bucket::Shared;
use crate::errors;

/// S3 as this bucket does it. Who asks has been judged before; what an operation needs beyond that, it asks `access`.
pub(crate) struct Operations {
    shared: Arc<Shared>,
    access: Arc<Access>,
}

impl Operations {
    pub(crate) fn new(shared: Arc<Shared>, access: Arc<Access>) -> Operations {
        Operations { shared, access }
    }

    /// Who asks.
    fn caller<T>(&self, request: &S3Request<T>) -> S3Result<Caller> {
        request
            .extensions
            .get::<Caller>()
            .cloned()
            .ok_or_else(errors::access_denied)
    }

    fn now_ms(&self) -> i64 {
        self.shared.options.clock.now().0
    }
}

macro_rules! operations {
    ($($method:ident($input:ident) -> $output:ident;)*) => {
        #[async_trait::async_trait]
        impl S3 for Operations {
            $(async fn $method(&self, request: S3Request<$input>) -> S3Result<S3Response<$output>> {
                Operations::$method(self, request).await
            })*
        }
    };
}

operations! {
    create_bucket(CreateBucketInput) -> CreateBucketOutput;
    list_buckets(ListBucketsInput) -> ListBucketsOutput;
    head_bucket(HeadBucketInput) -> HeadBucketOutput;
    get_bucket_location(GetBucketLocationInput) -> GetBucketLocationOutput;
    delete_bucket(DeleteBucketInput) -> DeleteBucketOutput;

    put_bucket_policy(PutBucketPolicyInput) -> PutBucketPolicyOutput;
    get_bucket_policy(GetBucketPolicyInput) -> GetBucketPolicyOutput;
    get_bucket_policy_status(GetBucketPolicyStatusInput) -> GetBucketPolicyStatusOutput;
    delete_bucket_policy(DeleteBucketPolicyInput) -> DeleteBucketPolicyOutput;
    put_public_access_block(PutPublicAccessBlockInput) -> PutPublicAccessBlockOutput;
    get_public_access_block(GetPublicAccessBlockInput) -> GetPublicAccessBlockOutput;
    delete_public_access_block(DeletePublicAccessBlockInput) -> DeletePublicAccessBlockOutput;

    get_bucket_acl(GetBucketAclInput) -> GetBucketAclOutput;
    get_bucket_versioning(GetBucketVersioningInput) -> GetBucketVersioningOutput;
    get_bucket_tagging(GetBucketTaggingInput) -> GetBucketTaggingOutput;
    get_bucket_ownership_controls(GetBucketOwnershipControlsInput) -> GetBucketOwnershipControlsOutput;
    get_bucket_cors(GetBucketCorsInput) -> GetBucketCorsOutput;
    get_bucket_website(GetBucketWebsiteInput) -> GetBucketWebsiteOutput;
    get_bucket_lifecycle_configuration(GetBucketLifecycleConfigurationInput) -> GetBucketLifecycleConfigurationOutput;
    get_object_acl(GetObjectAclInput) -> GetObjectAclOutput;
    get_object_tagging(GetObjectTaggingInput) -> GetObjectTaggingOutput;

    put_object(PutObjectInput) -> PutObjectOutput;
    get_object(GetObjectInput) -> GetObjectOutput;
    head_object(HeadObjectInput) -> HeadObjectOutput;
    copy_object(CopyObjectInput) -> CopyObjectOutput;
    delete_object(DeleteObjectInput) -> DeleteObjectOutput;
    delete_objects(DeleteObjectsInput) -> DeleteObjectsOutput;
    list_objects(ListObjectsInput) -> ListObjectsOutput;
    list_objects_v2(ListObjectsV2Input) -> ListObjectsV2Output;

    create_multipart_upload(CreateMultipartUploadInput) -> CreateMultipartUploadOutput;
    upload_part(UploadPartInput) -> UploadPartOutput;
    upload_part_copy(UploadPartCopyInput) -> UploadPartCopyOutput;
    complete_multipart_upload(CompleteMultipartUploadInput) -> CompleteMultipartUploadOutput;
    abort_multipart_upload(AbortMultipartUploadInput) -> AbortMultipartUploadOutput;
    list_parts(ListPartsInput) -> ListPartsOutput;
    list_multipart_uploads(ListMultipartUploadsInput) -> ListMultipartUploadsOutput;
}

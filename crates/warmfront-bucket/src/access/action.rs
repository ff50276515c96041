//! Which permission an operation needs.
//!
//! Source: IAM service authorization reference, "Actions, resources, and condition keys for Amazon S3"; S3 User Guide,
//! "Required permissions for Amazon S3 API operations".

/// A permission, and on what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Required {
    pub action: &'static str,
    pub target: Target,
}

/// What a permission is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Account,
    NewBucket,
    Bucket,
    Object,
    /// The objects that the request's body names.
    KeysInBody,
}

/// What `operation` needs; `None` for those that only the account's root may try.
pub(super) fn required(operation: &str, has_version_id: bool) -> Option<Required> {
    let (action, target) = match operation {
        "ListBuckets" => ("s3:ListAllMyBuckets", Target::Account),
        "CreateBucket" => ("s3:CreateBucket", Target::NewBucket),
        "DeleteBucket" => ("s3:DeleteBucket", Target::Bucket),
        "HeadBucket" | "ListObjects" | "ListObjectsV2" => ("s3:ListBucket", Target::Bucket),
        "ListMultipartUploads" => ("s3:ListBucketMultipartUploads", Target::Bucket),
        "GetBucketLocation" => ("s3:GetBucketLocation", Target::Bucket),
        "GetBucketPolicy" => ("s3:GetBucketPolicy", Target::Bucket),
        "GetBucketPolicyStatus" => ("s3:GetBucketPolicyStatus", Target::Bucket),
        "PutBucketPolicy" => ("s3:PutBucketPolicy", Target::Bucket),
        "DeleteBucketPolicy" => ("s3:DeleteBucketPolicy", Target::Bucket),
        "GetPublicAccessBlock" => ("s3:GetBucketPublicAccessBlock", Target::Bucket),
        "PutPublicAccessBlock" | "DeletePublicAccessBlock" => ("s3:PutBucketPublicAccessBlock", Target::Bucket),
        "GetBucketAcl" => ("s3:GetBucketAcl", Target::Bucket),
        "GetBucketVersioning" => ("s3:GetBucketVersioning", Target::Bucket),
        "GetBucketTagging" => ("s3:GetBucketTagging", Target::Bucket),
        "GetBucketOwnershipControls" => ("s3:GetBucketOwnershipControls", Target::Bucket),
        "GetBucketCors" => ("s3:GetBucketCORS", Target::Bucket),
        "GetBucketWebsite" => ("s3:GetBucketWebsite", Target::Bucket),
        "GetBucketLifecycleConfiguration" => ("s3:GetLifecycleConfiguration", Target::Bucket),
        "DeleteObjects" => ("s3:DeleteObject", Target::KeysInBody),
        "GetObject" | "HeadObject" if has_version_id => ("s3:GetObjectVersion", Target::Object),
        "GetObject" | "HeadObject" => ("s3:GetObject", Target::Object),
        "GetObjectTagging" => ("s3:GetObjectTagging", Target::Object),
        "GetObjectAcl" => ("s3:GetObjectAcl", Target::Object),
        "PutObject"
        | "CopyObject"
        | "CreateMultipartUpload"
        | "UploadPart"
        | "UploadPartCopy"
        | "CompleteMultipartUpload" => ("s3:PutObject", Target::Object),
        "AbortMultipartUpload" => ("s3:AbortMultipartUpload", Target::Object),
        "ListParts" => ("s3:ListMultipartUploadParts", Target::Object),
        "DeleteObject" if has_version_id => ("s3:DeleteObjectVersion", Target::Object),
        "DeleteObject" => ("s3:DeleteObject", Target::Object),
        _ => return None,
    };
    Some(Required { action, target })
}

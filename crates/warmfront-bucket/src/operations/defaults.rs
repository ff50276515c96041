//! Configurations that this bucket does not have: each answers as S3 does for a bucket where nothing was configured.

use http::StatusCode;
use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::Operations;
use crate::errors::custom;

impl Operations {
    pub(super) async fn get_bucket_acl(
        &self,
        _request: S3Request<GetBucketAclInput>,
    ) -> S3Result<S3Response<GetBucketAclOutput>> {
        Ok(S3Response::new(GetBucketAclOutput {
            grants: Some(self.grants()),
            owner: Some(self.owner()),
        }))
    }

    pub(super) async fn get_object_acl(
        &self,
        request: S3Request<GetObjectAclInput>,
    ) -> S3Result<S3Response<GetObjectAclOutput>> {
        let caller = self.caller(&request)?;
        self.find(&caller, request.input.bucket, request.input.key).await?;
        let (grants, owner) = (Some(self.grants()), Some(self.owner()));
        Ok(S3Response::new(GetObjectAclOutput {
            grants,
            owner,
            ..Default::default()
        }))
    }

    /// The owner may do everything, and there are no other grants: ACLs are disabled, as in every new bucket of AWS.
    fn grants(&self) -> Grants {
        let owner = self.owner();
        let grantee = Grantee {
            display_name: None,
            email_address: None,
            id: owner.id,
            type_: Type::from_static(Type::CANONICAL_USER),
            uri: None,
        };
        let permission = Permission::from_static(Permission::FULL_CONTROL);
        vec![Grant {
            grantee: Some(grantee),
            permission: Some(permission),
        }]
    }

    pub(super) async fn get_bucket_versioning(
        &self,
        _request: S3Request<GetBucketVersioningInput>,
    ) -> S3Result<S3Response<GetBucketVersioningOutput>> {
        Ok(S3Response::new(GetBucketVersioningOutput::default()))
    }

    pub(super) async fn get_bucket_ownership_controls(
        &self,
        _request: S3Request<GetBucketOwnershipControlsInput>,
    ) -> S3Result<S3Response<GetBucketOwnershipControlsOutput>> {
        let object_ownership = ObjectOwnership::from_static(ObjectOwnership::BUCKET_OWNER_ENFORCED);
        let controls = OwnershipControls {
            rules: vec![OwnershipControlsRule { object_ownership }],
        };
        Ok(S3Response::new(GetBucketOwnershipControlsOutput {
            ownership_controls: Some(controls),
        }))
    }

    pub(super) async fn get_bucket_tagging(
        &self,
        _request: S3Request<GetBucketTaggingInput>,
    ) -> S3Result<S3Response<GetBucketTaggingOutput>> {
        Err(s3_error!(NoSuchTagSet, "The TagSet does not exist"))
    }

    pub(super) async fn get_bucket_cors(
        &self,
        _request: S3Request<GetBucketCorsInput>,
    ) -> S3Result<S3Response<GetBucketCorsOutput>> {
        Err(s3_error!(
            NoSuchCORSConfiguration,
            "The CORS configuration does not exist"
        ))
    }

    pub(super) async fn get_bucket_website(
        &self,
        _request: S3Request<GetBucketWebsiteInput>,
    ) -> S3Result<S3Response<GetBucketWebsiteOutput>> {
        Err(custom(
            "NoSuchWebsiteConfiguration",
            StatusCode::NOT_FOUND,
            "The specified bucket does not have a website configuration",
        ))
    }

    pub(super) async fn get_bucket_lifecycle_configuration(
        &self,
        _request: S3Request<GetBucketLifecycleConfigurationInput>,
    ) -> S3Result<S3Response<GetBucketLifecycleConfigurationOutput>> {
        Err(s3_error!(
            NoSuchLifecycleConfiguration,
            "The lifecycle configuration does not exist"
        ))
    }

    pub(super) async fn get_object_tagging(
        &self,
        request: S3Request<GetObjectTaggingInput>,
    ) -> S3Result<S3Response<GetObjectTaggingOutput>> {
        let caller = self.caller(&request)?;
        self.find(&caller, request.input.bucket, request.input.key).await?;
        Ok(S3Response::new(GetObjectTaggingOutput {
            tag_set: Vec::new(),
            version_id: None,
        }))
    }
}

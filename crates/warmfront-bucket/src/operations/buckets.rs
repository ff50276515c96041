use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::Operations;
use crate::dates;
use crate::errors;
use crate::store::{BucketRecord, PublicAccessBlock};

/// The most buckets in one answer, and how many without being asked. Source: S3 API reference, ListBuckets.
const BUCKETS_LISTED_MAX: i32 = 10_000;

impl Operations {
    pub(super) async fn create_bucket(
        &self,
        request: S3Request<CreateBucketInput>,
    ) -> S3Result<S3Response<CreateBucketOutput>> {
        let input = request.input;
        if !is_allowed_name(&input.bucket) {
            return Err(s3_error!(InvalidBucketName, "The specified bucket is not valid."));
        }
        if input.object_lock_enabled_for_bucket == Some(true) {
            return Err(errors::not_implemented("Object Lock"));
        }
        if input.acl.is_some_and(|acl| acl.as_str() != BucketCannedACL::PRIVATE) {
            return Err(s3_error!(
                InvalidBucketAclWithObjectOwnership,
                "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"
            ));
        }
        let constraint = input
            .create_bucket_configuration
            .and_then(|configuration| configuration.location_constraint);
        let region = match constraint.as_ref().map(BucketLocationConstraint::as_str) {
            None => self.shared.options.region.clone(),
            // As old as S3 itself, and still taken for what it meant.
            Some("EU") => "eu-west-1".to_owned(),
            Some(region) if is_region(region) => region.to_owned(),
            Some(_) => {
                return Err(s3_error!(
                    InvalidLocationConstraint,
                    "The specified location-constraint is not valid"
                ));
            }
        };
        let record = BucketRecord {
            created_ms: self.now_ms(),
            region,
            policy: None,
            public_access_block: Some(PublicAccessBlock::ALL),
        };
        let location = format!("/{}", input.bucket);
        self.shared
            .blocking(move |store| store.create_bucket(&input.bucket, record))
            .await?;
        Ok(S3Response::new(CreateBucketOutput {
            location: Some(location),
        }))
    }

    pub(super) async fn list_buckets(
        &self,
        request: S3Request<ListBucketsInput>,
    ) -> S3Result<S3Response<ListBucketsOutput>> {
        let input = request.input;
        let n_max = input.max_buckets.unwrap_or(BUCKETS_LISTED_MAX);
        if !(1..=BUCKETS_LISTED_MAX).contains(&n_max) {
            return Err(s3_error!(InvalidArgument, "MaxBuckets must be between 1 and 10000"));
        }
        let n_max = n_max.unsigned_abs() as usize;
        let prefix = input.prefix.clone().unwrap_or_default();
        let after = input.continuation_token.unwrap_or_default();
        let mut found = self.shared.store.buckets.list(&prefix, &after, usize::MAX);
        if let Some(region) = &input.bucket_region {
            found.retain(|(_, state)| state.record.region == *region);
        }
        let is_truncated = found.len() > n_max;
        found.truncate(n_max);
        let continuation_token = found.last().filter(|_| is_truncated).map(|(name, _)| name.clone());
        let buckets = found.into_iter().map(|(name, state)| Bucket {
            bucket_region: Some(state.record.region.clone()),
            creation_date: Some(dates::from_ms(state.record.created_ms)),
            name: Some(name),
        });
        Ok(S3Response::new(ListBucketsOutput {
            buckets: Some(buckets.collect()),
            continuation_token,
            owner: Some(self.owner()),
            prefix: input.prefix,
        }))
    }

    pub(super) async fn head_bucket(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        let state = self
            .shared
            .store
            .buckets
            .get(&request.input.bucket)
            .ok_or_else(errors::no_such_bucket)?;
        let output = HeadBucketOutput {
            bucket_region: Some(state.record.region.clone()),
            ..Default::default()
        };
        Ok(S3Response::new(output))
    }

    pub(super) async fn get_bucket_location(
        &self,
        request: S3Request<GetBucketLocationInput>,
    ) -> S3Result<S3Response<GetBucketLocationOutput>> {
        let state = self
            .shared
            .store
            .buckets
            .get(&request.input.bucket)
            .ok_or_else(errors::no_such_bucket)?;
        // A bucket in us-east-1 has no location constraint. Source: S3 API reference, GetBucketLocation.
        let region = Some(state.record.region.clone()).filter(|region| region != "us-east-1");
        let location_constraint = region.map(BucketLocationConstraint::from);
        Ok(S3Response::new(GetBucketLocationOutput { location_constraint }))
    }

    pub(super) async fn delete_bucket(
        &self,
        request: S3Request<DeleteBucketInput>,
    ) -> S3Result<S3Response<DeleteBucketOutput>> {
        self.shared
            .blocking(move |store| store.delete_bucket(&request.input.bucket))
            .await?;
        Ok(S3Response::new(DeleteBucketOutput {}))
    }

    /// The account as S3 names owners: 64 hexadecimal digits.
    pub(super) fn owner(&self) -> Owner {
        let account = self.shared.options.account.as_str();
        let id = hex::encode(crate::digest::Algorithm::Sha256.of(account.as_bytes()));
        Owner {
            display_name: None,
            id: Some(id),
        }
    }
}

/// Names that are reserved, beyond the rules for characters and length.
///
/// Source: S3 User Guide, "General purpose bucket naming rules".
fn is_allowed_name(name: &str) -> bool {
    let is_reserved = ["xn--", "sthree-", "amzn-s3-demo-"]
        .iter()
        .any(|start| name.starts_with(start))
        || ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"]
            .iter()
            .any(|end| name.ends_with(end));
    !is_reserved
}

/// Whether this could be a region's name: `eu-west-1`, `ap-southeast-2`, `us-gov-west-1`.
fn is_region(name: &str) -> bool {
    let parts: Vec<&str> = name.split('-').collect();
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_word = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    (3..=4).contains(&parts.len())
        && parts.last().is_some_and(is_number)
        && parts[..parts.len() - 1].iter().all(is_word)
}

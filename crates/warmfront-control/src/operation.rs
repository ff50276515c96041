//! CloudFront's operations, one file for each.

use warmfront_model::{CachePolicy, DistributionId, OriginRequestPolicy, ResourceArn, ResponseHeadersPolicy};
use warmfront_wire::Operation;

use crate::Identity;
use crate::answer::Answer;
use crate::call::Call;
use crate::error::ApiError;
use crate::state::State;

mod create_distribution;
mod create_invalidation;
mod create_origin_access_control;
mod create_policy;
mod delete_distribution;
mod delete_origin_access_control;
mod delete_policy;
mod get_distribution;
mod get_invalidation;
mod get_origin_access_control;
mod get_policy;
mod list_distributions;
mod list_distributions_by_policy;
mod list_invalidations;
mod list_origin_access_controls;
mod list_policies;
mod list_tags_for_resource;
mod tag_resource;
mod tagged;
mod untag_resource;
mod update_distribution;
mod update_origin_access_control;
mod update_policy;

pub(crate) use create_invalidation::ITEMS_MAX as INVALIDATION_ITEMS_MAX;
use create_policy::create_policy;
use delete_policy::delete_policy;
use get_policy::{get_policy, get_policy_config};
use list_distributions_by_policy::list_distributions_by_policy;
use list_policies::list_policies;
use update_policy::update_policy;

/// What an operation works with.
pub(crate) struct Context<'a> {
    pub(crate) state: &'a State,
    pub(crate) call: &'a Call,
    /// Who signed it.
    pub(crate) caller: &'a Identity,
    /// The labels in the path, by AWS's name.
    pub(crate) labels: &'a [(&'static str, String)],
}

impl Context<'_> {
    /// A label of the path; empty if the path has none of this name.
    fn label(&self, name: &str) -> &str {
        self.labels
            .iter()
            .find(|(label, _)| *label == name)
            .map_or("", |(_, value)| value)
    }

    /// The distribution in the path: `Id`, or `DistributionId` where an Id of something else stands beside it.
    /// What is no Id is no distribution's.
    fn distribution_id(&self) -> Result<DistributionId, ApiError> {
        let text = match self.label("DistributionId") {
            "" => self.label("Id"),
            text => text,
        };
        DistributionId::parse(text).map_err(|_| ApiError::NoSuchDistribution)
    }
}

pub(crate) async fn perform(operation: Operation, context: &Context<'_>) -> Result<Answer, ApiError> {
    match operation {
        Operation::CreateDistribution => create_distribution::create_distribution(context).await,
        Operation::CreateDistributionWithTags => create_distribution::create_distribution_with_tags(context).await,
        Operation::GetDistribution => get_distribution::get_distribution(context).await,
        Operation::GetDistributionConfig => get_distribution::get_distribution_config(context).await,
        Operation::UpdateDistribution => update_distribution::update_distribution(context).await,
        Operation::DeleteDistribution => delete_distribution::delete_distribution(context).await,
        Operation::ListDistributions => list_distributions::list_distributions(context).await,
        Operation::CreateInvalidation => create_invalidation::create_invalidation(context).await,
        Operation::GetInvalidation => get_invalidation::get_invalidation(context).await,
        Operation::ListInvalidations => list_invalidations::list_invalidations(context).await,
        Operation::CreateOriginAccessControl => {
            create_origin_access_control::create_origin_access_control(context).await
        }
        Operation::GetOriginAccessControl => get_origin_access_control::get_origin_access_control(context).await,
        Operation::GetOriginAccessControlConfig => {
            get_origin_access_control::get_origin_access_control_config(context).await
        }
        Operation::UpdateOriginAccessControl => {
            update_origin_access_control::update_origin_access_control(context).await
        }
        Operation::DeleteOriginAccessControl => {
            delete_origin_access_control::delete_origin_access_control(context).await
        }
        Operation::ListOriginAccessControls => list_origin_access_controls::list_origin_access_controls(context).await,
        Operation::CreateCachePolicy => create_policy::<CachePolicy>(context).await,
        Operation::GetCachePolicy => get_policy::<CachePolicy>(context).await,
        Operation::GetCachePolicyConfig => get_policy_config::<CachePolicy>(context).await,
        Operation::UpdateCachePolicy => update_policy::<CachePolicy>(context).await,
        Operation::DeleteCachePolicy => delete_policy::<CachePolicy>(context).await,
        Operation::ListCachePolicies => list_policies::<CachePolicy>(context).await,
        Operation::ListDistributionsByCachePolicyId => list_distributions_by_policy::<CachePolicy>(context).await,
        Operation::CreateOriginRequestPolicy => create_policy::<OriginRequestPolicy>(context).await,
        Operation::GetOriginRequestPolicy => get_policy::<OriginRequestPolicy>(context).await,
        Operation::GetOriginRequestPolicyConfig => get_policy_config::<OriginRequestPolicy>(context).await,
        Operation::UpdateOriginRequestPolicy => update_policy::<OriginRequestPolicy>(context).await,
        Operation::DeleteOriginRequestPolicy => delete_policy::<OriginRequestPolicy>(context).await,
        Operation::ListOriginRequestPolicies => list_policies::<OriginRequestPolicy>(context).await,
        Operation::ListDistributionsByOriginRequestPolicyId => {
            list_distributions_by_policy::<OriginRequestPolicy>(context).await
        }
        Operation::CreateResponseHeadersPolicy => create_policy::<ResponseHeadersPolicy>(context).await,
        Operation::GetResponseHeadersPolicy => get_policy::<ResponseHeadersPolicy>(context).await,
        Operation::GetResponseHeadersPolicyConfig => get_policy_config::<ResponseHeadersPolicy>(context).await,
        Operation::UpdateResponseHeadersPolicy => update_policy::<ResponseHeadersPolicy>(context).await,
        Operation::DeleteResponseHeadersPolicy => delete_policy::<ResponseHeadersPolicy>(context).await,
        Operation::ListResponseHeadersPolicies => list_policies::<ResponseHeadersPolicy>(context).await,
        Operation::ListDistributionsByResponseHeadersPolicyId => {
            list_distributions_by_policy::<ResponseHeadersPolicy>(context).await
        }
        Operation::TagResource => tag_resource::tag_resource(context).await,
        Operation::UntagResource => untag_resource::untag_resource(context).await,
        Operation::ListTagsForResource => list_tags_for_resource::list_tags_for_resource(context).await,
    }
}

/// Which actions an identity needs for an operation, and on which resource each.
///
/// Source: IAM service authorization reference, "Actions, resources, and condition keys for Amazon CloudFront": lists have
/// no resource, what is about to be created is any of its kind, an invalidation belongs to its distribution.
pub(crate) fn permissions(operation: Operation, context: &Context<'_>) -> Vec<(String, String)> {
    let arn = |kind: &str, id: &str| format!("arn:aws:cloudfront::{}:{kind}/{id}", context.state.options.account);
    let label = match operation {
        Operation::CreateInvalidation | Operation::GetInvalidation | Operation::ListInvalidations => "DistributionId",
        _ => "Id",
    };
    let id = context.label(label);
    let resource = match operation {
        Operation::ListDistributions
        | Operation::ListOriginAccessControls
        | Operation::ListCachePolicies
        | Operation::ListOriginRequestPolicies
        | Operation::ListResponseHeadersPolicies
        | Operation::ListDistributionsByCachePolicyId
        | Operation::ListDistributionsByOriginRequestPolicyId
        | Operation::ListDistributionsByResponseHeadersPolicyId => "*".to_owned(),
        Operation::CreateDistribution | Operation::CreateDistributionWithTags => arn("distribution", "*"),
        Operation::CreateOriginAccessControl => arn("origin-access-control", "*"),
        Operation::GetDistribution
        | Operation::GetDistributionConfig
        | Operation::UpdateDistribution
        | Operation::DeleteDistribution
        | Operation::CreateInvalidation
        | Operation::GetInvalidation
        | Operation::ListInvalidations => arn("distribution", id),
        Operation::GetOriginAccessControl
        | Operation::GetOriginAccessControlConfig
        | Operation::UpdateOriginAccessControl
        | Operation::DeleteOriginAccessControl => arn("origin-access-control", id),
        Operation::CreateCachePolicy => arn("cache-policy", "*"),
        Operation::GetCachePolicy
        | Operation::GetCachePolicyConfig
        | Operation::UpdateCachePolicy
        | Operation::DeleteCachePolicy => arn("cache-policy", id),
        Operation::CreateOriginRequestPolicy => arn("origin-request-policy", "*"),
        Operation::GetOriginRequestPolicy
        | Operation::GetOriginRequestPolicyConfig
        | Operation::UpdateOriginRequestPolicy
        | Operation::DeleteOriginRequestPolicy => arn("origin-request-policy", id),
        Operation::CreateResponseHeadersPolicy => arn("response-headers-policy", "*"),
        Operation::GetResponseHeadersPolicy
        | Operation::GetResponseHeadersPolicyConfig
        | Operation::UpdateResponseHeadersPolicy
        | Operation::DeleteResponseHeadersPolicy => arn("response-headers-policy", id),
        Operation::TagResource | Operation::UntagResource | Operation::ListTagsForResource => {
            context.call.parameter("Resource").unwrap_or_else(|| "*".to_owned())
        }
    };
    let action = |name: &str| format!("cloudfront:{name}");
    match operation {
        // Source: CloudFront Developer Guide, "Tag a distribution": creating with tags takes both permissions.
        Operation::CreateDistributionWithTags => {
            vec![
                (action("CreateDistribution"), resource.clone()),
                (action("TagResource"), resource),
            ]
        }
        operation => vec![(action(operation.name()), resource)],
    }
}

/// The ARN of a distribution of this account.
fn distribution_arn(state: &State, id: &DistributionId) -> String {
    ResourceArn::distribution(&state.options.account, id).to_string()
}

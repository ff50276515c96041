use std::sync::Arc;

use warmfront_model::{CachePolicy, OriginRequestPolicy, ResponseHeadersPolicy};

use super::managed::{managed_cache_policies, managed_origin_request_policies, managed_response_headers_policies};

/// Where the policies come from that behaviors name by Id.
pub trait Policies {
    /// The cache policy with this Id.
    fn cache_policy(&self, id: &str) -> Option<Arc<CachePolicy>>;

    /// The origin request policy with this Id.
    fn origin_request_policy(&self, id: &str) -> Option<Arc<OriginRequestPolicy>>;

    /// The response headers policy with this Id.
    fn response_headers_policy(&self, id: &str) -> Option<Arc<ResponseHeadersPolicy>>;
}

/// The policies that AWS manages, and no others.
#[derive(Clone, Copy, Debug, Default)]
pub struct ManagedPolicies;

impl Policies for ManagedPolicies {
    fn cache_policy(&self, id: &str) -> Option<Arc<CachePolicy>> {
        let found = managed_cache_policies()
            .iter()
            .find(|managed| *managed.policy.id == *id);
        found.map(|managed| Arc::clone(&managed.policy))
    }

    fn origin_request_policy(&self, id: &str) -> Option<Arc<OriginRequestPolicy>> {
        let found = managed_origin_request_policies()
            .iter()
            .find(|managed| *managed.policy.id == *id);
        found.map(|managed| Arc::clone(&managed.policy))
    }

    fn response_headers_policy(&self, id: &str) -> Option<Arc<ResponseHeadersPolicy>> {
        let found = managed_response_headers_policies()
            .iter()
            .find(|managed| *managed.policy.id == *id);
        found.map(|managed| Arc::clone(&managed.policy))
    }
}

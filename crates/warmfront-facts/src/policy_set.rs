use std::sync::Arc;

use imbl::OrdMap;
use warmfront_model::{
    CachePolicy, Distribution, KeyPart, OriginRequestHeaders, OriginRequestPolicy, ResponseHeadersPolicy, TtlBounds,
};
use warmfront_wire::convert::{self, ManagedPolicies, Policies};

use crate::{DistributionRecord, Policy, PolicyKind, PolicyRecord};

/// What a commit says of a policy: it was written, or deleted.
#[derive(Clone, Debug)]
pub enum PolicyFact {
    /// A cache policy.
    Cache(String, Option<Arc<PolicyRecord<CachePolicy>>>),
    /// An origin request policy.
    OriginRequest(String, Option<Arc<PolicyRecord<OriginRequestPolicy>>>),
    /// A response headers policy.
    ResponseHeaders(String, Option<Arc<PolicyRecord<ResponseHeadersPolicy>>>),
}

/// All policies up to one revision: custom ones, and those that AWS manages. A clone is cheap.
#[derive(Clone, Debug, Default)]
pub struct PolicySet {
    cache: OrdMap<String, Arc<PolicyRecord<CachePolicy>>>,
    origin_request: OrdMap<String, Arc<PolicyRecord<OriginRequestPolicy>>>,
    response_headers: OrdMap<String, Arc<PolicyRecord<ResponseHeadersPolicy>>>,
}

/// A kind of policies that a [`PolicySet`] holds.
pub trait Held: Policy {
    /// The custom policies of this kind, by Id.
    fn custom(set: &PolicySet) -> &OrdMap<String, Arc<PolicyRecord<Self>>>;
}

impl Held for CachePolicy {
    fn custom(set: &PolicySet) -> &OrdMap<String, Arc<PolicyRecord<Self>>> {
        &set.cache
    }
}

impl Held for OriginRequestPolicy {
    fn custom(set: &PolicySet) -> &OrdMap<String, Arc<PolicyRecord<Self>>> {
        &set.origin_request
    }
}

impl Held for ResponseHeadersPolicy {
    fn custom(set: &PolicySet) -> &OrdMap<String, Arc<PolicyRecord<Self>>> {
        &set.response_headers
    }
}

impl PolicySet {
    /// Takes in the next fact.
    pub fn apply(&mut self, fact: &PolicyFact) {
        match fact {
            PolicyFact::Cache(id, record) => set(&mut self.cache, id, record.as_ref()),
            PolicyFact::OriginRequest(id, record) => set(&mut self.origin_request, id, record.as_ref()),
            PolicyFact::ResponseHeaders(id, record) => set(&mut self.response_headers, id, record.as_ref()),
        }
    }

    /// A distribution with the policies that its behaviors name as they are now.
    ///
    /// A policy that is not there (the control plane deletes none that is in use) stands as in
    /// [`DistributionRecord::distribution`].
    pub fn resolve(&self, record: &DistributionRecord) -> Arc<Distribution> {
        if !names_custom_policies(record) {
            return Arc::clone(&record.distribution);
        }
        let resolved =
            convert::distribution_with(&record.config, record.id.clone(), &record.domain_name, &OrInert(self));
        resolved.map_or_else(|_| Arc::clone(&record.distribution), Arc::new)
    }
}

fn set<P: Policy>(map: &mut OrdMap<String, Arc<PolicyRecord<P>>>, id: &str, record: Option<&Arc<PolicyRecord<P>>>) {
    match record {
        Some(record) => {
            map.insert(id.to_owned(), Arc::clone(record));
        }
        None => {
            map.remove(id);
        }
    }
}

fn names_custom_policies(record: &DistributionRecord) -> bool {
    PolicyKind::ALL.iter().any(|kind| {
        kind.named_in(&record.config).any(|id| match kind {
            PolicyKind::Cache => ManagedPolicies.cache_policy(id).is_none(),
            PolicyKind::OriginRequest => ManagedPolicies.origin_request_policy(id).is_none(),
            PolicyKind::ResponseHeaders => ManagedPolicies.response_headers_policy(id).is_none(),
        })
    })
}

impl Policies for PolicySet {
    fn cache_policy(&self, id: &str) -> Option<Arc<CachePolicy>> {
        let custom = self.cache.get(id).map(|record| Arc::clone(&record.policy));
        custom.or_else(|| ManagedPolicies.cache_policy(id))
    }

    fn origin_request_policy(&self, id: &str) -> Option<Arc<OriginRequestPolicy>> {
        let custom = self.origin_request.get(id).map(|record| Arc::clone(&record.policy));
        custom.or_else(|| ManagedPolicies.origin_request_policy(id))
    }

    fn response_headers_policy(&self, id: &str) -> Option<Arc<ResponseHeadersPolicy>> {
        let custom = self.response_headers.get(id).map(|record| Arc::clone(&record.policy));
        custom.or_else(|| ManagedPolicies.response_headers_policy(id))
    }
}

/// The policies of a set, and in place of each that it has not, one that does as little as can be: nothing is cached, and
/// nothing of the viewer's is sent on.
pub(crate) struct OrInert<'a>(pub(crate) &'a PolicySet);

impl Policies for OrInert<'_> {
    fn cache_policy(&self, id: &str) -> Option<Arc<CachePolicy>> {
        let inert = || CachePolicy {
            id: id.into(),
            name: id.into(),
            comment: "".into(),
            ttl: TtlBounds {
                min_secs: 0,
                default_secs: 0,
                max_secs: 0,
            },
            headers: KeyPart::None,
            cookies: KeyPart::None,
            query_strings: KeyPart::None,
            accept_encoding: warmfront_model::AcceptEncoding::default(),
        };
        self.0.cache_policy(id).or_else(|| Some(Arc::new(inert())))
    }

    fn origin_request_policy(&self, id: &str) -> Option<Arc<OriginRequestPolicy>> {
        let inert = || OriginRequestPolicy {
            id: id.into(),
            name: id.into(),
            headers: OriginRequestHeaders::None,
            cookies: KeyPart::None,
            query_strings: KeyPart::None,
        };
        self.0.origin_request_policy(id).or_else(|| Some(Arc::new(inert())))
    }

    fn response_headers_policy(&self, id: &str) -> Option<Arc<ResponseHeadersPolicy>> {
        let inert = || ResponseHeadersPolicy {
            id: id.into(),
            name: id.into(),
            remove: Vec::new(),
            cors: None,
            headers: Vec::new(),
            server_timing: None,
        };
        self.0.response_headers_policy(id).or_else(|| Some(Arc::new(inert())))
    }
}

#[cfg(test)]
mod tests;

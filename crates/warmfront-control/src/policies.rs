//! What the API says of the three kinds of policies, each in its own words.

use std::collections::BTreeSet;

use warmfront_facts::{Held, Policy, PolicyKind, View};
use warmfront_model::{CachePolicy, DistributionId, OriginRequestPolicy, ResponseHeadersPolicy, Timestamp};
use warmfront_wire::Document;
use warmfront_wire::convert::{
    self, ManagedPolicy, Policies, managed_cache_policies, managed_origin_request_policies,
    managed_response_headers_policies,
};
use warmfront_wire::types::{
    self, CachePolicyList, CachePolicySummary, CachePolicyType, DistributionConfig, OriginRequestPolicyList,
    OriginRequestPolicySummary, OriginRequestPolicyType, ResponseHeadersPolicyList, ResponseHeadersPolicySummary,
    ResponseHeadersPolicyType,
};

use crate::Quotas;
use crate::error::ApiError;
use crate::listing::Page;
use crate::version;

/// A kind of policies as the API shows it.
pub(crate) trait Shown: Held + 'static {
    /// What Create, Get and Update answer with.
    type Body: Document;
    /// What List answers with.
    type List: Document;

    /// The policies that AWS manages.
    fn managed() -> &'static [ManagedPolicy<Self::Config, Self>];

    fn id(&self) -> &str;

    fn name(config: &Self::Config) -> &str;

    /// `config` with CloudFront's defaults in place of what was left out.
    fn with_defaults(&self, config: Self::Config) -> Self::Config;

    fn body(id: &str, last_modified: Timestamp, config: Self::Config) -> Self::Body;

    fn list(page: Page<Found<Self>>) -> Self::List;
}

/// A policy that was found, custom or managed.
pub(crate) struct Found<P: Policy> {
    pub(crate) id: String,
    pub(crate) is_managed: bool,
    pub(crate) etag: String,
    pub(crate) last_modified: Timestamp,
    pub(crate) config: P::Config,
}

impl<P: Shown> Found<P> {
    pub(crate) fn body(&self) -> P::Body {
        P::body(&self.id, self.last_modified, self.config.clone())
    }
}

/// Every policy of a kind: first those that AWS manages, then the custom ones by Id.
pub(crate) fn all<P: Shown>(view: &View) -> impl Iterator<Item = Found<P>> {
    // 2020-07-22, the day cache policies came out. Those that AWS manages have not changed since.
    const MANAGED_LAST_MODIFIED: Timestamp = Timestamp(1_595_376_000_000);
    let managed = P::managed().iter().map(|managed| Found {
        id: managed.policy.id().to_owned(),
        is_managed: true,
        etag: version::constant_etag(managed.policy.id()),
        last_modified: MANAGED_LAST_MODIFIED,
        config: managed.config.clone(),
    });
    let custom = P::custom(view.policies()).values().map(|record| Found {
        id: record.id.clone(),
        is_managed: false,
        etag: version::etag(record.revision),
        last_modified: record.last_modified,
        config: record.config.clone(),
    });
    managed.chain(custom)
}

/// The policy with this Id.
pub(crate) fn find<P: Shown>(view: &View, id: &str) -> Result<Found<P>, ApiError> {
    all(view)
        .find(|found: &Found<P>| found.id == id)
        .ok_or(ApiError::NoSuchPolicy(P::KIND))
}

/// A name is used once among the policies of a kind.
pub(crate) fn check_name<P: Shown>(view: &View, id: &str, name: &str) -> Result<(), ApiError> {
    match all(view).find(|other: &Found<P>| P::name(&other.config) == name && other.id != id) {
        Some(other) => Err(ApiError::PolicyAlreadyExists {
            kind: P::KIND,
            id: other.id,
        }),
        None => Ok(()),
    }
}

/// Checks that the custom policies which a configuration names are not used too often. That they exist is checked where
/// the configuration is read.
///
/// Source: CloudFront Developer Guide, "Quotas".
pub(crate) fn check(
    quotas: &Quotas,
    view: &View,
    id: &DistributionId,
    config: &DistributionConfig,
) -> Result<(), ApiError> {
    let Some(max) = quotas.distributions_per_policy_max else {
        return Ok(());
    };
    for kind in PolicyKind::ALL {
        let named: BTreeSet<&str> = kind.named_in(config).filter(|id| !is_managed(kind, id)).collect();
        for policy in named {
            let others = view.users_of_policy(kind, policy).filter(|user| user.id != *id).count();
            if others >= max {
                return Err(ApiError::TooManyDistributionsAssociatedToPolicy {
                    kind,
                    id: policy.to_owned(),
                    max,
                });
            }
        }
    }
    Ok(())
}

fn is_managed(kind: PolicyKind, id: &str) -> bool {
    let managed = convert::ManagedPolicies;
    match kind {
        PolicyKind::Cache => managed.cache_policy(id).is_some(),
        PolicyKind::OriginRequest => managed.origin_request_policy(id).is_some(),
        PolicyKind::ResponseHeaders => managed.response_headers_policy(id).is_some(),
    }
}

impl Shown for CachePolicy {
    type Body = types::CachePolicy;
    type List = CachePolicyList;

    fn managed() -> &'static [ManagedPolicy<Self::Config, Self>] {
        managed_cache_policies()
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn name(config: &Self::Config) -> &str {
        &config.name
    }

    fn with_defaults(&self, config: Self::Config) -> Self::Config {
        convert::cache_policy_with_defaults(config, self)
    }

    fn body(id: &str, last_modified_time: Timestamp, cache_policy_config: Self::Config) -> Self::Body {
        types::CachePolicy {
            id: id.to_owned(),
            last_modified_time,
            cache_policy_config,
        }
    }

    fn list(page: Page<Found<Self>>) -> Self::List {
        let summary = |found: &Found<Self>| CachePolicySummary {
            r#type: if found.is_managed {
                CachePolicyType::Managed
            } else {
                CachePolicyType::Custom
            },
            cache_policy: found.body(),
        };
        CachePolicyList {
            quantity: page.quantity(),
            items: page.items.iter().map(summary).collect(),
            next_marker: page.next_marker,
            max_items: page.max_items,
        }
    }
}

impl Shown for OriginRequestPolicy {
    type Body = types::OriginRequestPolicy;
    type List = OriginRequestPolicyList;

    fn managed() -> &'static [ManagedPolicy<Self::Config, Self>] {
        managed_origin_request_policies()
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn name(config: &Self::Config) -> &str {
        &config.name
    }

    fn with_defaults(&self, config: Self::Config) -> Self::Config {
        config
    }

    fn body(id: &str, last_modified_time: Timestamp, origin_request_policy_config: Self::Config) -> Self::Body {
        types::OriginRequestPolicy {
            id: id.to_owned(),
            last_modified_time,
            origin_request_policy_config,
        }
    }

    fn list(page: Page<Found<Self>>) -> Self::List {
        let summary = |found: &Found<Self>| OriginRequestPolicySummary {
            r#type: if found.is_managed {
                OriginRequestPolicyType::Managed
            } else {
                OriginRequestPolicyType::Custom
            },
            origin_request_policy: found.body(),
        };
        OriginRequestPolicyList {
            quantity: page.quantity(),
            items: page.items.iter().map(summary).collect(),
            next_marker: page.next_marker,
            max_items: page.max_items,
        }
    }
}

impl Shown for ResponseHeadersPolicy {
    type Body = types::ResponseHeadersPolicy;
    type List = ResponseHeadersPolicyList;

    fn managed() -> &'static [ManagedPolicy<Self::Config, Self>] {
        managed_response_headers_policies()
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn name(config: &Self::Config) -> &str {
        &config.name
    }

    fn with_defaults(&self, config: Self::Config) -> Self::Config {
        config
    }

    fn body(id: &str, last_modified_time: Timestamp, response_headers_policy_config: Self::Config) -> Self::Body {
        types::ResponseHeadersPolicy {
            id: id.to_owned(),
            last_modified_time,
            response_headers_policy_config,
        }
    }

    fn list(page: Page<Found<Self>>) -> Self::List {
        let summary = |found: &Found<Self>| ResponseHeadersPolicySummary {
            r#type: if found.is_managed {
                ResponseHeadersPolicyType::Managed
            } else {
                ResponseHeadersPolicyType::Custom
            },
            response_headers_policy: found.body(),
        };
        ResponseHeadersPolicyList {
            quantity: page.quantity(),
            items: page.items.iter().map(summary).collect(),
            next_marker: page.next_marker,
            max_items: page.max_items,
        }
    }
}

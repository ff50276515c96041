use std::fmt::Debug;
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use warmfront_model::{CachePolicy, OriginRequestPolicy, ResponseHeadersPolicy, Revision, Timestamp};
use warmfront_wire::Document;
use warmfront_wire::convert::{self, ConfigError};
use warmfront_wire::types::{
    CacheBehavior, CachePolicyConfig, DefaultCacheBehavior, DistributionConfig, OriginRequestPolicyConfig,
    ResponseHeadersPolicyConfig,
};

use crate::record::{decode, encode};
use crate::{RecordError, configuration};

/// The three kinds of policies that a behavior names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PolicyKind {
    /// Cache policies.
    Cache,
    /// Origin request policies.
    OriginRequest,
    /// Response headers policies.
    ResponseHeaders,
}

impl PolicyKind {
    /// Every kind.
    pub const ALL: [PolicyKind; 3] = [
        PolicyKind::Cache,
        PolicyKind::OriginRequest,
        PolicyKind::ResponseHeaders,
    ];

    /// `cache-policy` and its like: the word in the paths of the API, in ARNs, and in the journal's keys.
    pub fn as_str(self) -> &'static str {
        match self {
            PolicyKind::Cache => "cache-policy",
            PolicyKind::OriginRequest => "origin-request-policy",
            PolicyKind::ResponseHeaders => "response-headers-policy",
        }
    }

    /// The Ids of this kind's policies that a configuration names, one for each behavior that names one.
    pub fn named_in(self, config: &DistributionConfig) -> impl Iterator<Item = &str> {
        let default = self.named_by_default(&config.default_cache_behavior);
        let ordered = config.cache_behaviors.iter().flat_map(|behaviors| &behaviors.items);
        let ids = std::iter::once(default).chain(ordered.map(move |behavior| self.named_by(behavior)));
        ids.flatten().map(String::as_str).filter(|id| !id.is_empty())
    }

    fn named_by_default(self, behavior: &DefaultCacheBehavior) -> Option<&String> {
        match self {
            PolicyKind::Cache => behavior.cache_policy_id.as_ref(),
            PolicyKind::OriginRequest => behavior.origin_request_policy_id.as_ref(),
            PolicyKind::ResponseHeaders => behavior.response_headers_policy_id.as_ref(),
        }
    }

    fn named_by(self, behavior: &CacheBehavior) -> Option<&String> {
        match self {
            PolicyKind::Cache => behavior.cache_policy_id.as_ref(),
            PolicyKind::OriginRequest => behavior.origin_request_policy_id.as_ref(),
            PolicyKind::ResponseHeaders => behavior.response_headers_policy_id.as_ref(),
        }
    }
}

/// A policy that can be kept in the journal.
pub trait Policy: Sized + Debug {
    /// The wire's document.
    type Config: Document + Clone + Debug;

    /// Which kind it is.
    const KIND: PolicyKind;

    /// Checks a configuration.
    ///
    /// # Errors
    /// CloudFront's code for what is wrong.
    fn validated(config: &Self::Config, id: &str) -> Result<Self, ConfigError>;
}

impl Policy for CachePolicy {
    type Config = CachePolicyConfig;

    const KIND: PolicyKind = PolicyKind::Cache;

    fn validated(config: &CachePolicyConfig, id: &str) -> Result<Self, ConfigError> {
        convert::cache_policy(config, id)
    }
}

impl Policy for OriginRequestPolicy {
    type Config = OriginRequestPolicyConfig;

    const KIND: PolicyKind = PolicyKind::OriginRequest;

    fn validated(config: &OriginRequestPolicyConfig, id: &str) -> Result<Self, ConfigError> {
        convert::origin_request_policy(config, id)
    }
}

impl Policy for ResponseHeadersPolicy {
    type Config = ResponseHeadersPolicyConfig;

    const KIND: PolicyKind = PolicyKind::ResponseHeaders;

    fn validated(config: &ResponseHeadersPolicyConfig, id: &str) -> Result<Self, ConfigError> {
        convert::response_headers_policy(config, id)
    }
}

/// A custom policy as the journal keeps it: at `cache-policy/ID` and its like.
#[derive(Clone, Debug)]
pub struct PolicyRecord<P: Policy> {
    /// The Id.
    pub id: String,
    /// When it was last written.
    pub last_modified: Timestamp,
    /// Where it was last written; the ETag derives from it.
    pub revision: Revision,
    /// The configuration as sent, with CloudFront's defaults filled in.
    pub config: P::Config,
    /// The same, validated.
    pub policy: Arc<P>,
}

#[derive(Serialize, Deserialize)]
struct PolicyValue {
    last_modified_ms: i64,
    config: String,
}

impl<P: Policy> PolicyRecord<P> {
    /// The value that says this.
    ///
    /// # Errors
    /// [`RecordError::TooLarge`].
    pub fn encode(&self) -> Result<Bytes, RecordError> {
        encode(&PolicyValue {
            last_modified_ms: self.last_modified.0,
            config: configuration::document(&self.config),
        })
    }

    pub(crate) fn decode(id: String, value: &[u8], revision: Revision) -> Result<Self, RecordError> {
        let value: PolicyValue = decode(value)?;
        let config: P::Config = warmfront_wire::from_xml(value.config.as_bytes())?;
        let policy = Arc::new(P::validated(&config, &id)?);
        Ok(PolicyRecord {
            id,
            last_modified: Timestamp(value.last_modified_ms),
            revision,
            config,
            policy,
        })
    }
}

use warmfront_model::Timestamp;

use super::with_defaults;
use crate::types::{DistributionConfig, DistributionSummary, HttpVersion, PriceClass};

/// What is known of a distribution besides its configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistributionFacts {
    /// The Id.
    pub id: String,
    /// The ARN.
    pub arn: String,
    /// The ETag of the current configuration.
    pub etag: String,
    /// `InProgress` or `Deployed`.
    pub status: String,
    /// When the configuration last changed.
    pub last_modified_time: Timestamp,
    /// The domain name that CloudFront gave it.
    pub domain_name: String,
}

/// A distribution as ListDistributions answers with it; what the configuration leaves out is filled in.
pub fn distribution_summary(config: &DistributionConfig, facts: DistributionFacts) -> DistributionSummary {
    let config = with_defaults(config.clone());
    DistributionSummary {
        id: facts.id,
        arn: facts.arn,
        etag: Some(facts.etag),
        status: facts.status,
        last_modified_time: facts.last_modified_time,
        domain_name: facts.domain_name,
        aliases: config.aliases.unwrap_or_default(),
        origins: config.origins,
        origin_groups: config.origin_groups,
        default_cache_behavior: config.default_cache_behavior,
        cache_behaviors: config.cache_behaviors.unwrap_or_default(),
        custom_error_responses: config.custom_error_responses.unwrap_or_default(),
        comment: config.comment,
        price_class: config.price_class.unwrap_or(PriceClass::PriceClassAll),
        enabled: config.enabled,
        viewer_certificate: config.viewer_certificate.unwrap_or_default(),
        restrictions: config.restrictions.unwrap_or_else(super::defaults::no_restrictions),
        web_acl_id: config.web_acl_id.unwrap_or_default(),
        http_version: config.http_version.unwrap_or(HttpVersion::Http2),
        is_ipv6_enabled: config.is_ipv6_enabled.unwrap_or(false),
        alias_icp_recordals: Vec::new(),
        staging: config.staging.unwrap_or(false),
        connection_mode: config.connection_mode,
        anycast_ip_list_id: config.anycast_ip_list_id,
        viewer_mtls_config: config.viewer_mtls_config,
        connection_function_association: config.connection_function_association,
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::samples;
    use crate::types::{DistributionList, Method};
    use crate::{from_xml, to_xml};

    #[test]
    fn a_summary_is_complete_although_the_configuration_is_not() {
        let facts = DistributionFacts {
            id: "E1U5RQF7T870K0".to_owned(),
            arn: "arn:aws:cloudfront::123456789012:distribution/E1U5RQF7T870K0".to_owned(),
            etag: "E2QWRUHAPOMQZL".to_owned(),
            status: "Deployed".to_owned(),
            last_modified_time: Timestamp(1_441_055_752_042),
            domain_name: "d111111abcdef8.cloudfront.net".to_owned(),
        };
        let summary = distribution_summary(&samples::config(), facts);
        assert_eq!(summary.etag.as_deref(), Some("E2QWRUHAPOMQZL"));
        assert_eq!(summary.price_class, PriceClass::PriceClassAll);
        let methods = summary.default_cache_behavior.allowed_methods.clone().unwrap();
        assert_eq!(methods.items, [Method::Head, Method::Get]);
        let list = DistributionList {
            max_items: 100,
            quantity: 1,
            items: vec![summary],
            ..DistributionList::default()
        };
        assert_eq!(from_xml::<DistributionList>(&to_xml(&list)).unwrap(), list);
    }
}

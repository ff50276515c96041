use crate::types::{
    AllowedMethods, CacheBehavior, CachedMethods, CustomOriginConfig, DefaultCacheBehavior, DistributionConfig,
    GeoRestriction, GeoRestrictionType, HttpVersion, IpAddressType, LoggingConfig, Method, MinimumProtocolVersion,
    Origin, OriginSslProtocols, PriceClass, Restrictions, SslProtocol, ViewerCertificate,
};
use crate::types::{CertificateSource, ForwardedValues};

/// Fills in what CloudFront fills in when members are left out, so that a read of the configuration shows them.
/// What was sent stays as it was sent. Applying it twice changes nothing.
///
/// DefaultTTL and MaxTTL are filled only beside ForwardedValues; with a cache policy the policy has them.
///
/// Source: CloudFront Developer Guide, "All distribution settings reference".
pub fn with_defaults(mut config: DistributionConfig) -> DistributionConfig {
    config.aliases.get_or_insert_default();
    config.default_root_object.get_or_insert_default();
    config.origins.items.iter_mut().for_each(fill_origin);
    config.origin_groups.get_or_insert_default();
    config.default_cache_behavior = without_pattern(filled_behavior(with_pattern(&config.default_cache_behavior)));
    let behaviors = config.cache_behaviors.get_or_insert_default();
    behaviors.items = std::mem::take(&mut behaviors.items)
        .into_iter()
        .map(filled_behavior)
        .collect();
    for response in &mut config.custom_error_responses.get_or_insert_default().items {
        response.error_caching_min_ttl.get_or_insert(ERROR_CACHING_MIN_TTL_SECS);
    }
    fill_logging(config.logging.get_or_insert_default());
    config.price_class.get_or_insert(PriceClass::PriceClassAll);
    config.viewer_certificate.get_or_insert_with(default_certificate);
    config.restrictions.get_or_insert_with(no_restrictions);
    config.web_acl_id.get_or_insert_default();
    config.http_version.get_or_insert(HttpVersion::Http2);
    config.is_ipv6_enabled.get_or_insert(false);
    config.continuous_deployment_policy_id.get_or_insert_default();
    config.staging.get_or_insert(false);
    config
}

/// Source: CloudFront Developer Guide, "Control how long CloudFront caches errors".
const ERROR_CACHING_MIN_TTL_SECS: i64 = 10;

fn fill_origin(origin: &mut Origin) {
    origin.origin_path.get_or_insert_default();
    origin.custom_headers.get_or_insert_default();
    origin.connection_attempts.get_or_insert(3);
    origin.connection_timeout.get_or_insert(10);
    origin.origin_shield.get_or_insert_default();
    origin.origin_access_control_id.get_or_insert_default();
    if let Some(s3) = &mut origin.s3_origin_config {
        s3.origin_read_timeout.get_or_insert(30);
    }
    if let Some(custom) = &mut origin.custom_origin_config {
        fill_custom_origin(custom);
    }
}

fn fill_custom_origin(custom: &mut CustomOriginConfig) {
    custom.origin_ssl_protocols.get_or_insert_with(|| OriginSslProtocols {
        quantity: 1,
        items: vec![SslProtocol::TLSv1_2],
    });
    custom.origin_read_timeout.get_or_insert(30);
    custom.origin_keepalive_timeout.get_or_insert(5);
    custom.ip_address_type.get_or_insert(IpAddressType::Ipv4);
}

fn filled_behavior(mut behavior: CacheBehavior) -> CacheBehavior {
    behavior.trusted_signers.get_or_insert_default();
    behavior.trusted_key_groups.get_or_insert_default();
    let allowed = behavior.allowed_methods.get_or_insert_with(|| AllowedMethods {
        quantity: 2,
        items: vec![Method::Head, Method::Get],
        cached_methods: None,
    });
    allowed.cached_methods.get_or_insert_with(|| CachedMethods {
        quantity: 2,
        items: vec![Method::Head, Method::Get],
    });
    behavior.smooth_streaming.get_or_insert(false);
    behavior.compress.get_or_insert(false);
    behavior.lambda_function_associations.get_or_insert_default();
    behavior.function_associations.get_or_insert_default();
    behavior.field_level_encryption_id.get_or_insert_default();
    behavior.grpc_config.get_or_insert_default();
    if let (Some(forwarded), Some(min_ttl)) = (&mut behavior.forwarded_values, behavior.min_ttl) {
        fill_forwarded_values(forwarded);
        fill_legacy_ttl(min_ttl, &mut behavior.default_ttl, &mut behavior.max_ttl);
    }
    behavior
}

fn fill_forwarded_values(forwarded: &mut ForwardedValues) {
    forwarded.headers.get_or_insert_default();
    forwarded.query_string_cache_keys.get_or_insert_default();
}

/// Leaves TTLs that cannot be completed as they are: validation refuses them.
fn fill_legacy_ttl(min_ttl: i64, default_ttl: &mut Option<i64>, max_ttl: &mut Option<i64>) {
    if let Ok(bounds) = super::ttl::legacy(min_ttl, *default_ttl, *max_ttl) {
        // Bounds are at most TtlBounds::SECS_MAX, which an i64 holds.
        *default_ttl = default_ttl.or(i64::try_from(bounds.default_secs).ok());
        *max_ttl = max_ttl.or(i64::try_from(bounds.max_secs).ok());
    }
}

fn fill_logging(logging: &mut LoggingConfig) {
    logging.enabled.get_or_insert(false);
    logging.include_cookies.get_or_insert(false);
    logging.bucket.get_or_insert_default();
    logging.prefix.get_or_insert_default();
}

/// No geographic restriction.
pub(super) fn no_restrictions() -> Restrictions {
    let none = GeoRestriction {
        restriction_type: GeoRestrictionType::None,
        quantity: 0,
        items: Vec::new(),
    };
    Restrictions { geo_restriction: none }
}

fn default_certificate() -> ViewerCertificate {
    ViewerCertificate {
        cloud_front_default_certificate: Some(true),
        minimum_protocol_version: Some(MinimumProtocolVersion::TLSv1),
        certificate_source: Some(CertificateSource::Cloudfront),
        ..ViewerCertificate::default()
    }
}

/// The default cache behavior as one with the pattern `*`, so that one rule serves both.
pub(super) fn with_pattern(behavior: &DefaultCacheBehavior) -> CacheBehavior {
    let behavior = behavior.clone();
    CacheBehavior {
        path_pattern: "*".to_owned(),
        target_origin_id: behavior.target_origin_id,
        trusted_signers: behavior.trusted_signers,
        trusted_key_groups: behavior.trusted_key_groups,
        viewer_protocol_policy: behavior.viewer_protocol_policy,
        allowed_methods: behavior.allowed_methods,
        smooth_streaming: behavior.smooth_streaming,
        compress: behavior.compress,
        lambda_function_associations: behavior.lambda_function_associations,
        function_associations: behavior.function_associations,
        field_level_encryption_id: behavior.field_level_encryption_id,
        realtime_log_config_arn: behavior.realtime_log_config_arn,
        cache_policy_id: behavior.cache_policy_id,
        origin_request_policy_id: behavior.origin_request_policy_id,
        response_headers_policy_id: behavior.response_headers_policy_id,
        grpc_config: behavior.grpc_config,
        forwarded_values: behavior.forwarded_values,
        min_ttl: behavior.min_ttl,
        default_ttl: behavior.default_ttl,
        max_ttl: behavior.max_ttl,
    }
}

fn without_pattern(behavior: CacheBehavior) -> DefaultCacheBehavior {
    DefaultCacheBehavior {
        target_origin_id: behavior.target_origin_id,
        trusted_signers: behavior.trusted_signers,
        trusted_key_groups: behavior.trusted_key_groups,
        viewer_protocol_policy: behavior.viewer_protocol_policy,
        allowed_methods: behavior.allowed_methods,
        smooth_streaming: behavior.smooth_streaming,
        compress: behavior.compress,
        lambda_function_associations: behavior.lambda_function_associations,
        function_associations: behavior.function_associations,
        field_level_encryption_id: behavior.field_level_encryption_id,
        realtime_log_config_arn: behavior.realtime_log_config_arn,
        cache_policy_id: behavior.cache_policy_id,
        origin_request_policy_id: behavior.origin_request_policy_id,
        response_headers_policy_id: behavior.response_headers_policy_id,
        grpc_config: behavior.grpc_config,
        forwarded_values: behavior.forwarded_values,
        min_ttl: behavior.min_ttl,
        default_ttl: behavior.default_ttl,
        max_ttl: behavior.max_ttl,
    }
}

#[cfg(test)]
mod tests;

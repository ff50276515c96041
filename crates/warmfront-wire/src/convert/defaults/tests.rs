use super::*;
use crate::convert::samples;
use crate::types::{CustomErrorResponse, CustomErrorResponses};

#[test]
fn what_was_left_out_is_filled_in_as_cloudfront_does() {
    let config = with_defaults(samples::config());
    assert_eq!(config.aliases.unwrap().quantity, 0);
    assert_eq!(config.default_root_object.as_deref(), Some("index.html"));
    assert_eq!(config.custom_error_responses.unwrap().quantity, 0);
    assert_eq!(config.origin_groups.unwrap().quantity, 0);
    assert_eq!(config.price_class, Some(PriceClass::PriceClassAll));
    assert_eq!(config.http_version, Some(HttpVersion::Http2));
    assert_eq!(config.is_ipv6_enabled, Some(false));
    assert_eq!(config.staging, Some(false));
    assert_eq!(config.web_acl_id.as_deref(), Some(""));
    assert_eq!(config.restrictions, Some(no_restrictions()));
    let certificate = config.viewer_certificate.unwrap();
    assert_eq!(certificate.cloud_front_default_certificate, Some(true));
    assert_eq!(
        certificate.minimum_protocol_version,
        Some(MinimumProtocolVersion::TLSv1)
    );
    let logging = config.logging.unwrap();
    assert_eq!((logging.enabled, logging.include_cookies), (Some(false), Some(false)));
    assert_eq!(
        (logging.bucket.as_deref(), logging.prefix.as_deref()),
        (Some(""), Some(""))
    );
}

#[test]
fn an_origin_gets_its_attempts_and_timeouts() {
    let origin = &with_defaults(samples::config()).origins.items[0];
    assert_eq!(
        (origin.connection_attempts, origin.connection_timeout),
        (Some(3), Some(10))
    );
    assert_eq!(origin.origin_path.as_deref(), Some(""));
    assert_eq!(origin.custom_headers.as_ref().unwrap().quantity, 0);
    assert!(!origin.origin_shield.as_ref().unwrap().enabled);
    let origin = &with_defaults(samples::custom_config()).origins.items[0];
    assert_eq!(origin.origin_access_control_id.as_deref(), Some(""));
    let custom = origin.custom_origin_config.as_ref().unwrap();
    assert_eq!(
        (custom.origin_read_timeout, custom.origin_keepalive_timeout),
        (Some(30), Some(5))
    );
    assert_eq!(
        custom.origin_ssl_protocols.as_ref().unwrap().items,
        [SslProtocol::TLSv1_2]
    );
}

#[test]
fn behaviors_get_methods_but_ttls_only_beside_forwarded_values() {
    let config = with_defaults(samples::config());
    for behavior in config.cache_behaviors.unwrap().items {
        let methods = behavior.allowed_methods.unwrap();
        assert_eq!((methods.quantity, methods.items), (2, vec![Method::Head, Method::Get]));
        assert_eq!(methods.cached_methods.unwrap().items, [Method::Head, Method::Get]);
        assert_eq!(behavior.smooth_streaming, Some(false));
        assert!(!behavior.trusted_signers.unwrap().enabled);
        assert_eq!(behavior.forwarded_values, None);
    }

    let mut without_ttls = samples::config();
    without_ttls.default_cache_behavior.min_ttl = None;
    without_ttls.default_cache_behavior.default_ttl = None;
    without_ttls.default_cache_behavior.max_ttl = None;
    let behavior = with_defaults(without_ttls).default_cache_behavior;
    assert_eq!(
        (behavior.min_ttl, behavior.default_ttl, behavior.max_ttl),
        (None, None, None)
    );

    let behavior = with_defaults(samples::custom_config()).default_cache_behavior;
    assert_eq!(
        (behavior.min_ttl, behavior.default_ttl, behavior.max_ttl),
        (Some(0), Some(86_400), Some(31_536_000))
    );
    let forwarded = behavior.forwarded_values.unwrap();
    assert_eq!(forwarded.headers.unwrap().quantity, 0);
    assert_eq!(forwarded.query_string_cache_keys.unwrap().quantity, 0);
}

#[test]
fn what_was_sent_stays_as_it_was() {
    let sent = samples::config();
    let config = with_defaults(sent.clone());
    assert_eq!(config.default_cache_behavior.default_ttl, Some(86_400));
    assert_eq!(
        config.default_cache_behavior.cache_policy_id,
        sent.default_cache_behavior.cache_policy_id
    );
    let (filled, sent) = (
        config.cache_behaviors.unwrap().items,
        sent.cache_behaviors.unwrap().items,
    );
    let patterns = |behaviors: &[CacheBehavior]| {
        behaviors
            .iter()
            .map(|behavior| (behavior.path_pattern.clone(), behavior.max_ttl))
            .collect::<Vec<_>>()
    };
    assert_eq!(patterns(&filled), patterns(&sent));
}

#[test]
fn filling_in_twice_changes_nothing() {
    for config in [samples::config(), samples::custom_config()] {
        let once = with_defaults(config);
        assert_eq!(with_defaults(once.clone()), once);
    }
}

#[test]
fn errors_are_kept_ten_seconds() {
    let mut config = samples::config();
    let response = CustomErrorResponse {
        error_code: 404,
        ..CustomErrorResponse::default()
    };
    config.custom_error_responses = Some(CustomErrorResponses {
        quantity: 1,
        items: vec![response],
    });
    let responses = with_defaults(config).custom_error_responses.unwrap();
    assert_eq!(responses.items[0].error_caching_min_ttl, Some(10));
}

use super::*;
use crate::convert::defaults::no_restrictions;
use crate::convert::{samples, with_defaults};
use crate::types::{
    CacheTagConfig, ConnectionFunctionAssociation, GrpcConfig, Restrictions, TenantConfig, TrustedKeyGroups,
    TrustedSigners, ViewerMtlsConfig,
};

fn check(change: impl FnOnce(&mut DistributionConfig), code: ErrorCode) {
    let mut config = with_defaults(samples::config());
    assert_eq!(refuse_what_does_not_exist(&config), Ok(()));
    change(&mut config);
    assert_eq!(refuse_what_does_not_exist(&config).unwrap_err().code, code);
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn resources_that_cannot_exist_are_refused_under_their_own_code() {
    check(|it| it.web_acl_id = some("arn:aws:wafv2:a"), ErrorCode::InvalidWebACLId);
    check(
        |it| it.continuous_deployment_policy_id = some("p"),
        ErrorCode::NoSuchContinuousDeploymentPolicy,
    );
    check(|it| it.anycast_ip_list_id = some("l"), ErrorCode::EntityNotFound);
    let function = ConnectionFunctionAssociation { id: "f".to_owned() };
    check(
        |it| it.connection_function_association = Some(function),
        ErrorCode::EntityNotFound,
    );
    check(
        |it| it.default_cache_behavior.field_level_encryption_id = some("f"),
        ErrorCode::NoSuchFieldLevelEncryptionConfig,
    );
    check(
        |it| it.default_cache_behavior.realtime_log_config_arn = some("a"),
        ErrorCode::NoSuchRealtimeLogConfig,
    );
}

#[test]
fn a_restriction_that_would_not_hold_is_refused_in_every_behavior() {
    let signers = TrustedSigners {
        enabled: true,
        quantity: 1,
        items: vec!["self".to_owned()],
    };
    check(
        |it| it.default_cache_behavior.trusted_signers = Some(signers),
        ErrorCode::TrustedSignerDoesNotExist,
    );
    let groups = TrustedKeyGroups {
        enabled: true,
        quantity: 1,
        items: vec!["g".to_owned()],
    };
    check(
        |it| it.cache_behaviors.as_mut().unwrap().items[1].trusted_key_groups = Some(groups),
        ErrorCode::TrustedKeyGroupDoesNotExist,
    );
    let lambdas = Some(crate::types::LambdaFunctionAssociations {
        quantity: 1,
        items: Vec::new(),
    });
    check(
        |it| it.default_cache_behavior.lambda_function_associations = lambdas,
        ErrorCode::InvalidLambdaFunctionAssociation,
    );
    let functions = Some(crate::types::FunctionAssociations {
        quantity: 1,
        items: Vec::new(),
    });
    check(
        |it| it.default_cache_behavior.function_associations = functions,
        ErrorCode::InvalidFunctionAssociation,
    );
}

#[test]
fn features_that_are_not_there_are_named() {
    check(|it| it.staging = Some(true), ErrorCode::UnsupportedOperation);
    check(
        |it| it.tenant_config = Some(TenantConfig::default()),
        ErrorCode::UnsupportedOperation,
    );
    check(
        |it| it.connection_mode = Some(ConnectionMode::TenantOnly),
        ErrorCode::UnsupportedOperation,
    );
    check(
        |it| it.viewer_mtls_config = Some(ViewerMtlsConfig::default()),
        ErrorCode::UnsupportedOperation,
    );
    check(
        |it| it.default_cache_behavior.smooth_streaming = Some(true),
        ErrorCode::UnsupportedOperation,
    );
    let grpc = GrpcConfig { enabled: true };
    check(
        |it| it.default_cache_behavior.grpc_config = Some(grpc),
        ErrorCode::UnsupportedOperation,
    );
    check(|it| it.price_class = Some(PriceClass::None), ErrorCode::InvalidArgument);
}

#[test]
fn geographic_restrictions_are_checked_and_refused() {
    let restriction = |restriction_type, items: &[&str]| GeoRestriction {
        restriction_type,
        quantity: i32::try_from(items.len()).unwrap(),
        items: items.iter().map(|code| (*code).to_owned()).collect(),
    };
    for (restriction, code) in [
        (
            restriction(GeoRestrictionType::Whitelist, &["DE", "fr"]),
            ErrorCode::InvalidLocationCode,
        ),
        (
            restriction(GeoRestrictionType::Whitelist, &[]),
            ErrorCode::InvalidGeoRestrictionParameter,
        ),
        (
            restriction(GeoRestrictionType::None, &["DE"]),
            ErrorCode::InvalidGeoRestrictionParameter,
        ),
        (
            restriction(GeoRestrictionType::Blacklist, &["DE"]),
            ErrorCode::UnsupportedOperation,
        ),
    ] {
        check(
            |it| {
                it.restrictions = Some(Restrictions {
                    geo_restriction: restriction,
                })
            },
            code,
        );
    }
    assert_eq!(check_geo_restriction(&no_restrictions().geo_restriction), Ok(()));
}

#[test]
fn certificates_keep_to_their_rules() {
    let acm = ViewerCertificate {
        acm_certificate_arn: some("arn:aws:acm:us-east-1:123456789012:certificate/a"),
        ssl_support_method: Some(SSLSupportMethod::SniOnly),
        minimum_protocol_version: Some(MinimumProtocolVersion::TLSv1_2_2021),
        ..ViewerCertificate::default()
    };
    assert_eq!(check_certificate(&acm), Ok(()));
    let code = |certificate| check_certificate(&certificate).unwrap_err().code;
    assert_eq!(
        code(ViewerCertificate {
            cloud_front_default_certificate: Some(true),
            ..acm.clone()
        }),
        ErrorCode::InvalidViewerCertificate
    );
    assert_eq!(
        code(ViewerCertificate {
            iam_certificate_id: some("a"),
            ..acm.clone()
        }),
        ErrorCode::InvalidViewerCertificate
    );
    assert_eq!(
        code(ViewerCertificate {
            ssl_support_method: None,
            ..acm.clone()
        }),
        ErrorCode::InvalidViewerCertificate
    );
    assert_eq!(
        code(ViewerCertificate {
            minimum_protocol_version: Some(MinimumProtocolVersion::SSLv3),
            ..acm
        }),
        ErrorCode::InvalidProtocolSettings
    );
}

#[test]
fn a_tag_header_is_a_header_name() {
    let config = |name: &str| {
        Some(CacheTagConfig {
            header_name: name.to_owned(),
        })
    };
    check(
        |it| it.cache_tag_config = config("cache tag"),
        ErrorCode::InvalidArgument,
    );
    check(|it| it.cache_tag_config = config(""), ErrorCode::InvalidArgument);
    let mut right = samples::config();
    right.cache_tag_config = config("x-amz-meta-cache-tag");
    assert_eq!(refuse_what_does_not_exist(&right), Ok(()));
}

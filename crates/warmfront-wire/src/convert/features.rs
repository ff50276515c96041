use super::ConfigError;
use super::custom_headers::is_token;
use super::defaults::with_pattern;
use super::error::{ensure, given};
use crate::ErrorCode;
use crate::types::{
    CacheBehavior, ConnectionMode, DistributionConfig, GeoRestriction, GeoRestrictionType, MinimumProtocolVersion,
    PriceClass, SSLSupportMethod, ViewerCertificate,
};

/// Refuses members that name a resource which cannot exist here, and features whose silent absence would mislead:
/// whoever restricts who may see a site must not find it open.
pub(super) fn refuse_what_does_not_exist(config: &DistributionConfig) -> Result<(), ConfigError> {
    absent(&config.web_acl_id, "The web ACL", ErrorCode::InvalidWebACLId)?;
    absent(
        &config.continuous_deployment_policy_id,
        "The continuous deployment policy",
        ErrorCode::NoSuchContinuousDeploymentPolicy,
    )?;
    absent(
        &config.anycast_ip_list_id,
        "The Anycast static IP list",
        ErrorCode::EntityNotFound,
    )?;
    let function = config
        .connection_function_association
        .as_ref()
        .map(|association| association.id.clone());
    absent(&function, "The connection function", ErrorCode::EntityNotFound)?;
    let is_tenant = config.tenant_config.is_some() || config.connection_mode == Some(ConnectionMode::TenantOnly);
    unsupported(is_tenant, "TenantConfig")?;
    unsupported(config.staging == Some(true), "Staging")?;
    unsupported(config.viewer_mtls_config.is_some(), "ViewerMtlsConfig")?;
    ensure(config.price_class != Some(PriceClass::None), || {
        ConfigError::argument("The parameter PriceClass must not be None.")
    })?;
    if let Some(restrictions) = &config.restrictions {
        check_geo_restriction(&restrictions.geo_restriction)?;
    }
    if let Some(certificate) = &config.viewer_certificate {
        check_certificate(certificate)?;
    }
    if let Some(tags) = &config.cache_tag_config {
        ensure(
            !tags.header_name.is_empty() && tags.header_name.bytes().all(is_token),
            || {
                ConfigError::argument(format!(
                    "The parameter HeaderName is no header name: {:?}.",
                    tags.header_name
                ))
            },
        )?;
    }
    for custom in config
        .origins
        .items
        .iter()
        .filter_map(|origin| origin.custom_origin_config.as_ref())
    {
        unsupported(custom.origin_mtls_config.is_some(), "OriginMtlsConfig")?;
    }
    let behaviors = config.cache_behaviors.iter().flat_map(|behaviors| &behaviors.items);
    behaviors
        .cloned()
        .chain([with_pattern(&config.default_cache_behavior)])
        .try_for_each(|it| check_behavior(&it))
}

fn check_behavior(behavior: &CacheBehavior) -> Result<(), ConfigError> {
    let signers = behavior
        .trusted_signers
        .as_ref()
        .is_some_and(|signers| signers.enabled || signers.quantity > 0);
    refuse(
        signers,
        ErrorCode::TrustedSignerDoesNotExist,
        "One or more of your trusted signers do not exist.",
    )?;
    let groups = behavior
        .trusted_key_groups
        .as_ref()
        .is_some_and(|groups| groups.enabled || groups.quantity > 0);
    refuse(
        groups,
        ErrorCode::TrustedKeyGroupDoesNotExist,
        "One or more of your trusted key groups do not exist.",
    )?;
    let lambdas = behavior
        .lambda_function_associations
        .as_ref()
        .is_some_and(|functions| functions.quantity > 0);
    refuse(
        lambdas,
        ErrorCode::InvalidLambdaFunctionAssociation,
        "The specified Lambda function does not exist.",
    )?;
    let functions = behavior
        .function_associations
        .as_ref()
        .is_some_and(|functions| functions.quantity > 0);
    refuse(
        functions,
        ErrorCode::InvalidFunctionAssociation,
        "The specified CloudFront function does not exist.",
    )?;
    absent(
        &behavior.field_level_encryption_id,
        "The field-level encryption configuration",
        ErrorCode::NoSuchFieldLevelEncryptionConfig,
    )?;
    absent(
        &behavior.realtime_log_config_arn,
        "The real-time log configuration",
        ErrorCode::NoSuchRealtimeLogConfig,
    )?;
    unsupported(behavior.smooth_streaming == Some(true), "SmoothStreaming")?;
    unsupported(
        behavior.grpc_config.as_ref().is_some_and(|config| config.enabled),
        "GrpcConfig",
    )
}

/// Source: CloudFront API Reference, GeoRestriction.
fn check_geo_restriction(restriction: &GeoRestriction) -> Result<(), ConfigError> {
    let is_none = restriction.restriction_type == GeoRestrictionType::None;
    ensure(is_none == restriction.items.is_empty(), || {
        let message = "The parameter GeoRestriction needs locations unless its type is none, and has none if it is.";
        ConfigError::new(ErrorCode::InvalidGeoRestrictionParameter, message)
    })?;
    let is_country = |code: &String| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
    if let Some(code) = restriction.items.iter().find(|code| !is_country(code)) {
        let message = format!("The parameter Location contains {code:?}, which is no country code.");
        return Err(ConfigError::new(ErrorCode::InvalidLocationCode, message));
    }
    unsupported(!is_none, "GeoRestriction")
}

/// A certificate of ACM or IAM is taken as named: the certificate that viewers see is made here, for every alias.
///
/// Source: CloudFront API Reference, ViewerCertificate.
fn check_certificate(certificate: &ViewerCertificate) -> Result<(), ConfigError> {
    let invalid = |message: &str| ConfigError::new(ErrorCode::InvalidViewerCertificate, message);
    let acm = given(certificate.acm_certificate_arn.as_ref());
    let iam = given(certificate.iam_certificate_id.as_ref());
    let is_default = certificate.cloud_front_default_certificate == Some(true);
    ensure(
        [acm.is_some(), iam.is_some(), is_default]
            .iter()
            .filter(|given| **given)
            .count()
            <= 1,
        || {
            invalid(
                "The parameter ViewerCertificate must have only one of ACMCertificateArn, IAMCertificateId and \
             CloudFrontDefaultCertificate.",
            )
        },
    )?;
    let has_own = acm.is_some() || iam.is_some();
    ensure(!has_own || certificate.ssl_support_method.is_some(), || {
        invalid("The parameter SSLSupportMethod is required with ACMCertificateArn or IAMCertificateId.")
    })?;
    let sni_with_ssl3 = certificate.ssl_support_method == Some(SSLSupportMethod::SniOnly)
        && certificate.minimum_protocol_version == Some(MinimumProtocolVersion::SSLv3);
    refuse(
        has_own && sni_with_ssl3,
        ErrorCode::InvalidProtocolSettings,
        "The parameter MinimumProtocolVersion cannot be SSLv3 when SSLSupportMethod is sni-only.",
    )
}

fn absent(id: &Option<String>, what: &str, code: ErrorCode) -> Result<(), ConfigError> {
    match given(id.as_ref()) {
        Some(id) => Err(ConfigError::new(code, format!("{what} {id} does not exist."))),
        None => Ok(()),
    }
}

fn unsupported(used: bool, member: &str) -> Result<(), ConfigError> {
    ensure(!used, || {
        let message = format!("The parameter {member} is not supported by this service.");
        ConfigError::new(ErrorCode::UnsupportedOperation, message)
    })
}

fn refuse(broken: bool, code: ErrorCode, message: &str) -> Result<(), ConfigError> {
    ensure(!broken, || ConfigError::new(code, message))
}

#[cfg(test)]
mod tests;

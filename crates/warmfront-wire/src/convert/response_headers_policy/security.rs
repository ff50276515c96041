use warmfront_model::PolicyHeader;

use super::{VALUE_BYTES_MAX, check_value, policy_header};
use crate::ErrorCode;
use crate::convert::ConfigError;
use crate::convert::error::{ensure, given};
use crate::types::{
    ResponseHeadersPolicySecurityHeadersConfig, ResponseHeadersPolicyStrictTransportSecurity,
    ResponseHeadersPolicyXSSProtection,
};

/// The headers that have a place of their own in a policy.
pub(super) const SECURITY_HEADERS: [&str; 6] = [
    "content-security-policy",
    "referrer-policy",
    "strict-transport-security",
    "x-content-type-options",
    "x-frame-options",
    "x-xss-protection",
];

/// Checks the security headers, and gives them as they are sent.
///
/// Source: CloudFront API Reference, ResponseHeadersPolicySecurityHeadersConfig; CloudFront Developer Guide, "Understand
/// response headers policies", Security headers.
pub(super) fn security_headers(
    config: &ResponseHeadersPolicySecurityHeadersConfig,
) -> Result<Vec<PolicyHeader>, ConfigError> {
    let mut headers = Vec::new();
    if let Some(csp) = &config.content_security_policy {
        let value = &csp.content_security_policy;
        ensure(value.len() <= VALUE_BYTES_MAX, || {
            let message = format!(
                "The parameter ContentSecurityPolicy has {} characters; the maximum is {VALUE_BYTES_MAX}.",
                value.len()
            );
            ConfigError::new(ErrorCode::TooLongCSPInResponseHeadersPolicy, message)
        })?;
        check_value("Content-Security-Policy", value)?;
        headers.push(policy_header("content-security-policy", value, csp.r#override));
    }
    if let Some(referrer) = &config.referrer_policy {
        headers.push(policy_header(
            "referrer-policy",
            referrer.referrer_policy.as_str(),
            referrer.r#override,
        ));
    }
    if let Some(hsts) = &config.strict_transport_security {
        headers.push(policy_header(
            "strict-transport-security",
            &transport_security(hsts)?,
            hsts.r#override,
        ));
    }
    if let Some(options) = &config.content_type_options {
        headers.push(policy_header("x-content-type-options", "nosniff", options.r#override));
    }
    if let Some(frame) = &config.frame_options {
        headers.push(policy_header(
            "x-frame-options",
            frame.frame_option.as_str(),
            frame.r#override,
        ));
    }
    if let Some(xss) = &config.xss_protection {
        headers.push(policy_header("x-xss-protection", &xss_protection(xss)?, xss.r#override));
    }
    Ok(headers)
}

/// Source: RFC 6797 section 6.1.
fn transport_security(hsts: &ResponseHeadersPolicyStrictTransportSecurity) -> Result<String, ConfigError> {
    let max_age = hsts.access_control_max_age_sec;
    ensure(max_age >= 0, || {
        ConfigError::argument("The parameter AccessControlMaxAgeSec of StrictTransportSecurity must not be negative.")
    })?;
    let mut value = format!("max-age={max_age}");
    if hsts.include_subdomains.unwrap_or(false) {
        value += "; includeSubDomains";
    }
    if hsts.preload.unwrap_or(false) {
        value += "; preload";
    }
    Ok(value)
}

/// `0`, or `1` with one of `mode=block` and `report=URI` at most.
fn xss_protection(xss: &ResponseHeadersPolicyXSSProtection) -> Result<String, ConfigError> {
    let (block, report) = (xss.mode_block.unwrap_or(false), given(xss.report_uri.as_ref()));
    match (xss.protection, block, report) {
        (_, true, Some(_)) => Err(ConfigError::argument(
            "The parameter ReportUri cannot be used when ModeBlock is true.",
        )),
        (false, false, None) => Ok("0".to_owned()),
        (false, ..) => Err(ConfigError::argument(
            "The parameters ModeBlock and ReportUri cannot be used when Protection is false.",
        )),
        (true, true, None) => Ok("1; mode=block".to_owned()),
        (true, false, None) => Ok("1".to_owned()),
        (true, false, Some(uri)) => {
            check_value("X-XSS-Protection", uri)?;
            Ok(format!("1; report={uri}"))
        }
    }
}

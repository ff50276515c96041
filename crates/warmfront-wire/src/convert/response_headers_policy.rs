mod cors;
mod security;

use warmfront_model::{PolicyHeader, ResponseHeadersPolicy, SamplingRate};

use self::cors::cors;
use self::security::{SECURITY_HEADERS, security_headers};
use super::ConfigError;
use super::distribution::at_most;
use super::error::{ensure, repeated};
use super::names::{check_name, header_name, is_listed};
use crate::ErrorCode;
use crate::types::{ResponseHeadersPolicyConfig, ResponseHeadersPolicyServerTimingHeadersConfig};

const CUSTOM_HEADERS_MAX: usize = 10;
const REMOVED_HEADERS_MAX: usize = 10;
const VALUE_BYTES_MAX: usize = 1_783;

/// Headers that a policy can neither remove nor set; those that end in `-` stand for all that begin so.
///
/// Source: CloudFront Developer Guide, "Understand response headers policies", Remove headers.
const FORBIDDEN: &[&str] = &[
    "connection",
    "content-encoding",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "warning",
    "x-accel-",
    "x-amz-cf-",
    "x-amzn-",
    "x-cache",
    "x-edge-",
    "x-forwarded-proto",
    "x-real-ip",
];

/// Checks a response headers policy. That its name is used once is for the caller to check.
///
/// # Errors
/// CloudFront's code for the first rule that is broken, and a message naming what broke it.
///
/// Source: CloudFront API Reference, ResponseHeadersPolicyConfig and the errors of CreateResponseHeadersPolicy; CloudFront
/// Developer Guide, "Understand response headers policies" and "Quotas".
pub fn response_headers_policy(
    config: &ResponseHeadersPolicyConfig,
    id: &str,
) -> Result<ResponseHeadersPolicy, ConfigError> {
    check_name(&config.name, config.comment.as_ref())?;
    let mut headers = config
        .security_headers_config
        .as_ref()
        .map_or(Ok(Vec::new()), security_headers)?;
    headers.extend(custom_headers(config)?);
    Ok(ResponseHeadersPolicy {
        id: id.into(),
        name: config.name.as_str().into(),
        remove: removed_headers(config)?.into_iter().map(Into::into).collect(),
        cors: config.cors_config.as_ref().map(cors).transpose()?,
        headers,
        server_timing: config
            .server_timing_headers_config
            .as_ref()
            .map_or(Ok(None), server_timing)?,
    })
}

fn custom_headers(config: &ResponseHeadersPolicyConfig) -> Result<Vec<PolicyHeader>, ConfigError> {
    let given = config.custom_headers_config.iter().flat_map(|headers| &headers.items);
    let mut headers = Vec::new();
    for header in given {
        let name = header_name(&header.header)?;
        check_allowed("CustomHeaders", &name)?;
        ensure(!SECURITY_HEADERS.contains(&name.as_str()), || {
            ConfigError::argument(format!(
                "The parameter CustomHeaders contains {} that is a security header and cannot be set as custom header.",
                header.header
            ))
        })?;
        check_value(&header.header, &header.value)?;
        headers.push(policy_header(&name, &header.value, header.r#override));
    }
    let code = ErrorCode::TooManyCustomHeadersInResponseHeadersPolicy;
    at_most(CUSTOM_HEADERS_MAX, headers.len(), "custom headers", code)?;
    check_once("CustomHeaders", headers.iter().map(|header| &*header.name))?;
    Ok(headers)
}

fn removed_headers(config: &ResponseHeadersPolicyConfig) -> Result<Vec<String>, ConfigError> {
    let given = config.remove_headers_config.iter().flat_map(|headers| &headers.items);
    let names = given
        .map(|header| header_name(&header.header))
        .collect::<Result<Vec<_>, _>>()?;
    let code = ErrorCode::TooManyRemoveHeadersInResponseHeadersPolicy;
    at_most(REMOVED_HEADERS_MAX, names.len(), "headers to remove", code)?;
    names.iter().try_for_each(|name| check_allowed("RemoveHeaders", name))?;
    check_once("RemoveHeaders", names.iter().map(String::as_str))?;
    Ok(names)
}

/// A rate goes with Server-Timing that is enabled.
fn server_timing(config: &ResponseHeadersPolicyServerTimingHeadersConfig) -> Result<Option<SamplingRate>, ConfigError> {
    let rate = config.sampling_rate.map(|rate| SamplingRate::from_percent(rate.get()));
    match (config.enabled, rate) {
        (_, Some(None)) => Err(ConfigError::argument(
            "The parameter SamplingRate must be from 0 to 100.",
        )),
        (true, None) => Err(ConfigError::argument(
            "The parameter SamplingRate is required when Enabled is true.",
        )),
        (true, Some(rate)) => Ok(rate),
        (false, _) => Ok(None),
    }
}

fn policy_header(name: &str, value: &str, r#override: bool) -> PolicyHeader {
    PolicyHeader {
        name: name.into(),
        value: value.into(),
        r#override,
    }
}

fn check_allowed(member: &str, name: &str) -> Result<(), ConfigError> {
    ensure(!is_listed(FORBIDDEN, name), || {
        ConfigError::argument(format!("The parameter {member} contains {name} that is not allowed."))
    })
}

fn check_once<'a>(member: &str, names: impl IntoIterator<Item = &'a str>) -> Result<(), ConfigError> {
    match repeated(names) {
        Some(name) => Err(ConfigError::argument(format!(
            "The parameter {member} contains {name} more than once."
        ))),
        None => Ok(()),
    }
}

/// A value is printable ASCII, neither empty nor too long, without blanks around it.
fn check_value(name: &str, value: &str) -> Result<(), ConfigError> {
    let valid = !value.is_empty()
        && value.len() <= VALUE_BYTES_MAX
        && value.trim() == value
        && value.bytes().all(|byte| byte == b'\t' || (0x20..0x7f).contains(&byte));
    ensure(valid, || {
        ConfigError::argument(format!(
            "The value of the header {name} must have from 1 to {VALUE_BYTES_MAX} printable ASCII characters."
        ))
    })
}

#[cfg(test)]
mod tests;

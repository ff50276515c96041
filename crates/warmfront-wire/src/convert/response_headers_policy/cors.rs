use std::sync::Arc;

use warmfront_model::Cors;

use super::check_once;
use crate::convert::ConfigError;
use crate::convert::error::ensure;
use crate::convert::names::header_name;
use crate::types::{ResponseHeadersPolicyAccessControlAllowMethodsValues as Method, ResponseHeadersPolicyCorsConfig};

/// What `ALL` stands for.
///
/// Source: CloudFront Developer Guide, "Understand response headers policies", Access-Control-Allow-Methods.
const ALL_METHODS: &str = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT";

/// Checks the CORS headers.
///
/// Source: CloudFront API Reference, ResponseHeadersPolicyCorsConfig; CloudFront Developer Guide, "Understand response
/// headers policies", CORS headers.
pub(super) fn cors(config: &ResponseHeadersPolicyCorsConfig) -> Result<Cors, ConfigError> {
    let credentials = config.access_control_allow_credentials;
    let origins = &config.access_control_allow_origins.items;
    check_list("Access-Control-Allow-Origin", origins, credentials)?;
    if let Some(origin) = origins.iter().find(|origin| !is_origin(origin)) {
        return Err(ConfigError::argument(format!(
            "The parameter Access-Control-Allow-Origin contains {origin:?}, which is no origin."
        )));
    }
    let exposed = config
        .access_control_expose_headers
        .as_ref()
        .map(|exposed| &exposed.items);
    let exposed = exposed.filter(|exposed| !exposed.is_empty());
    let max_age_secs = config.access_control_max_age_sec.map(u32::try_from).transpose();
    Ok(Cors {
        allow_origins: origins.iter().map(|origin| Arc::from(origin.as_str())).collect(),
        allow_headers: header_names(
            "Access-Control-Allow-Headers",
            &config.access_control_allow_headers.items,
            credentials,
        )?,
        allow_methods: methods(&config.access_control_allow_methods.items)?,
        allow_credentials: credentials,
        expose_headers: exposed
            .map(|exposed| header_names("Access-Control-Expose-Headers", exposed, credentials))
            .transpose()?,
        max_age_secs: max_age_secs
            .map_err(|_| ConfigError::argument("The parameter Access-Control-Max-Age must not be negative."))?,
        origin_override: config.origin_override,
    })
}

/// There is at least one, none twice, and `*` stands alone, and not together with credentials.
fn check_list(header: &str, values: &[String], credentials: bool) -> Result<(), ConfigError> {
    ensure(!values.is_empty(), || {
        ConfigError::argument(format!("The parameter {header} must have at least one value."))
    })?;
    check_once(header, values.iter().map(String::as_str))?;
    let any = values.iter().any(|value| value == "*");
    ensure(!any || !credentials, || {
        ConfigError::argument(format!(
            "The parameter {header} cannot contain * when allowCredentials is true."
        ))
    })?;
    ensure(!any || values.len() == 1, || {
        ConfigError::argument(format!("The parameter {header} cannot contain * and other values."))
    })
}

fn header_names(header: &str, names: &[String], credentials: bool) -> Result<Arc<str>, ConfigError> {
    check_list(header, names, credentials)?;
    names.iter().try_for_each(|name| header_name(name).map(drop))?;
    Ok(names.join(", ").into())
}

fn methods(methods: &[Method]) -> Result<Arc<str>, ConfigError> {
    const MEMBER: &str = "Access-Control-Allow-Methods";
    let names: Vec<&str> = methods.iter().map(|method| method.as_str()).collect();
    ensure(!names.is_empty(), || {
        ConfigError::argument(format!("The parameter {MEMBER} must have at least one value."))
    })?;
    check_once(MEMBER, names.iter().copied())?;
    if methods.contains(&Method::All) {
        ensure(methods.len() == 1, || {
            ConfigError::argument(format!("The parameter {MEMBER} cannot contain ALL and other values."))
        })?;
        return Ok(ALL_METHODS.into());
    }
    Ok(names.join(", ").into())
}

/// `*`, or a host with an optional scheme and port, whose leftmost label alone may be `*`.
fn is_origin(origin: &str) -> bool {
    if origin == "*" || origin == "null" {
        return true;
    }
    let (scheme, host) = origin.split_once("://").unwrap_or(("https", origin));
    let host = host.strip_prefix("*.").unwrap_or(host);
    let (host, port) = match host.rsplit_once(':') {
        Some((host, port)) if !host.ends_with(':') && port.bytes().all(|byte| byte.is_ascii_digit()) => (host, port),
        _ => (host, "80"),
    };
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._[]:".contains(&byte);
    let is_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    !scheme.is_empty()
        && scheme.bytes().all(is_scheme)
        && !host.is_empty()
        && host.bytes().all(is_host)
        && port.parse::<u16>().is_ok()
}

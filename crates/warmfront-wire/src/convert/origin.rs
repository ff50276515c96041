use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use warmfront_model::{CustomOrigin, Origin, OriginKind, OriginProtocolPolicy, parse_s3_domain};

use super::ConfigError;
use super::custom_headers::custom_headers;
use super::distribution::at_most;
use super::error::{ensure, given, repeated};
use crate::ErrorCode;
use crate::types::{self, CustomOriginConfig, DistributionConfig, S3OriginConfig};

const ID_CHARACTERS_MAX: usize = 128;
const DOMAIN_NAME_BYTES_MAX: usize = 253;
const PATH_CHARACTERS_MAX: usize = 255;
const ORIGIN_GROUPS_MAX: usize = 10;

/// Checks one origin by itself.
pub(super) fn origin(wire: &types::Origin) -> Result<Origin, ConfigError> {
    check_id(&wire.id)?;
    check_domain_name(&wire.domain_name)?;
    let access_control_id = given(wire.origin_access_control_id.as_ref());
    let kind = kind(wire, access_control_id.is_some())?;
    let (read_timeout_secs, keepalive_timeout_secs) = timeouts(wire)?;
    check_completion_timeout(wire, read_timeout_secs)?;
    Ok(Origin {
        id: wire.id.as_str().into(),
        domain_name: wire.domain_name.to_ascii_lowercase().into(),
        path: path(wire)?,
        custom_headers: custom_headers(wire)?,
        kind,
        access_control_id: access_control_id.map(Arc::from),
        connection_attempts: within("ConnectionAttempts", wire.connection_attempts, 3, 3)?,
        connection_timeout_secs: within("ConnectionTimeout", wire.connection_timeout, 10, 10)?,
        read_timeout_secs,
        keepalive_timeout_secs,
    })
}

fn check_id(id: &str) -> Result<(), ConfigError> {
    let characters = id.chars().count();
    ensure((1..=ID_CHARACTERS_MAX).contains(&characters), || {
        ConfigError::argument(format!(
            "The parameter origin Id must have from 1 to {ID_CHARACTERS_MAX} characters, not {characters}."
        ))
    })
}

fn check_domain_name(name: &str) -> Result<(), ConfigError> {
    let address = name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(name);
    let is_address = name.parse::<Ipv4Addr>().is_ok() || address.parse::<Ipv6Addr>().is_ok();
    ensure(is_address || is_dns_name(name), || {
        ConfigError::argument(format!("The parameter origin name must be a domain name: {name:?}."))
    })
}

/// Labels of letters, digits, `-` and `_`, of 1 to 63 bytes, with dots between them.
pub(super) fn is_dns_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    name.len() <= DOMAIN_NAME_BYTES_MAX && name.split('.').all(is_label)
}

fn kind(wire: &types::Origin, has_access_control: bool) -> Result<OriginKind, ConfigError> {
    let invalid = || {
        let message = "The specified origin server does not exist or is not valid.";
        ConfigError::new(ErrorCode::InvalidOrigin, format!("{message} ({})", wire.id))
    };
    match (
        &wire.s3_origin_config,
        &wire.custom_origin_config,
        &wire.vpc_origin_config,
    ) {
        (Some(s3), None, None) => s3_kind(wire, s3, has_access_control),
        (None, Some(custom), None) => {
            ensure(!has_access_control, || not_s3(wire))?;
            Ok(OriginKind::Custom(custom_kind(custom)?))
        }
        (None, None, Some(vpc)) => {
            let message = format!("The VPC origin {} does not exist.", vpc.vpc_origin_id);
            Err(ConfigError::new(ErrorCode::EntityNotFound, message))
        }
        _ => Err(invalid()),
    }
}

fn s3_kind(wire: &types::Origin, s3: &S3OriginConfig, has_access_control: bool) -> Result<OriginKind, ConfigError> {
    let has_identity = !s3.origin_access_identity.is_empty();
    ensure(!(has_identity && has_access_control), || {
        let message = format!(
            "The origin {} has both an origin access control and an origin access identity; only one is allowed.",
            wire.id
        );
        ConfigError::new(ErrorCode::IllegalOriginAccessConfiguration, message)
    })?;
    ensure(!has_identity, || {
        let message = format!(
            "The origin access identity {:?} does not exist.",
            s3.origin_access_identity
        );
        ConfigError::new(ErrorCode::InvalidOriginAccessIdentity, message)
    })?;
    parse_s3_domain(&wire.domain_name)
        .map(OriginKind::S3)
        .ok_or_else(|| not_s3(wire))
}

fn not_s3(wire: &types::Origin) -> ConfigError {
    ConfigError::argument(format!(
        "The parameter Origin DomainName does not refer to a valid S3 bucket. ({})",
        wire.domain_name
    ))
}

fn custom_kind(custom: &CustomOriginConfig) -> Result<CustomOrigin, ConfigError> {
    Ok(CustomOrigin {
        http_port: port("HTTPPort", custom.http_port)?,
        https_port: port("HTTPSPort", custom.https_port)?,
        protocol_policy: match custom.origin_protocol_policy {
            types::OriginProtocolPolicy::HttpOnly => OriginProtocolPolicy::HttpOnly,
            types::OriginProtocolPolicy::MatchViewer => OriginProtocolPolicy::MatchViewer,
            types::OriginProtocolPolicy::HttpsOnly => OriginProtocolPolicy::HttpsOnly,
        },
    })
}

/// Source: CloudFront API Reference, CustomOriginConfig.
fn port(member: &str, port: i32) -> Result<u16, ConfigError> {
    let allowed = u16::try_from(port)
        .ok()
        .filter(|port| matches!(port, 80 | 443 | 1024..));
    allowed.ok_or_else(|| {
        ConfigError::argument(format!(
            "The parameter {member} must be 80, 443, or from 1024 to 65535, not {port}."
        ))
    })
}

/// OriginReadTimeout and OriginKeepaliveTimeout in seconds.
fn timeouts(wire: &types::Origin) -> Result<(u32, u32), ConfigError> {
    let custom = wire.custom_origin_config.as_ref();
    let s3_read = wire.s3_origin_config.as_ref().and_then(|s3| s3.origin_read_timeout);
    let read = custom.and_then(|custom| custom.origin_read_timeout).or(s3_read);
    let keepalive = custom.and_then(|custom| custom.origin_keepalive_timeout);
    let read = within("OriginReadTimeout", read, 30, 120).map_err(|error| ConfigError {
        code: ErrorCode::InvalidOriginReadTimeout,
        ..error
    })?;
    let keepalive = within("OriginKeepaliveTimeout", keepalive, 5, 300).map_err(|error| ConfigError {
        code: ErrorCode::InvalidOriginKeepaliveTimeout,
        ..error
    })?;
    Ok((read, keepalive))
}

fn check_completion_timeout(wire: &types::Origin, read_timeout_secs: u32) -> Result<(), ConfigError> {
    let Some(timeout) = wire.response_completion_timeout else {
        return Ok(());
    };
    ensure(
        u32::try_from(timeout).is_ok_and(|secs| secs >= read_timeout_secs),
        || {
            ConfigError::argument(format!(
                "The parameter ResponseCompletionTimeout must not be below OriginReadTimeout: {timeout} is below \
             {read_timeout_secs}."
            ))
        },
    )
}

/// A number from 1 to `max`, or its default.
fn within(member: &str, number: Option<i32>, default: u32, max: u32) -> Result<u32, ConfigError> {
    let Some(number) = number else { return Ok(default) };
    u32::try_from(number)
        .ok()
        .filter(|number| (1..=max).contains(number))
        .ok_or_else(|| ConfigError::argument(format!("The parameter {member} must be from 1 to {max}, not {number}.")))
}

fn path(wire: &types::Origin) -> Result<Arc<str>, ConfigError> {
    let Some(path) = given(wire.origin_path.as_ref()) else {
        return Ok("".into());
    };
    let valid = path.starts_with('/') && !path.ends_with('/') && path.chars().count() <= PATH_CHARACTERS_MAX;
    ensure(valid, || {
        let message = format!(
            "The parameter OriginPath must begin with /, must not end with / and must have at most \
             {PATH_CHARACTERS_MAX} characters: {path:?}."
        );
        ConfigError::new(ErrorCode::InvalidRelativePath, message)
    })?;
    Ok(path.into())
}

/// The origin groups by Id, each with the position of its first member.
pub(super) fn origin_groups(
    config: &DistributionConfig,
    origins: &[Origin],
) -> Result<Vec<(String, usize)>, ConfigError> {
    let groups: Vec<_> = config.origin_groups.iter().flat_map(|groups| &groups.items).collect();
    at_most(
        ORIGIN_GROUPS_MAX,
        groups.len(),
        "origin groups",
        ErrorCode::TooManyOriginGroupsPerDistribution,
    )?;
    let ids = origins
        .iter()
        .map(|origin| &*origin.id)
        .chain(groups.iter().map(|group| group.id.as_str()));
    if let Some(id) = repeated(ids) {
        return Err(ConfigError::argument(format!(
            "The parameter origin Id contains {id:?} more than once."
        )));
    }
    groups
        .into_iter()
        .map(|group| Ok((group.id.clone(), primary(group, origins)?)))
        .collect()
}

fn primary(group: &types::OriginGroup, origins: &[Origin]) -> Result<usize, ConfigError> {
    let members = &group.members.items;
    ensure(members.len() == 2, || {
        ConfigError::argument(format!(
            "The origin group {} must have two members, not {}.",
            group.id,
            members.len()
        ))
    })?;
    let allowed = [400, 403, 404, 416, 429, 500, 502, 503, 504];
    let codes = &group.failover_criteria.status_codes.items;
    ensure(
        !codes.is_empty() && codes.iter().all(|code| allowed.contains(code)),
        || {
            ConfigError::argument(format!(
                "The failover criteria of the origin group {} are not valid.",
                group.id
            ))
        },
    )?;
    let mut positions = Vec::new();
    for member in members {
        positions.push(position(&member.origin_id, origins)?);
    }
    Ok(positions[0])
}

/// Where the origin with this Id stands.
pub(super) fn position(id: &str, origins: &[Origin]) -> Result<usize, ConfigError> {
    origins.iter().position(|origin| &*origin.id == id).ok_or_else(|| {
        let message = format!("One or more of your origins or origin groups do not exist. ({id})");
        ConfigError::new(ErrorCode::NoSuchOrigin, message)
    })
}

#[cfg(test)]
mod tests;

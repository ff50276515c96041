//! Rules about origins that need more than the configuration itself.

use std::net::{IpAddr, Ipv4Addr};

use warmfront_facts::{OriginAllow, View};
use warmfront_model::{Distribution, DistributionId, OriginKind};
use warmfront_wire::types::OriginAccessControlOriginTypes;

use crate::error::ApiError;
use crate::{ControlOptions, Quotas};

/// Checks what a configuration says of the world beyond it: addresses, alternate domain names, origin access controls.
pub(crate) fn check(
    options: &ControlOptions,
    view: &View,
    id: &DistributionId,
    distribution: &Distribution,
) -> Result<(), ApiError> {
    check_addresses(distribution, &options.origin_allow)?;
    check_aliases(view, id, distribution)?;
    check_access_controls(view, id, distribution, &options.quotas)
}

/// Refuses an origin whose DomainName is an address, or `localhost`, beyond the public internet and not allowed.
/// Other names are judged by the edge, after they are resolved.
fn check_addresses(distribution: &Distribution, allow: &OriginAllow) -> Result<(), ApiError> {
    for origin in &distribution.origins {
        if let Some(address) = literal_address(&origin.domain_name)
            && !allow.permits(address)
        {
            return Err(ApiError::InvalidOrigin(format!(
                "The origin {:?} is at {address}, which is private, loopback or link-local; it must be listed in \
                 origin.allow to be reached.",
                origin.domain_name
            )));
        }
    }
    Ok(())
}

/// The address that a name stands for without any DNS.
fn literal_address(domain_name: &str) -> Option<IpAddr> {
    let name = domain_name
        .strip_suffix('.')
        .unwrap_or(domain_name)
        .to_ascii_lowercase();
    if name == "localhost" || name.ends_with(".localhost") {
        return Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    let bare = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
        .unwrap_or(&name);
    bare.parse().ok().or_else(|| legacy_v4(&name))
}

/// An IPv4 address as old resolvers read it: one to four parts, decimal, octal or hexadecimal, the last one filling up.
///
/// Source: POSIX, `inet_addr`.
fn legacy_v4(name: &str) -> Option<IpAddr> {
    let parts = name.split('.').map(legacy_number).collect::<Option<Vec<u64>>>()?;
    let (&last, leading) = parts.split_last()?;
    if leading.len() > 3 || leading.iter().any(|&part| part > 0xff) {
        return None;
    }
    let last_bits = 8 * (4 - leading.len());
    if last >= 1_u64 << last_bits {
        return None;
    }
    let high = leading.iter().fold(0, |high, part| high << 8 | part);
    u32::try_from(high << last_bits | last)
        .ok()
        .map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits)))
}

fn legacy_number(text: &str) -> Option<u64> {
    let (digits, radix) = if let Some(hex) = text.strip_prefix("0x") {
        (hex, 16)
    } else if text.len() > 1 && text.starts_with('0') {
        (&text[1..], 8)
    } else {
        (text, 10)
    };
    if digits.starts_with('+') {
        None
    } else {
        u64::from_str_radix(digits, radix).ok()
    }
}

/// Checks that the origin access controls which `distribution` names exist, fit its origins, and are not used too often.
///
/// Source: CloudFront API Reference, Origin, OriginAccessControlId; Developer Guide, "Quotas".
fn check_access_controls(
    view: &View,
    id: &DistributionId,
    distribution: &Distribution,
    quotas: &Quotas,
) -> Result<(), ApiError> {
    for origin in &distribution.origins {
        let Some(control_id) = origin.access_control_id.as_deref() else {
            continue;
        };
        let Some(control) = view.origin_access_control(control_id) else {
            return Err(ApiError::InvalidOriginAccessControl(control_id.to_owned()));
        };
        let for_s3 = control.config.origin_access_control_origin_type == OriginAccessControlOriginTypes::S3;
        if for_s3 && !matches!(origin.kind, OriginKind::S3(_)) {
            return Err(ApiError::argument(
                "The parameter Origin DomainName does not refer to a valid S3 bucket.",
            ));
        }
        let others = view
            .users_of_origin_access_control(control_id)
            .filter(|user| user.id != *id)
            .count();
        if let Some(max) = quotas.distributions_per_origin_access_control_max
            && others >= max
        {
            return Err(ApiError::TooManyDistributionsAssociatedToOriginAccessControl {
                id: control_id.to_owned(),
                max,
            });
        }
    }
    Ok(())
}

/// Checks that nobody else has one of `distribution`'s alternate domain names.
fn check_aliases(view: &View, id: &DistributionId, distribution: &Distribution) -> Result<(), ApiError> {
    let taken = distribution
        .aliases
        .iter()
        .find(|alias| view.distribution_by_alias(alias).is_some_and(|user| user != id));
    taken.map_or(Ok(()), |alias| Err(ApiError::CnameAlreadyExists(alias.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_an_address_is_seen_through() {
        for loopback in [
            "127.0.0.1",
            "localhost",
            "a.LocalHost.",
            "127.1",
            "0x7f.1",
            "2130706433",
            "017700000001",
        ] {
            let address = literal_address(loopback);
            assert!(
                address.is_some_and(|address| address.is_loopback()),
                "{loopback}: {address:?}"
            );
        }
        assert_eq!(literal_address("[::1]"), Some("::1".parse().unwrap()));
        for name in [
            "example.com",
            "1.example",
            "bucket.s3.amazonaws.com",
            "1.2.3.4.5",
            "256.1",
            "4294967296",
            "",
            "0x",
        ] {
            assert_eq!(literal_address(name), None, "{name}");
        }
    }
}

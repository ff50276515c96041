use warmfront_model::{OriginAccessControl, SigningBehavior};

use super::ConfigError;
use super::error::ensure;
use crate::ErrorCode;
use crate::types::{
    self, OriginAccessControlConfig, OriginAccessControlOriginTypes, OriginAccessControlSigningBehaviors,
    OriginAccessControlSummary,
};

const NAME_CHARACTERS_MAX: usize = 64;
const DESCRIPTION_CHARACTERS_MAX: usize = 256;

/// Checks an origin access control. That its name is used once is for the caller to check.
///
/// # Errors
/// `InvalidArgument` for a name that is empty or longer than 64 characters; `UnsupportedOperation` for an origin type
/// other than `s3`, since only requests to S3 are signed.
///
/// Source: CloudFront API Reference, OriginAccessControlConfig.
pub fn origin_access_control(config: &OriginAccessControlConfig, id: &str) -> Result<OriginAccessControl, ConfigError> {
    let characters = config.name.chars().count();
    ensure((1..=NAME_CHARACTERS_MAX).contains(&characters), || {
        ConfigError::argument(format!(
            "The parameter Name must have from 1 to {NAME_CHARACTERS_MAX} characters, not {characters}."
        ))
    })?;
    let characters = config
        .description
        .as_ref()
        .map_or(0, |description| description.chars().count());
    ensure(characters <= DESCRIPTION_CHARACTERS_MAX, || {
        ConfigError::argument(format!(
            "The parameter Description must have at most {DESCRIPTION_CHARACTERS_MAX} characters, not {characters}."
        ))
    })?;
    let origin_type = config.origin_access_control_origin_type;
    ensure(origin_type == OriginAccessControlOriginTypes::S3, || {
        let message = format!(
            "The parameter OriginAccessControlOriginType must be s3: requests to {} origins are not signed.",
            origin_type.as_str()
        );
        ConfigError::new(ErrorCode::UnsupportedOperation, message)
    })?;
    Ok(OriginAccessControl {
        id: id.into(),
        name: config.name.as_str().into(),
        signing_behavior: match config.signing_behavior {
            OriginAccessControlSigningBehaviors::Always => SigningBehavior::Always,
            OriginAccessControlSigningBehaviors::Never => SigningBehavior::Never,
            OriginAccessControlSigningBehaviors::NoOverride => SigningBehavior::NoOverride,
        },
    })
}

/// An origin access control as ListOriginAccessControls answers with it. The description is always there.
pub fn origin_access_control_summary(config: &OriginAccessControlConfig, id: &str) -> OriginAccessControlSummary {
    types::OriginAccessControlSummary {
        id: id.to_owned(),
        description: config.description.clone().unwrap_or_default(),
        name: config.name.clone(),
        signing_protocol: config.signing_protocol,
        signing_behavior: config.signing_behavior,
        origin_access_control_origin_type: config.origin_access_control_origin_type,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::OriginAccessControlSigningProtocols;

    fn config(name: &str) -> OriginAccessControlConfig {
        OriginAccessControlConfig {
            name: name.to_owned(),
            description: Some("OAC for static site assets".to_owned()),
            signing_protocol: OriginAccessControlSigningProtocols::Sigv4,
            signing_behavior: OriginAccessControlSigningBehaviors::NoOverride,
            origin_access_control_origin_type: OriginAccessControlOriginTypes::S3,
        }
    }

    #[test]
    fn each_signing_behavior_has_its_value() {
        let behavior = |wire| {
            let config = OriginAccessControlConfig {
                signing_behavior: wire,
                ..config("my-site-oac")
            };
            origin_access_control(&config, "E327GJI25M56DG")
                .unwrap()
                .signing_behavior
        };
        assert_eq!(
            behavior(OriginAccessControlSigningBehaviors::Always),
            SigningBehavior::Always
        );
        assert_eq!(
            behavior(OriginAccessControlSigningBehaviors::Never),
            SigningBehavior::Never
        );
        assert_eq!(
            behavior(OriginAccessControlSigningBehaviors::NoOverride),
            SigningBehavior::NoOverride
        );
    }

    #[test]
    fn names_have_one_to_64_characters() {
        assert!(origin_access_control(&config(&"é".repeat(64)), "E327GJI25M56DG").is_ok());
        for wrong in [String::new(), "x".repeat(65)] {
            let error = origin_access_control(&config(&wrong), "E327GJI25M56DG").unwrap_err();
            assert_eq!(error.code, ErrorCode::InvalidArgument);
            assert!(error.message.contains("Name"), "{}", error.message);
        }
        let long = OriginAccessControlConfig {
            description: Some("x".repeat(257)),
            ..config("a")
        };
        assert!(
            origin_access_control(&long, "E327GJI25M56DG")
                .unwrap_err()
                .message
                .contains("Description")
        );
    }

    #[test]
    fn only_requests_to_s3_are_signed() {
        let lambda = OriginAccessControlConfig {
            origin_access_control_origin_type: OriginAccessControlOriginTypes::Lambda,
            ..config("a")
        };
        let error = origin_access_control(&lambda, "E327GJI25M56DG").unwrap_err();
        assert_eq!(error.code, ErrorCode::UnsupportedOperation);
        assert!(error.message.contains("lambda"), "{}", error.message);
    }

    #[test]
    fn a_summary_has_a_description_even_if_none_was_given() {
        let summary = origin_access_control_summary(
            &OriginAccessControlConfig {
                description: None,
                ..config("a")
            },
            "E327GJI25M56DG",
        );
        assert_eq!(
            (summary.id.as_str(), summary.name.as_str(), summary.description.as_str()),
            ("E327GJI25M56DG", "a", "")
        );
    }
}

use super::ConfigError;
use super::error::ensure;
use crate::ErrorCode;
use crate::types::DistributionConfig;

/// Checks that an update carries the members of its origins that CloudFront fills in on creation, but demands on update.
///
/// # Errors
/// `IllegalUpdate` naming the first one missing.
///
/// Source: CloudFront API Reference, UpdateDistribution, `IllegalUpdate`; the members are those it is known to demand.
pub fn update_requires(config: &DistributionConfig) -> Result<(), ConfigError> {
    for origin in &config.origins.items {
        required("CustomHeaders", origin.custom_headers.is_some())?;
        if let Some(custom) = &origin.custom_origin_config {
            required("OriginReadTimeout", custom.origin_read_timeout.is_some())?;
            required("OriginKeepaliveTimeout", custom.origin_keepalive_timeout.is_some())?;
        }
    }
    Ok(())
}

fn required(member: &str, present: bool) -> Result<(), ConfigError> {
    ensure(present, || {
        ConfigError::new(ErrorCode::IllegalUpdate, format!("{member} is required for updates."))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::samples;
    use crate::convert::with_defaults;

    #[test]
    fn a_configuration_that_was_read_may_be_sent_back() {
        assert_eq!(update_requires(&with_defaults(samples::config())), Ok(()));
        assert_eq!(update_requires(&with_defaults(samples::custom_config())), Ok(()));
    }

    #[test]
    fn behaviors_without_allowed_methods_may_be_attached() {
        let mut config = with_defaults(samples::config());
        config.default_cache_behavior = samples::config().default_cache_behavior;
        config.cache_behaviors = samples::config().cache_behaviors;
        assert_eq!(update_requires(&config), Ok(()));
    }

    #[test]
    fn members_that_creation_fills_in_are_demanded() {
        let mut config = with_defaults(samples::custom_config());
        config.origins.items[0]
            .custom_origin_config
            .as_mut()
            .unwrap()
            .origin_read_timeout = None;
        let error = update_requires(&config).unwrap_err();
        assert_eq!(error.code, ErrorCode::IllegalUpdate);
        assert_eq!(error.message, "OriginReadTimeout is required for updates.");

        let mut config = with_defaults(samples::custom_config());
        config.origins.items[0]
            .custom_origin_config
            .as_mut()
            .unwrap()
            .origin_keepalive_timeout = None;
        assert_eq!(
            update_requires(&config).unwrap_err().message,
            "OriginKeepaliveTimeout is required for updates."
        );

        let mut config = with_defaults(samples::config());
        config.origins.items[0].custom_headers = None;
        assert_eq!(
            update_requires(&config).unwrap_err().message,
            "CustomHeaders is required for updates."
        );
    }
}

use std::sync::Arc;

use warmfront_model::{Behavior, Distribution, DistributionId, Logging};

use super::ConfigError;
use super::behavior::behavior;
use super::custom_error::error_caching;
use super::defaults::with_pattern;
use super::error::{ensure, given, repeated};
use super::features::refuse_what_does_not_exist;
use super::origin::{origin, origin_groups};
use super::policies::{ManagedPolicies, Policies};
use crate::ErrorCode;
use crate::types::DistributionConfig;

const ALIASES_MAX: usize = 100;
const ALIAS_BYTES_MAX: usize = 253;
const BEHAVIORS_MAX: usize = 75;
const COMMENT_CHARACTERS_MAX: usize = 128;
const DEFAULT_ROOT_OBJECT_CHARACTERS_MAX: usize = 255;
const ORIGINS_MAX: usize = 100;

/// Checks a configuration against every rule that needs nothing else, and gives what requests are routed with. Behaviors
/// may name the policies that AWS manages.
///
/// Members that were left out count as CloudFront's defaults, so it does not matter whether
/// [`with_defaults`](super::with_defaults) came first.
/// A behavior may have a cache policy and TTL members: members given win. Aliases need no certificate.
/// Both differ from CloudFront and are listed in `conformance/differences.md`.
///
/// # Errors
/// CloudFront's code for the first rule that is broken, and a message naming what broke it.
///
/// Source: CloudFront API Reference, DistributionConfig and the errors of CreateDistribution; CloudFront Developer Guide,
/// "All distribution settings reference" and "Quotas".
pub fn distribution(
    config: &DistributionConfig,
    id: DistributionId,
    domain_name: &str,
) -> Result<Distribution, ConfigError> {
    distribution_with(config, id, domain_name, &ManagedPolicies)
}

/// [`distribution`] where behaviors may name the policies that `policies` has.
///
/// # Errors
/// As [`distribution`]; a policy that is not there is `NoSuchCachePolicy` and its like.
pub fn distribution_with(
    config: &DistributionConfig,
    id: DistributionId,
    domain_name: &str,
    policies: &dyn Policies,
) -> Result<Distribution, ConfigError> {
    check_general(config)?;
    refuse_what_does_not_exist(config)?;
    let aliases = aliases(config)?;
    let default_root_object = default_root_object(config)?;
    let n_origins = config.origins.items.len();
    ensure(n_origins > 0, || {
        ConfigError::argument("The parameter Origins must have at least one origin.")
    })?;
    at_most(ORIGINS_MAX, n_origins, "origins", ErrorCode::TooManyOrigins)?;
    let origins = config.origins.items.iter().map(origin).collect::<Result<Vec<_>, _>>()?;
    let groups = origin_groups(config, &origins)?;
    let behaviors = ordered_behaviors(config)?
        .iter()
        .map(|wire| behavior(wire, &origins, &groups, policies))
        .collect::<Result<Vec<Behavior>, _>>()?;
    Ok(Distribution {
        id,
        domain_name: domain_name.into(),
        aliases,
        enabled: config.enabled,
        default_root_object,
        origins,
        behaviors,
        error_caching: error_caching(config)?,
        cache_tag_header: cache_tag_header(config),
        logging: logging(config),
    })
}

/// The bucket is not looked at: whoever runs the edge says where its logs are written.
fn logging(config: &DistributionConfig) -> Option<Logging> {
    let logging = config.logging.as_ref()?;
    logging.enabled.unwrap_or(false).then(|| Logging {
        prefix: logging.prefix.as_deref().unwrap_or_default().into(),
        include_cookies: logging.include_cookies.unwrap_or(false),
    })
}

fn cache_tag_header(config: &DistributionConfig) -> Option<Arc<str>> {
    let tags = config.cache_tag_config.as_ref()?;
    Some(tags.header_name.to_ascii_lowercase().into())
}

fn check_general(config: &DistributionConfig) -> Result<(), ConfigError> {
    ensure(!config.caller_reference.is_empty(), || {
        ConfigError::argument("The parameter CallerReference must not be empty.")
    })?;
    let characters = config.comment.chars().count();
    ensure(characters <= COMMENT_CHARACTERS_MAX, || {
        ConfigError::argument(format!(
            "The parameter Comment must have at most {COMMENT_CHARACTERS_MAX} characters, not {characters}."
        ))
    })
}

fn aliases(config: &DistributionConfig) -> Result<Vec<Arc<str>>, ConfigError> {
    let given = config.aliases.iter().flat_map(|aliases| &aliases.items);
    let aliases: Vec<String> = given.map(|alias| alias.to_ascii_lowercase()).collect();
    at_most(
        ALIASES_MAX,
        aliases.len(),
        "alternate domain names",
        ErrorCode::TooManyDistributionCNAMEs,
    )?;
    if let Some(alias) = aliases.iter().find(|alias| !is_alias(alias)) {
        return Err(ConfigError::argument(format!(
            "The parameter CNAME contains {alias:?}, which is no domain name."
        )));
    }
    if let Some(alias) = repeated(aliases.iter().map(String::as_str)) {
        return Err(ConfigError::argument(format!(
            "The parameter CNAME contains {alias} more than once."
        )));
    }
    Ok(aliases.into_iter().map(Arc::from).collect())
}

/// A domain name of at least two labels, of which the first may be `*`.
///
/// Source: CloudFront Developer Guide, "Requirements for using alternate domain names".
fn is_alias(alias: &str) -> bool {
    let name = alias.strip_prefix("*.").unwrap_or(alias);
    alias.len() <= ALIAS_BYTES_MAX && name.contains('.') && super::origin::is_dns_name(name)
}

fn default_root_object(config: &DistributionConfig) -> Result<Option<Arc<str>>, ConfigError> {
    let Some(object) = given(config.default_root_object.as_ref()) else {
        return Ok(None);
    };
    ensure(
        !object.starts_with('/') && object.chars().count() <= DEFAULT_ROOT_OBJECT_CHARACTERS_MAX,
        || {
            let message = format!(
                "The parameter DefaultRootObject must not begin with / and must have at most \
             {DEFAULT_ROOT_OBJECT_CHARACTERS_MAX} characters: {object:?}."
            );
            ConfigError::new(ErrorCode::InvalidDefaultRootObject, message)
        },
    )?;
    Ok(Some(object.into()))
}

/// The ordered behaviors, then the default one.
fn ordered_behaviors(config: &DistributionConfig) -> Result<Vec<crate::types::CacheBehavior>, ConfigError> {
    let mut behaviors: Vec<_> = config
        .cache_behaviors
        .iter()
        .flat_map(|behaviors| behaviors.items.clone())
        .collect();
    at_most(
        BEHAVIORS_MAX,
        behaviors.len(),
        "cache behaviors",
        ErrorCode::TooManyCacheBehaviors,
    )?;
    if let Some(pattern) = repeated(behaviors.iter().map(|behavior| behavior.path_pattern.as_str())) {
        return Err(ConfigError::argument(format!(
            "The parameter PathPattern contains {pattern:?} more than once."
        )));
    }
    behaviors.push(with_pattern(&config.default_cache_behavior));
    Ok(behaviors)
}

/// `Ok` if there are no more of something than its quota.
pub(super) fn at_most(max: usize, number: usize, what: &str, code: ErrorCode) -> Result<(), ConfigError> {
    ensure(number <= max, || {
        ConfigError::new(
            code,
            format!("Your request contains {number} {what}; the maximum is {max}."),
        )
    })
}

#[cfg(test)]
mod tests;

//! The configuration file: TOML, every key optional, unknown keys refused. Flags win over it.

use std::fmt::Display;
use std::num::NonZeroU32;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use url::Url;
use warmfront_edge::ExplainToken;
use warmfront_model::AccountId;

use crate::allow::Allowed;
use crate::disk::DiskArgument;
use crate::listen::Address;
use crate::outcome::Complaint;
use crate::profile::ProfileConfig;
use crate::topology::Topology;
use crate::{duration, size};

/// What a configuration file may say.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The account, twelve digits.
    #[serde(deserialize_with = "account")]
    pub account: Option<AccountId>,
    /// Bytes of responses kept in memory, like `512MiB`.
    #[serde(deserialize_with = "bytes")]
    pub memory: Option<u64>,
    /// Where responses are kept on disk, like `/var/cache/warmfront:20GiB`.
    #[serde(deserialize_with = "parsed")]
    pub disk: Option<DiskArgument>,
    /// The code in `x-amz-cf-pop`.
    pub pop: Option<String>,
    /// `aws` or `edge`, and where the caching rules leave it.
    pub profile: ProfileConfig,
    /// How long an invalidation is held back before the edge applies it, like `20s`.
    #[serde(deserialize_with = "time")]
    pub propagation_delay: Option<Duration>,
    /// What a request's `X-Warmfront-Explain` must say to be answered.
    #[serde(deserialize_with = "explain_token")]
    pub explain_token: Option<ExplainToken>,
    /// The addresses.
    pub listen: ListenConfig,
    /// What origins may be.
    pub origin: OriginConfig,
    /// The quotas, in place of those of the profile.
    pub quotas: QuotaConfig,
    /// The nodes; a file of its own, see `--topology`.
    #[serde(skip)]
    pub topology: Option<Topology>,
}

/// `[listen]`: the addresses.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ListenConfig {
    /// The CloudFront API.
    #[serde(deserialize_with = "parsed")]
    pub control: Option<Address>,
    /// Viewers over HTTP.
    #[serde(deserialize_with = "parsed")]
    pub edge: Option<Address>,
    /// Viewers over TLS.
    #[serde(deserialize_with = "parsed")]
    pub edge_https: Option<Address>,
    /// The S3 API.
    #[serde(deserialize_with = "parsed")]
    pub bucket: Option<Address>,
    /// Metrics and health.
    #[serde(deserialize_with = "parsed")]
    pub admin: Option<Address>,
    /// Whether plain HTTP may be served beyond this machine.
    pub allow_plain_http: bool,
}

/// `[origin]`: what origins may be.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OriginConfig {
    /// A web server to put a distribution in front of.
    pub url: Option<Url>,
    /// Addresses that are not public and allowed all the same: `10.0.0.0/8`, `192.168.1.5`, `localhost`.
    #[serde(deserialize_with = "all_parsed")]
    pub allow: Vec<Allowed>,
    /// How many fetches fill the cache from one origin at a time, on each node.
    pub fetches_max: Option<NonZeroU32>,
    /// How many wait for their turn.
    pub queue_max: Option<u32>,
    /// How long one waits, like `10s`.
    #[serde(deserialize_with = "time")]
    pub queue_wait: Option<Duration>,
}

/// `[quotas]`: a number, or `"unlimited"`. `None` leaves it to the profile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QuotaConfig {
    /// Paths without a wildcard, and tags, of one distribution's invalidations in progress.
    pub files_in_progress_max: Option<Quota>,
    /// Paths with a wildcard of one distribution's invalidations in progress.
    pub wildcards_in_progress_max: Option<Quota>,
    /// Invalidations in progress of one distribution.
    pub batches_in_progress_max: Option<Quota>,
    /// Distributions.
    pub distributions_max: Option<Quota>,
    /// Origin access controls.
    pub origin_access_controls_max: Option<Quota>,
    /// Distributions that use one origin access control.
    pub distributions_per_origin_access_control_max: Option<Quota>,
}

/// How much there may be of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quota {
    /// So many at most.
    Limited(usize),
    /// Any number.
    Unlimited,
}

impl<'de> Deserialize<'de> for Quota {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Quota, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(usize),
            Word(String),
        }
        match Written::deserialize(deserializer) {
            Ok(Written::Number(limit)) => Ok(Quota::Limited(limit)),
            Ok(Written::Word(word)) if word == "unlimited" => Ok(Quota::Unlimited),
            _ => Err(serde::de::Error::custom("a quota is a whole number or \"unlimited\"")),
        }
    }
}

impl Config {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// Names the file, and the line and key that are wrong.
    pub fn load(path: &Path) -> Result<Config, Complaint> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Complaint::usage(format!("--config {}: {error}", path.display())))?;
        Config::parse(&text).map_err(|error| Complaint::usage(format!("--config {}: {error}", path.display())))
    }

    fn parse(text: &str) -> Result<Config, toml::de::Error> {
        toml::from_str(text)
    }
}

fn text<'de, D: Deserializer<'de>, T, E: Display>(
    deserializer: D,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<Option<T>, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text)
        .map(Some)
        .map_err(|error| serde::de::Error::custom(format!("{text:?}: {error}")))
}

fn parsed<'de, D: Deserializer<'de>, T: FromStr<Err: Display>>(deserializer: D) -> Result<Option<T>, D::Error> {
    text(deserializer, str::parse)
}

fn all_parsed<'de, D: Deserializer<'de>, T: FromStr<Err: Display>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let parse = |text: String| {
        text.parse()
            .map_err(|error| serde::de::Error::custom(format!("{text:?}: {error}")))
    };
    texts.into_iter().map(parse).collect()
}

/// Whatever is wrong with a token, it is not shown.
fn explain_token<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ExplainToken>, D::Error> {
    let text = String::deserialize(deserializer)?;
    crate::command::serve::explain_token(&text)
        .map(Some)
        .map_err(serde::de::Error::custom)
}

fn account<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<AccountId>, D::Error> {
    text(deserializer, AccountId::parse)
}

fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    text(deserializer, size::parse)
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    text(deserializer, duration::parse)
}

#[cfg(test)]
mod tests {
    use warmfront_caching::Switches;

    use super::*;
    use crate::profile::Profile;

    #[test]
    fn every_key_is_read() {
        let config = Config::parse(
            r#"
            account = "123456789012"
            memory = "512MiB"
            pop = "IAD89-P3"
            profile = "edge"
            propagation_delay = "20s"
            explain_token = "0123456789abcdef"
            [listen]
            control = "127.0.0.1:1"
            edge = "0.0.0.0:2"
            edge_https = "[::1]:3"
            bucket = "4"
            admin = "9100"
            allow_plain_http = true
            [origin]
            url = "http://localhost:3000/app"
            allow = ["10.0.0.0/8", "localhost"]
            fetches_max = 64
            queue_max = 1000
            queue_wait = "5s"
            [quotas]
            files_in_progress_max = 1
            wildcards_in_progress_max = 2
            batches_in_progress_max = "unlimited"
            "#,
        )
        .unwrap();
        assert_eq!(config.account.unwrap().as_str(), "123456789012");
        assert_eq!(config.memory, Some(536_870_912));
        assert_eq!(config.pop.as_deref(), Some("IAD89-P3"));
        assert_eq!(config.profile.base, Some(Profile::Edge));
        assert_eq!(config.propagation_delay, Some(Duration::from_secs(20)));
        assert_eq!(config.listen.edge.unwrap().0, "0.0.0.0:2".parse().unwrap());
        assert!(config.listen.allow_plain_http);
        assert_eq!(config.listen.admin.unwrap().0, "127.0.0.1:9100".parse().unwrap());
        assert!(config.explain_token.is_some());
        assert_eq!(config.origin.url.unwrap().as_str(), "http://localhost:3000/app");
        assert_eq!(config.origin.allow.len(), 2);
        let refills = (
            config.origin.fetches_max.unwrap().get(),
            config.origin.queue_max.unwrap(),
        );
        assert_eq!(
            (refills, config.origin.queue_wait),
            ((64, 1000), Some(Duration::from_secs(5)))
        );
        assert_eq!(config.quotas.wildcards_in_progress_max, Some(Quota::Limited(2)));
        assert_eq!(config.quotas.batches_in_progress_max, Some(Quota::Unlimited));
        assert_eq!(config.quotas.distributions_max, None);
    }

    #[test]
    fn an_unknown_key_or_a_wrong_value_is_named() {
        let check = |text: &str, named: &[&str]| {
            let message = Config::parse(text).unwrap_err().to_string();
            for name in named {
                assert!(message.contains(name), "{text}: {message}");
            }
        };
        check("colour = 1", &["colour"]);
        check("[listen]\ncontrols = \"1\"", &["controls", "control"]);
        check("[quota]\nx = 1", &["quota"]);
        check("memory = \"lots\"", &["memory", "lots", "MiB"]);
        check("propagation_delay = \"20\"", &["propagation_delay", "20", "60s"]);
        check("explain_token = \"short\"", &["explain_token", "16"]);
        check("account = \"7\"", &["account", "twelve"]);
        check("profile = \"fast\"", &["profile", "fast", "aws", "edge"]);
        check("[profile]\nvary = true", &["vary", "vary_selects"]);
        check("[profile]\nbase = true", &["base", "aws"]);
        check("[profile]\nvary_selects = \"yes\"", &["vary_selects", "true or false"]);
        check("[origin]\nallow = [\"10.0.0.0/40\"]", &["allow", "10.0.0.0/40"]);
        check(
            "[quotas]\nfiles_in_progress_max = -1",
            &["files_in_progress_max", "unlimited"],
        );
        check(
            "[quotas]\nfiles_in_progress_max = \"many\"",
            &["files_in_progress_max", "unlimited"],
        );
    }

    #[test]
    fn a_switch_is_set_alone_whatever_the_profile() {
        let switches = |text: &str, profile| Config::parse(text).unwrap().profile.switches(profile);
        let text = "[profile]\nbase = \"edge\"\nunsafe_methods_invalidate = false";
        assert_eq!(Config::parse(text).unwrap().profile.base, Some(Profile::Edge));
        let expected = Switches {
            unsafe_methods_invalidate: false,
            ..Switches::EDGE
        };
        assert_eq!(switches(text, Profile::Edge), expected);
        let text = "[profile]\nvary_selects = true";
        let expected = Switches {
            vary_selects: true,
            ..Switches::AWS
        };
        assert_eq!(switches(text, Profile::Aws), expected);
        assert_eq!(switches("profile = \"edge\"", Profile::Edge), Switches::EDGE);
    }

    #[test]
    fn an_empty_file_says_nothing() {
        let config = Config::parse("").unwrap();
        assert!(config.memory.is_none() && config.listen.control.is_none() && config.origin.allow.is_empty());
    }
}

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use clap::ValueEnum;
use serde::{Deserialize, Deserializer};
use warmfront_caching::Switches;

/// A set of defaults for one kind of user; every difference between them can also be set alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Profile {
    /// What CloudFront documents, quotas included.
    #[default]
    Aws,
    /// For one's own edge: the RFCs on HTTP first, and no quotas.
    Edge,
}

impl FromStr for Profile {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Profile, Self::Err> {
        match text {
            "aws" => Ok(Profile::Aws),
            "edge" => Ok(Profile::Edge),
            _ => Err("a profile is aws or edge"),
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Profile::Aws => "aws",
            Profile::Edge => "edge",
        })
    }
}

impl Profile {
    /// The caching rules where CloudFront's documents and the RFCs part.
    fn switches(self) -> Switches {
        match self {
            Profile::Aws => Switches::AWS,
            Profile::Edge => Switches::EDGE,
        }
    }
}

/// `profile = "edge"`, or `[profile]` with `base = "edge"` and switches that are set otherwise than there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfileConfig {
    /// The profile, if one is named.
    pub base: Option<Profile>,
    /// Switches by name; every name is one of [`Switches::NAMES`].
    changed: BTreeMap<String, bool>,
}

impl ProfileConfig {
    /// The switches of `profile`, but for those that are set here.
    pub fn switches(&self, profile: Profile) -> Switches {
        let mut switches = profile.switches();
        for (name, on) in &self.changed {
            // Names were checked when the file was read.
            let _ = switches.set(name, *on);
        }
        switches
    }
}

impl<'de> Deserialize<'de> for ProfileConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ProfileConfig, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Name(String),
            Table(BTreeMap<String, Value>),
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Value {
            Switch(bool),
            Name(String),
        }
        let parse = |name: String| {
            let parsed = name.parse::<Profile>();
            parsed.map_err(|error| serde::de::Error::custom(format!("{name:?}: {error}")))
        };
        let mut config = ProfileConfig::default();
        let written = Written::deserialize(deserializer).map_err(|_| {
            serde::de::Error::custom("a profile is \"aws\" or \"edge\", or a table of base and switches, true or false")
        })?;
        match written {
            Written::Name(name) => config.base = Some(parse(name)?),
            Written::Table(table) => {
                for (key, value) in table {
                    match value {
                        Value::Name(name) if key == "base" => config.base = Some(parse(name)?),
                        Value::Switch(on) if key != "base" => {
                            Switches::AWS.clone().set(&key, on).map_err(serde::de::Error::custom)?;
                            config.changed.insert(key, on);
                        }
                        _ => {
                            let message = format!("{key}: base is \"aws\" or \"edge\", a switch is true or false");
                            return Err(serde::de::Error::custom(message));
                        }
                    }
                }
            }
        }
        Ok(config)
    }
}

use std::fmt;
use std::str::FromStr;

use clap::ValueEnum;

/// A set of defaults for one kind of user; every difference between them can also be set alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Profile {
    /// What CloudFront documents, quotas included.
    #[default]
    Aws,
    /// For one's own edge: no quotas.
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

//! `warmfront.toml`: what a site's releases have in common.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::headers::{InvalidRule, RuleConfig, Rules};

/// The file's name.
pub const FILE_NAME: &str = "warmfront.toml";

/// The file as it is written. A key that is not known is refused by its name.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingsFile {
    /// The bucket's name.
    pub bucket: Option<String>,
    /// The distribution's Id.
    pub distribution: Option<String>,
    /// Where the state lives: `s3://BUCKET/PREFIX` or a folder.
    pub state: Option<String>,
    /// Where viewers are asked: `http://HOST:PORT` of each POP.
    #[serde(default)]
    pub edges: Vec<String>,
    /// Globs of files that are no part of the site.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// Whether `/x` and `/x/` show `/x/index.html`.
    pub index_urls: Option<IndexUrls>,
    /// How many earlier releases keep their files.
    pub keep_releases: Option<usize>,
    /// For how many days a file is kept that the site does not have any more.
    pub keep_days: Option<u32>,
    /// More deletions than this are refused unless confirmed.
    pub delete_max: Option<usize>,
    /// More deletions than this share of the site (0 to 1) are refused unless confirmed.
    pub delete_ratio_max: Option<f64>,
    /// More paths than this are drawn together into wildcards.
    pub paths_max: Option<usize>,
    /// Instead of being invalidated, what expires within this many seconds is waited for.
    pub expiry_wait_secs: Option<u64>,
    /// So many free paths a release may use to invalidate that all the same, if it is faster.
    pub hurry_paths_max: Option<usize>,
    /// Rules for headers; the first that matches decides.
    #[serde(default)]
    pub rule: Vec<RuleConfig>,
}

/// Which URLs lead to `x/index.html`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IndexUrls {
    /// `/x` and `/x/` too if the behavior has an edge function or the origin is a website, which may rewrite them.
    #[default]
    Auto,
    /// `/x` and `/x/` too.
    Always,
    /// Only `/x/index.html`.
    Never,
}

/// How releases are made, with all defaults filled in.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Rules for headers.
    pub rules: Rules,
    /// Globs of files that are no part of the site.
    pub exclude: Vec<String>,
    /// Which URLs lead to `x/index.html`.
    pub index_urls: IndexUrls,
    /// How many earlier releases keep their files.
    pub keep_releases: usize,
    /// For how many days a file is kept that the site does not have any more.
    pub keep_days: u32,
    /// More deletions than this are refused unless confirmed.
    pub delete_max: usize,
    /// More deletions than this share of the site are refused unless confirmed.
    pub delete_ratio_max: f64,
    /// More paths than this are drawn together into wildcards.
    pub paths_max: usize,
    /// Instead of being invalidated, what expires within this many seconds is waited for.
    pub expiry_wait_secs: u64,
    /// So many free paths a release may use to invalidate that all the same, if it is faster.
    pub hurry_paths_max: usize,
}

/// The settings file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// It cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is not TOML, or has a key that is not known.
    #[error("{}: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where and why.
        reason: String,
    },
    /// A rule makes no sense.
    #[error(transparent)]
    Rule(#[from] InvalidRule),
    /// A pattern in `exclude` makes no sense.
    #[error("exclude: {0}")]
    Exclude(#[from] globset::Error),
    /// `delete_ratio_max` is not between 0 and 1.
    #[error("delete_ratio_max = {0}: give a share from 0 to 1")]
    Ratio(f64),
}

impl SettingsFile {
    /// Reads the file; without one at the default place, everything has its default.
    ///
    /// # Errors
    /// If a file that was named is missing, or if it cannot be understood.
    pub fn load(named: Option<&Path>) -> Result<SettingsFile, SettingsError> {
        let path = named.unwrap_or(Path::new(FILE_NAME));
        match std::fs::read_to_string(path) {
            Ok(text) => SettingsFile::parse(&text, path),
            Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => {
                Ok(SettingsFile::default())
            }
            Err(source) => Err(SettingsError::Unreadable {
                path: path.into(),
                source,
            }),
        }
    }

    fn parse(text: &str, path: &Path) -> Result<SettingsFile, SettingsError> {
        toml::from_str(text).map_err(|error| SettingsError::Malformed {
            path: path.into(),
            reason: error.to_string().trim_end().to_owned(),
        })
    }

    /// Fills in the defaults.
    ///
    /// # Errors
    /// Names the rule or value that makes no sense.
    pub fn resolve(&self) -> Result<Settings, SettingsError> {
        for pattern in &self.exclude {
            crate::headers::glob(pattern)?;
        }
        let delete_ratio_max = self.delete_ratio_max.unwrap_or(0.5);
        if !(0.0..=1.0).contains(&delete_ratio_max) {
            return Err(SettingsError::Ratio(delete_ratio_max));
        }
        Ok(Settings {
            rules: Rules::new(self.rule.clone())?,
            exclude: self.exclude.clone(),
            index_urls: self.index_urls.unwrap_or_default(),
            keep_releases: self.keep_releases.unwrap_or(5),
            keep_days: self.keep_days.unwrap_or(7),
            delete_max: self.delete_max.unwrap_or(256),
            delete_ratio_max,
            paths_max: self.paths_max.unwrap_or(crate::cover::FILES_MAX),
            expiry_wait_secs: self.expiry_wait_secs.unwrap_or(2),
            hurry_paths_max: self.hurry_paths_max.unwrap_or(20),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<SettingsFile, SettingsError> {
        SettingsFile::parse(text, Path::new(FILE_NAME))
    }

    #[test]
    fn rules_and_limits_are_read_in_order() {
        let file = parse(
            "bucket = 'site'\nkeep_days = 30\nindex_urls = 'always'\n\
             [[rule]]\nmatch = '*.pdf'\ncache_control = 'max-age=5'\ntags = ['docs']\n\
             [[rule]]\nmatch = 'x/**'\nclass = 'fingerprinted'\n",
        )
        .unwrap();
        let settings = file.resolve().unwrap();
        assert_eq!((settings.keep_days, settings.keep_releases), (30, 5));
        assert_eq!(settings.index_urls, IndexUrls::Always);
        assert_eq!(settings.rules.decide("a/b.pdf", false).headers.tags, ["docs"]);
        assert_eq!(
            settings.rules.decide("x/y.png", false).class,
            crate::headers::Class::Fingerprinted
        );
    }

    #[test]
    fn unknown_keys_are_refused_by_name() {
        for (text, word) in [
            ("buckett = 'a'", "buckett"),
            ("[[rule]]\nmatch = '*'\ncache-control = 'x'", "cache-control"),
            ("[[rule]]\nmatch = '*'\nclass = 'page2'", "page2"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(word) && error.contains(FILE_NAME), "{error}");
        }
        let error = parse("delete_ratio_max = 5")
            .unwrap()
            .resolve()
            .unwrap_err()
            .to_string();
        assert!(error.contains("delete_ratio_max"), "{error}");
    }

    #[test]
    fn a_named_file_must_be_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("other.toml");
        assert!(
            SettingsFile::load(Some(&path))
                .unwrap_err()
                .to_string()
                .contains("other.toml")
        );
    }
}

//! Which headers a file is stored with: Content-Type, Cache-Control and cache tags, by class and by rule.

use globset::{Glob, GlobMatcher};
use serde::{Deserialize, Serialize};

use crate::fingerprint::fingerprint;
use crate::media_type;

#[cfg(test)]
mod tests;

/// What kind of file it is, which decides when it is uploaded and how long it may be cached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Its name changes with its content: uploaded first, cached for a year, kept for open tabs.
    Fingerprinted,
    /// Its name stays while its content may change: images, fonts, feeds.
    Other,
    /// HTML and service workers, which refer to the others: uploaded last.
    Page,
}

impl Class {
    /// The Cache-Control when no rule gives one.
    ///
    /// A page is checked with the origin each time, so a release needs no invalidation for it. Everything else with a
    /// lasting name stays at the edge for a day, where an invalidation reaches it, and in browsers, where none does, for a minute.
    pub fn cache_control(self) -> &'static str {
        match self {
            Class::Fingerprinted => "public, max-age=31536000, immutable",
            Class::Other => "public, max-age=60, s-maxage=86400",
            Class::Page => "no-cache",
        }
    }

    /// Its name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Class::Fingerprinted => "fingerprinted",
            Class::Other => "other",
            Class::Page => "page",
        }
    }
}

/// The headers that a release decides on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Headers {
    /// Content-Type.
    pub content_type: String,
    /// Cache-Control.
    pub cache_control: String,
    /// Cache tags, in the order of the rule.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

/// One `[[rule]]` of `warmfront.toml`: the first whose pattern matches decides, and what it leaves out comes from the class.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleConfig {
    /// A glob over the path below the folder: `*` stays within a folder, `**` does not; a pattern without `/` matches the
    /// name in any folder.
    pub r#match: String,
    /// Cache-Control.
    pub cache_control: Option<String>,
    /// Content-Type.
    pub content_type: Option<String>,
    /// Cache tags.
    #[serde(default)]
    pub tags: Vec<String>,
    /// The class, in place of the one found by shape.
    pub class: Option<Class>,
}

/// A rule's pattern cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("rule {number}: match = {pattern:?}: {reason}")]
pub struct InvalidRule {
    /// Its number in the file, from 1.
    pub number: usize,
    /// The pattern.
    pub pattern: String,
    /// What is wrong with it.
    pub reason: String,
}

/// The rules, in order.
#[derive(Clone, Debug, Default)]
pub struct Rules(Vec<(RuleConfig, GlobMatcher)>);

/// What was decided for a file, and by which rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Its class.
    pub class: Class,
    /// Its headers.
    pub headers: Headers,
    /// Why, in the order of the decisions.
    pub reasons: Vec<String>,
}

impl Rules {
    /// Compiles the patterns.
    ///
    /// # Errors
    /// Names the first pattern that cannot be read.
    pub fn new(configs: Vec<RuleConfig>) -> Result<Rules, InvalidRule> {
        let compile = |(index, config): (usize, RuleConfig)| {
            let invalid = |reason: String| InvalidRule {
                number: index + 1,
                pattern: config.r#match.clone(),
                reason,
            };
            let matcher = glob(&config.r#match).map_err(|error| invalid(error.to_string()))?;
            for tag in &config.tags {
                check_tag(tag).map_err(invalid)?;
            }
            Ok((config, matcher))
        };
        configs
            .into_iter()
            .enumerate()
            .map(compile)
            .collect::<Result<_, _>>()
            .map(Rules)
    }

    /// Decides for the file with this path below the folder.
    ///
    /// `changed_under_its_name`: its fingerprinted name stood for other bytes before, so the name proves nothing, and it
    /// is never `immutable`.
    pub fn decide(&self, path: &str, changed_under_its_name: bool) -> Decision {
        let mut reasons = Vec::new();
        let rule = self.0.iter().position(|(_, matcher)| matcher.is_match(path));
        let config = rule.map(|index| &self.0[index].0);
        if let (Some(index), Some(config)) = (rule, config) {
            reasons.push(format!(
                "rule {} (match = {:?}) is the first that matches",
                index + 1,
                config.r#match
            ));
        }
        let class = match config.and_then(|config| config.class) {
            Some(class) => class,
            None => class_of(path, &mut reasons),
        };
        let class = if changed_under_its_name && class == Class::Fingerprinted {
            reasons.push("its name stood for other bytes before: treated as other, never immutable".into());
            Class::Other
        } else {
            class
        };
        let chosen = |given: Option<&String>, what: &str, default: String, reasons: &mut Vec<String>| match given {
            Some(value) => {
                reasons.push(format!("{what} from the rule"));
                value.clone()
            }
            None => default,
        };
        let cache_control = chosen(
            config.and_then(|config| config.cache_control.as_ref()),
            "Cache-Control",
            class.cache_control().to_owned(),
            &mut reasons,
        );
        let cache_control = if changed_under_its_name {
            without_immutable(&cache_control)
        } else {
            cache_control
        };
        let content_type = chosen(
            config.and_then(|config| config.content_type.as_ref()),
            "Content-Type",
            media_type::content_type(path),
            &mut reasons,
        );
        let tags = config.map(|config| config.tags.clone()).unwrap_or_default();
        let headers = Headers {
            content_type,
            cache_control,
            tags,
        };
        Decision {
            class,
            headers,
            reasons,
        }
    }
}

/// A pattern without `/` matches the name in any folder, as in `.gitignore`.
pub fn glob(pattern: &str) -> Result<GlobMatcher, globset::Error> {
    let anywhere = if pattern.contains('/') {
        pattern.trim_start_matches('/').to_owned()
    } else {
        format!("**/{pattern}")
    };
    let glob = globset::GlobBuilder::new(&anywhere).literal_separator(true).build()?;
    Ok(Glob::compile_matcher(&glob))
}

/// Source: CloudFront Developer Guide, "Invalidate by cache tag": visible ASCII without commas, at most 256 characters.
fn check_tag(tag: &str) -> Result<(), String> {
    match warmfront_model::CacheTag::parse(tag) {
        Some(_) => Ok(()),
        None => Err(format!(
            "the tag {tag:?} is not 1 to 256 visible ASCII characters without commas"
        )),
    }
}

fn class_of(path: &str, reasons: &mut Vec<String>) -> Class {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    if name.ends_with(".html") || name.ends_with(".htm") || name.ends_with(".xhtml") {
        reasons.push("HTML: a page".into());
        return Class::Page;
    }
    // A service worker decides what its clients load next; it goes live with the pages.
    if matches!(
        &*name,
        "sw.js" | "service-worker.js" | "serviceworker.js" | "ngsw.json" | "ngsw-worker.js"
    ) {
        reasons.push("a service worker: goes live with the pages".into());
        return Class::Page;
    }
    match fingerprint(path) {
        Some(hash) => {
            reasons.push(format!("{hash} in its name looks like a content hash: fingerprinted"));
            Class::Fingerprinted
        }
        None => {
            reasons.push("no content hash in its name: other".into());
            Class::Other
        }
    }
}

fn without_immutable(cache_control: &str) -> String {
    let directives = cache_control.split(',').map(str::trim);
    let kept: Vec<&str> = directives
        .filter(|directive| !directive.eq_ignore_ascii_case("immutable"))
        .collect();
    kept.join(", ")
}

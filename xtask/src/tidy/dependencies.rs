use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::Value;

use super::sources::Sources;
use crate::machine::{cargo, output};

/// Dependencies that `deny.toml` does not allow: by licence, by a second version, or by where they come from.
pub fn problems(sources: &Sources) -> Result<Vec<String>> {
    let rules: toml::Table = sources.text("deny.toml")?.parse().context("deny.toml")?;
    let target = rules["graph"]["targets"][0]
        .as_str()
        .context("deny.toml names no target")?;
    let metadata = output(&mut cargo([
        "metadata",
        "--format-version",
        "1",
        "--locked",
        "--filter-platform",
        target,
    ]))?;
    judge(&rules, &serde_json::from_str(&metadata)?)
}

fn judge(rules: &toml::Table, metadata: &Value) -> Result<Vec<String>> {
    let used: Vec<&str> = array(&metadata["resolve"]["nodes"])
        .filter_map(|node| node["id"].as_str())
        .collect();
    let is_used = |package: &&Value| package["id"].as_str().is_some_and(|id| used.contains(&id));
    let mut problems = Vec::new();
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in array(&metadata["packages"]).filter(is_used) {
        let name = package["name"].as_str().context("a package without name")?;
        let version = package["version"].as_str().context("a package without version")?;
        let licence = package["license"].as_str().unwrap_or("no licence");
        if !may_use(licence, &|id| allows(rules, name, id)) {
            problems.push(format!("{name} {version}: deny.toml does not allow {licence}"));
        }
        let source = package["source"].as_str();
        if source.is_some_and(|source| source != "registry+https://github.com/rust-lang/crates.io-index") {
            problems.push(format!("{name} {version} comes from {}", source.unwrap_or_default()));
        }
        versions.entry(name).or_default().push(version);
    }
    for (name, versions) in versions {
        let skipped = |version: &&&str| skips(rules).any(|skip| skip == format!("{name}@{version}"));
        if versions.len() - versions.iter().filter(skipped).count() > 1 {
            problems.push(format!(
                "{name} is there more than once: {}; deny.toml does not say why",
                versions.join(", ")
            ));
        }
    }
    for skip in skips(rules) {
        let there = |package: &Value| skip == format!("{}@{}", text(&package["name"]), text(&package["version"]));
        if !array(&metadata["packages"]).filter(is_used).any(there) {
            problems.push(format!("deny.toml: {skip} is not there any more"));
        }
    }
    Ok(problems)
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn skips(rules: &toml::Table) -> impl Iterator<Item = &str> {
    let entries = rules["bans"]["skip"].as_array().into_iter().flatten();
    entries.filter_map(|entry| entry.get("crate")?.as_str())
}

/// Whether `deny.toml` allows a licence for everyone, or for this package.
fn allows(rules: &toml::Table, package: &str, licence: &str) -> bool {
    let listed = |list: Option<&toml::Value>| {
        list.and_then(toml::Value::as_array)
            .is_some_and(|list| list.iter().any(|entry| entry.as_str() == Some(licence)))
    };
    let licences = &rules["licenses"];
    let exceptions = licences.get("exceptions").and_then(toml::Value::as_array);
    listed(licences.get("allow"))
        || exceptions.into_iter().flatten().any(|exception| {
            exception.get("name").and_then(toml::Value::as_str) == Some(package) && listed(exception.get("allow"))
        })
}

/// Whether a licence expression can be met by licences that are allowed.
///
/// `AND` binds closer than `OR`; an old spelling of `OR` is `/`; `WITH` belongs to the licence before it.
/// Source: SPDX specification, annex "SPDX license expressions".
fn may_use(expression: &str, allowed: &dyn Fn(&str) -> bool) -> bool {
    let expression = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = expression.split_whitespace().collect();
    let (met, rest) = any_of(&words, allowed);
    met && rest.is_empty()
}

fn any_of<'a>(words: &'a [&'a str], allowed: &dyn Fn(&str) -> bool) -> (bool, &'a [&'a str]) {
    let (mut met, mut rest) = all_of(words, allowed);
    while let Some((&"OR", after)) = rest.split_first() {
        let (next, remaining) = all_of(after, allowed);
        (met, rest) = (met || next, remaining);
    }
    (met, rest)
}

fn all_of<'a>(words: &'a [&'a str], allowed: &dyn Fn(&str) -> bool) -> (bool, &'a [&'a str]) {
    let (mut met, mut rest) = one(words, allowed);
    while let Some((&"AND", after)) = rest.split_first() {
        let (next, remaining) = one(after, allowed);
        (met, rest) = (met && next, remaining);
    }
    (met, rest)
}

fn one<'a>(words: &'a [&'a str], allowed: &dyn Fn(&str) -> bool) -> (bool, &'a [&'a str]) {
    match words {
        ["(", inner @ ..] => match any_of(inner, allowed) {
            (met, [")", rest @ ..]) => (met, rest),
            (_, rest) => (false, rest),
        },
        [licence, "WITH", exception, rest @ ..] => (allowed(&format!("{licence} WITH {exception}")), rest),
        [licence, rest @ ..] => (allowed(licence), rest),
        [] => (false, words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licence_expressions_are_met_or_not() {
        let allowed = |licence: &str| ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].contains(&licence);
        for met in [
            "MIT",
            "GPL-3.0 OR MIT",
            "MIT/GPL-3.0",
            "MIT AND ISC",
            "(MIT OR GPL-3.0) AND ISC",
            "Apache-2.0 WITH LLVM-exception",
        ] {
            assert!(may_use(met, &allowed), "{met}");
        }
        for unmet in [
            "GPL-3.0",
            "MIT AND GPL-3.0",
            "(MIT AND GPL-3.0) OR BSD",
            "Apache-2.0",
            "",
            "no licence",
            "(MIT",
        ] {
            assert!(!may_use(unmet, &allowed), "{unmet}");
        }
    }

    #[test]
    fn second_versions_and_other_sources_need_a_reason() {
        let rules = "[licenses]\nallow = ['MIT']\nexceptions = [{ name = 'b', allow = ['MPL-2.0'] }]\n\
                     [bans]\nskip = [{ crate = 'b@1.0.0' }, { crate = 'gone@1.0.0' }]";
        let package = |name: &str, version: &str, licence: &str, source: Option<&str>| serde_json::json!({"id": format!("{name}{version}"), "name": name, "version": version, "license": licence, "source": source});
        let packages = [
            package("a", "1.0.0", "MIT", None),
            package("a", "2.0.0", "MPL-2.0", None),
            package("b", "1.0.0", "MPL-2.0", None),
            package("b", "2.0.0", "MIT", Some("git+https://example.com/b")),
        ];
        let nodes: Vec<Value> = packages
            .iter()
            .map(|package| serde_json::json!({"id": package["id"]}))
            .collect();
        let metadata = serde_json::json!({"packages": packages, "resolve": {"nodes": nodes}});
        assert_eq!(
            judge(&rules.parse().unwrap(), &metadata).unwrap(),
            [
                "a 2.0.0: deny.toml does not allow MPL-2.0",
                "b 2.0.0 comes from git+https://example.com/b",
                "a is there more than once: 1.0.0, 2.0.0; deny.toml does not say why",
                "deny.toml: gone@1.0.0 is not there any more",
            ]
        );
    }
}

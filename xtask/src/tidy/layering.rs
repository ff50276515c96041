use anyhow::{Context, Result};

use super::map::{self, Place};
use super::sources::Sources;

/// Dependencies that do not point inward, from programs to planes to wires and stores to rules.
///
/// Tests may use any crate; what only tests use must not be a dependency.
pub fn problems(sources: &Sources) -> Result<Vec<String>> {
    let places = map::read(sources.text("ARCHITECTURE.md")?);
    let place_of = |name: &str| {
        places
            .iter()
            .find(|(row, _)| *row == name)
            .and_then(|(_, place)| *place)
    };
    let mut problems = Vec::new();
    for (name, manifest) in sources.crates() {
        let manifest: toml::Table = manifest.parse().with_context(|| format!("crates/{name}/Cargo.toml"))?;
        let dependencies = manifest.get("dependencies").and_then(toml::Value::as_table);
        for dependency in dependencies.into_iter().flat_map(toml::Table::keys) {
            let (Some(from), Some(to)) = (place_of(name), place_of(dependency)) else {
                continue;
            };
            if !may_use(from, to) {
                problems.push(format!("{name} ({from:?}) must not depend on {dependency} ({to:?})"));
            }
        }
    }
    Ok(problems)
}

/// Whether a crate at `from` may depend on one at `to`.
fn may_use(from: Place, to: Place) -> bool {
    match from {
        Place::Rules => to == Place::Rules,
        Place::Wire | Place::Store => matches!(to, Place::Rules | Place::Wire | Place::Store),
        Place::Plane => matches!(to, Place::Rules | Place::Wire | Place::Store),
        Place::Program => to != Place::Measure && to != Place::Program,
        Place::Measure => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: &str = "| `rule` | rules |\n| `disk` | store |\n| `api` | plane |\n| `proxy` | plane |\n\
                       | `kit` | measure |\n| `main` | program |\n";

    fn check(name: &str, manifest: &str) -> Vec<String> {
        let path = format!("crates/{name}/Cargo.toml");
        problems(&Sources::of(&[("ARCHITECTURE.md", MAP), (&path, manifest)])).unwrap()
    }

    #[test]
    fn inward_is_allowed() {
        assert!(
            check(
                "api",
                "[dependencies]\nrule.workspace = true\ndisk = { path = '../disk' }\nserde = '1'"
            )
            .is_empty()
        );
        assert!(check("main", "[dependencies]\napi.workspace = true\nproxy.workspace = true").is_empty());
        assert!(check("rule", "[dev-dependencies]\nkit.workspace = true").is_empty());
    }

    #[test]
    fn planes_do_not_know_each_other() {
        assert_eq!(
            check("api", "[dependencies]\nproxy.workspace = true"),
            ["api (Plane) must not depend on proxy (Plane)"]
        );
    }

    #[test]
    fn rules_know_rules_alone() {
        assert_eq!(check("rule", "[dependencies]\ndisk.workspace = true").len(), 1);
        assert_eq!(check("disk", "[dependencies]\nkit.workspace = true").len(), 1);
    }
}

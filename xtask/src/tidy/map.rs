use anyhow::Result;

use super::sources::Sources;

/// A crate's place, by the second column of its row in ARCHITECTURE.md's map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Pure functions.
    Rules,
    /// Bytes to values and back.
    Wire,
    /// Disk, memory, time.
    Store,
    /// A server of its own.
    Plane,
    /// What people start.
    Program,
    /// Tests and chores.
    Measure,
}

/// The rows of the map: each begins with a crate's name in back-quotes, then its place.
pub fn read(architecture: &str) -> Vec<(&str, Option<Place>)> {
    architecture
        .lines()
        .filter_map(|line| {
            let mut columns = line.strip_prefix("| `")?.split('|').map(str::trim);
            let name = columns.next()?.strip_suffix('`')?;
            let place = match columns.next()? {
                "rules" => Some(Place::Rules),
                "wire" => Some(Place::Wire),
                "store" => Some(Place::Store),
                "plane" => Some(Place::Plane),
                "program" => Some(Place::Program),
                "measure" => Some(Place::Measure),
                _ => None,
            };
            Some((name, place))
        })
        .collect()
}

/// Crates that stand on the map or in `crates/`, but not on both.
pub fn problems(sources: &Sources) -> Result<Vec<String>> {
    let rows = read(sources.text("ARCHITECTURE.md")?);
    let folders: Vec<&str> = sources.crates().map(|(name, _)| name).chain(["xtask"]).collect();
    let mut problems = Vec::new();
    for (name, place) in &rows {
        if place.is_none() {
            problems.push(format!(
                "ARCHITECTURE.md: {name} has none of the places rules, wire, store, plane, program, measure"
            ));
        }
        if !folders.contains(name) {
            problems.push(format!("ARCHITECTURE.md: there is no crate {name}"));
        }
    }
    for name in folders {
        match rows.iter().filter(|(row, _)| *row == name).count() {
            1 => {}
            0 => problems.push(format!("crates/{name} is missing from the map in ARCHITECTURE.md")),
            n => problems.push(format!("ARCHITECTURE.md: {name} stands on the map {n} times")),
        }
    }
    Ok(problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: &str = "# Map\n\n| crate | place | knows |\n| --- | --- | --- |\n\
                       | `a` | rules | things |\n| `xtask` | measure | chores |\n";

    #[test]
    fn a_map_that_fits_has_no_problems() {
        let sources = Sources::of(&[("ARCHITECTURE.md", MAP), ("crates/a/Cargo.toml", "")]);
        assert_eq!(problems(&sources).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_crate_without_row_and_a_row_without_crate_are_problems() {
        let sources = Sources::of(&[("ARCHITECTURE.md", MAP), ("crates/b/Cargo.toml", "")]);
        assert_eq!(
            problems(&sources).unwrap(),
            [
                "ARCHITECTURE.md: there is no crate a",
                "crates/b is missing from the map in ARCHITECTURE.md"
            ]
        );
    }
}

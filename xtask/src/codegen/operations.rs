use std::fmt::Write as _;

use anyhow::Result;

use super::IMPLEMENTED;
use super::model::Model;

/// The enum of implemented operations, and the routes of all operations.
pub fn file(model: &Model) -> Result<String> {
    let implemented: Vec<&str> = IMPLEMENTED
        .iter()
        .flat_map(|(_, operations)| operations.iter().copied())
        .collect();
    let mut out = String::from(
        "use crate::operation::Route;\n\n/// The operations that exist.\n#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]\npub enum Operation {\n",
    );
    for name in &implemented {
        writeln!(out, "{name},")?;
    }
    out += "}\n\nimpl Operation {\n/// Every operation that exists.\npub const ALL: &'static [Self] = &[\n";
    for name in &implemented {
        writeln!(out, "Self::{name},")?;
    }
    out += "];\n\n/// AWS's name for it, as in the IAM action `cloudfront:NAME`.\npub fn name(self) -> &'static str {\nmatch self {\n";
    for name in &implemented {
        writeln!(out, "Self::{name} => {name:?},")?;
    }
    out +=
        "}\n}\n\n/// The status of its answer when all is well.\npub fn success_status(self) -> u16 {\nmatch self {\n";
    for name in &implemented {
        writeln!(out, "Self::{name} => {},", model.operation(name)?.status)?;
    }
    out += "}\n}\n}\n\n/// Every operation of the service.\npub(crate) const ROUTES: &[Route] = &[\n";
    for (name, entry) in &model.operations {
        let (path, query) = entry.uri.split_once('?').unwrap_or((&entry.uri, ""));
        let exists = implemented.contains(&name.as_str());
        let operation = if exists {
            format!("Some(Operation::{name})")
        } else {
            "None".to_owned()
        };
        writeln!(
            out,
            "Route::new({name:?}, {operation}, {:?}, {path:?}, {query:?}),",
            entry.method
        )?;
    }
    out += "];\n";
    Ok(out)
}

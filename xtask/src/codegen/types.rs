use std::collections::BTreeSet;
use std::fmt::Write as _;

use anyhow::{Result, ensure};

use super::IMPLEMENTED;
use super::model::{Member, Model, Shape};
use super::names;

/// One file of types for each group of operations.
pub fn files(model: &Model) -> Result<Vec<(String, String)>> {
    let documents = documents(model)?;
    let mut seen = BTreeSet::new();
    let mut files = Vec::new();
    for (group, operations) in IMPLEMENTED {
        let mut shapes = Vec::new();
        for operation in *operations {
            for (_, payload) in payloads(model, operation)? {
                reach(model, &payload.shape, &mut seen, &mut shapes)?;
            }
        }
        files.push((format!("{group}.rs"), file(model, &shapes, &documents)?));
    }
    Ok(files)
}

/// The shapes that are a whole body, with the name of its root element.
fn documents(model: &Model) -> Result<BTreeSet<(String, String)>> {
    let mut documents = BTreeSet::new();
    for operation in IMPLEMENTED.iter().flat_map(|(_, operations)| operations.iter()) {
        for (_, payload) in payloads(model, operation)? {
            documents.insert((payload.shape.clone(), payload.wire_name().to_owned()));
        }
    }
    let mut shapes = BTreeSet::new();
    for (shape, root) in &documents {
        ensure!(
            shapes.insert(shape),
            "{shape} has two root elements, one of them {root}"
        );
    }
    Ok(documents)
}

/// The body of an operation's request and of its response, where they have one.
pub fn payloads<'a>(model: &'a Model, operation: &str) -> Result<Vec<(&'static str, &'a Member)>> {
    let operation = model.operation(operation)?;
    let mut payloads = Vec::new();
    for (direction, shape) in [("input", &operation.input), ("output", &operation.output)] {
        let Some(shape) = shape else { continue };
        let Shape::Structure { payload, members } = model.shape(shape)? else {
            continue;
        };
        payloads.extend(
            members
                .iter()
                .filter(|member| Some(&member.name) == payload.as_ref())
                .map(|it| (direction, it)),
        );
        ensure!(
            payload.is_some() || members.iter().all(|member| member.location.is_some()),
            "{shape} has a body without a payload member"
        );
    }
    Ok(payloads)
}

/// Shapes in the order in which a reader meets them, each once.
fn reach<'a>(model: &'a Model, name: &'a str, seen: &mut BTreeSet<&'a str>, order: &mut Vec<&'a str>) -> Result<()> {
    if !seen.insert(name) {
        return Ok(());
    }
    match model.shape(name)? {
        Shape::Structure { members, .. } => {
            order.push(name);
            members
                .iter()
                .try_for_each(|member| reach(model, &member.shape, seen, order))
        }
        Shape::List { member, .. } => reach(model, member, seen, order),
        Shape::Enum(_) => {
            order.push(name);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn file(model: &Model, shapes: &[&str], documents: &BTreeSet<(String, String)>) -> Result<String> {
    let mut out = String::from("use super::*;\n");
    for name in shapes {
        match model.shape(name)? {
            Shape::Structure { members, .. } => structure(model, name, members, &mut out)?,
            Shape::Enum(values) => enumeration(name, values, &mut out)?,
            _ => {}
        }
        if let Some((_, root)) = documents.iter().find(|(shape, _)| shape == name) {
            write!(
                out,
                "\nimpl Document for {name} {{\n const ROOT: &'static str = {root:?};\n}}\n"
            )?;
        }
    }
    Ok(out)
}

fn enumeration(name: &str, values: &[String], out: &mut String) -> Result<()> {
    writeln!(
        out,
        "\n#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]\npub enum {name} {{"
    )?;
    for value in values {
        writeln!(out, "{},", names::variant(value))?;
    }
    writeln!(out, "}}\n\nimpl {name} {{\n/// The value as it is written on the wire.")?;
    writeln!(out, "pub fn as_str(self) -> &'static str {{\nmatch self {{")?;
    for value in values {
        writeln!(out, "Self::{} => {value:?},", names::variant(value))?;
    }
    writeln!(
        out,
        "}}\n}}\n}}\n\nimpl Enumeration for {name} {{\nconst ALL: &'static [Self] = &["
    )?;
    for value in values {
        writeln!(out, "Self::{},", names::variant(value))?;
    }
    writeln!(out, "];\n\nfn text(self) -> &'static str {{\nself.as_str()\n}}\n}}")?;
    writeln!(out, "\nenumeration_value!({name});")?;
    Ok(())
}

fn structure(model: &Model, name: &str, members: &[Member], out: &mut String) -> Result<()> {
    let sensitive = members.iter().any(|member| is_sensitive(model, member));
    let mut derives = vec!["Clone", "PartialEq", "Eq"];
    if !sensitive {
        derives.push("Debug");
    }
    if has_default(model, name)? {
        derives.push("Default");
    }
    derives.sort_unstable();
    writeln!(out, "\n#[derive({})]\npub struct {name} {{", derives.join(", "))?;
    for member in members {
        writeln!(
            out,
            "pub {}: {},",
            names::field(&member.name),
            field_type(model, member)?
        )?;
    }
    writeln!(out, "}}\n\nimpl Value for {name} {{")?;
    read(model, members, out)?;
    write_out(model, name, members, out)?;
    writeln!(out, "}}")?;
    if sensitive {
        debug(model, name, members, out)?;
    }
    Ok(())
}

/// A structure has a default unless a required member is an enum, or has none itself.
fn has_default(model: &Model, name: &str) -> Result<bool> {
    let Shape::Structure { members, .. } = model.shape(name)? else {
        return Ok(true);
    };
    for member in members.iter().filter(|member| member.required) {
        let default = match model.shape(&member.shape)? {
            Shape::Enum(_) => false,
            Shape::Structure { .. } => has_default(model, &member.shape)?,
            _ => true,
        };
        if !default {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_sensitive(model: &Model, member: &Member) -> bool {
    matches!(model.shapes.get(&member.shape), Some(Shape::String { sensitive: true }))
}

fn field_type(model: &Model, member: &Member) -> Result<String> {
    let plain = plain_type(model, &member.shape)?;
    let list = matches!(model.shape(&member.shape)?, Shape::List { .. });
    Ok(if member.required || list {
        plain
    } else {
        format!("Option<{plain}>")
    })
}

fn plain_type(model: &Model, shape: &str) -> Result<String> {
    Ok(match model.shape(shape)? {
        Shape::Structure { .. } | Shape::Enum(_) => shape.to_owned(),
        Shape::List { member, .. } => format!("Vec<{}>", plain_type(model, member)?),
        Shape::String { .. } => "String".to_owned(),
        Shape::Integer => "i32".to_owned(),
        Shape::Long => "i64".to_owned(),
        Shape::Double => "Double".to_owned(),
        Shape::Boolean => "bool".to_owned(),
        Shape::Timestamp => "Timestamp".to_owned(),
    })
}

fn read(model: &Model, members: &[Member], out: &mut String) -> Result<()> {
    writeln!(
        out,
        "fn read(element: &Element, at: &Place<'_>) -> Result<Self, XmlError> {{"
    )?;
    writeln!(out, "let members = Members {{ element, at }};")?;
    let counted = is_counted(members);
    writeln!(out, "{} Self {{", if counted { "let read =" } else { "Ok(" })?;
    for member in members {
        let necessity = if member.required { "required" } else { "optional" };
        let wire = member.wire_name();
        write!(out, "{}: members.", names::field(&member.name))?;
        match model.shape(&member.shape)? {
            Shape::List { item, .. } => writeln!(out, "{necessity}_list({wire:?}, {item:?})?,")?,
            _ => writeln!(out, "{necessity}({wire:?})?,")?,
        }
    }
    if counted {
        writeln!(
            out,
            "}};\nmembers.counted(read.quantity, read.items.len())?;\nOk(read)\n}}\n"
        )?;
    } else {
        writeln!(out, "}})\n}}\n")?;
    }
    Ok(())
}

/// Whether the structure says in `Quantity` how many `Items` it has.
fn is_counted(members: &[Member]) -> bool {
    ["Quantity", "Items"]
        .iter()
        .all(|name| members.iter().any(|member| member.name == *name))
}

/// Lists whose `Items` are written even if there are none, so that an expression over them, such as
/// `length(InvalidationList.Items[?Status=='InProgress'])`, is 0 before the first one exists.
const WRITTEN_EMPTY: [&str; 1] = ["InvalidationList"];

fn write_out(model: &Model, name: &str, members: &[Member], out: &mut String) -> Result<()> {
    writeln!(out, "fn write(&self, out: &mut Writer) {{")?;
    for member in members {
        let field = names::field(&member.name);
        let wire = member.wire_name();
        match model.shape(&member.shape)? {
            // Without a Quantity, an empty `Items` is the only sign that there are none.
            Shape::List { item, .. } => {
                let says_so = !is_counted(members) || WRITTEN_EMPTY.contains(&name);
                let always = member.required || (member.name == "Items" && says_so);
                let method = if always { "required_list" } else { "optional_list" };
                writeln!(out, "out.{method}({wire:?}, {item:?}, &self.{field});")?;
            }
            _ if member.required => writeln!(out, "out.required({wire:?}, &self.{field});")?,
            _ => writeln!(out, "out.optional({wire:?}, self.{field}.as_ref());")?,
        }
    }
    writeln!(out, "}}")?;
    Ok(())
}

fn debug(model: &Model, name: &str, members: &[Member], out: &mut String) -> Result<()> {
    writeln!(out, "\nimpl fmt::Debug for {name} {{")?;
    writeln!(
        out,
        "fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {{"
    )?;
    writeln!(out, "formatter.debug_struct({name:?})")?;
    for member in members {
        let field = names::field(&member.name);
        let shown = if is_sensitive(model, member) {
            "&Hidden".to_owned()
        } else {
            format!("&self.{field}")
        };
        writeln!(out, ".field({:?}, {shown})", field.trim_start_matches("r#"))?;
    }
    writeln!(out, ".finish()\n}}\n}}")?;
    Ok(())
}

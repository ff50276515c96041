use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Map, Value};

use super::IMPLEMENTED;
use super::model::{Member, Model, Operation, Shape};

/// Finds botocore's own copy of the model, unpacks it, and puts the version on the first line.
const READ_MODEL: &str = r#"
import gzip, os, sys
if len(sys.argv) > 1:
    sys.path.insert(0, os.path.dirname(os.path.abspath(sys.argv[1])))
import botocore
path = os.path.join(os.path.dirname(botocore.__file__), "data", "cloudfront", "2020-05-31", "service-2.json")
opened = gzip.open(path + ".gz", "rb") if os.path.exists(path + ".gz") else open(path, "rb")
sys.stdout.buffer.write(botocore.__version__.encode() + b"\n" + opened.read())
"#;

/// Reads the model out of the botocore in `folder`, or the one that python3 imports, and writes it to `path`.
pub fn run(folder: Option<&str>, path: &Path) -> Result<()> {
    let output = Command::new("python3")
        .arg("-c")
        .arg(READ_MODEL)
        .args(folder)
        .output()
        .context("cannot run python3")?;
    ensure!(
        output.status.success(),
        "python3 cannot read botocore's model; name the package with --botocore DIR\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).context("botocore's model is no UTF-8")?;
    let (version, text) = text.split_once('\n').context("python3 printed no version")?;
    let service: Value = serde_json::from_str(text).context("botocore's model is no JSON")?;
    let model = reduce(&service, version)?;
    std::fs::create_dir_all(path.parent().context("the model has no folder")?)?;
    std::fs::write(path, print(&model)?).with_context(|| format!("cannot write {}", path.display()))
}

fn reduce(service: &Value, version: &str) -> Result<Model> {
    let implemented: BTreeSet<&str> = IMPLEMENTED
        .iter()
        .flat_map(|(_, names)| names.iter().copied())
        .collect();
    let mut shapes = BTreeMap::new();
    let mut operations = BTreeMap::new();
    for (name, operation) in object(&service["operations"])? {
        let name = name.trim_end_matches("2020_05_31");
        let reduced = reduce_operation(operation, implemented.contains(name))?;
        for root in reduced.input.iter().chain(&reduced.output) {
            reach(&service["shapes"], root, &mut shapes)?;
        }
        operations.insert(name.to_owned(), reduced);
    }
    for name in implemented {
        ensure!(
            operations.contains_key(name),
            "botocore's model has no operation {name}"
        );
    }
    Ok(Model {
        source: format!("botocore {version}"),
        namespace: "http://cloudfront.amazonaws.com/doc/2020-05-31/".to_owned(),
        operations,
        shapes,
        errors: errors(&service["shapes"])?,
    })
}

fn reduce_operation(operation: &Value, implemented: bool) -> Result<Operation> {
    let http = &operation["http"];
    let shape_of = |key: &str| {
        implemented
            .then(|| operation[key]["shape"].as_str().map(str::to_owned))
            .flatten()
    };
    let mut errors = Vec::new();
    if implemented {
        for error in operation["errors"].as_array().into_iter().flatten() {
            errors.push(text(&error["shape"])?);
        }
    }
    Ok(Operation {
        method: text(&http["method"])?,
        uri: text(&http["requestUri"])?,
        status: u16::try_from(http["responseCode"].as_u64().unwrap_or(200)).context("a response code is no u16")?,
        input: shape_of("input"),
        output: shape_of("output"),
        errors,
    })
}

fn reach(all: &Value, name: &str, reached: &mut BTreeMap<String, Shape>) -> Result<()> {
    if reached.contains_key(name) {
        return Ok(());
    }
    let shape = reduce_shape(&all[name]).with_context(|| format!("shape {name}"))?;
    let next: Vec<String> = match &shape {
        Shape::Structure { members, .. } => members.iter().map(|member| member.shape.clone()).collect(),
        Shape::List { member, .. } => vec![member.clone()],
        _ => Vec::new(),
    };
    reached.insert(name.to_owned(), shape);
    next.iter().try_for_each(|name| reach(all, name, reached))
}

fn reduce_shape(shape: &Value) -> Result<Shape> {
    Ok(match text(&shape["type"])?.as_str() {
        "structure" => Shape::Structure {
            payload: shape["payload"].as_str().map(str::to_owned),
            members: object(&shape["members"])?
                .iter()
                .map(|(name, member)| reduce_member(name, member, &shape["required"]))
                .collect::<Result<_>>()?,
        },
        "list" => {
            ensure!(shape["flattened"].is_null(), "flattened lists are not supported");
            Shape::List {
                member: text(&shape["member"]["shape"])?,
                item: shape["member"]["locationName"].as_str().unwrap_or("member").to_owned(),
            }
        }
        "string" => match shape["enum"].as_array() {
            Some(values) => Shape::Enum(values.iter().map(text).collect::<Result<_>>()?),
            None => Shape::String {
                sensitive: shape["sensitive"].as_bool().unwrap_or(false),
            },
        },
        "integer" => Shape::Integer,
        "long" => Shape::Long,
        "double" => Shape::Double,
        "boolean" => Shape::Boolean,
        "timestamp" => Shape::Timestamp,
        other => bail!("type {other} is not supported"),
    })
}

fn reduce_member(name: &str, member: &Value, required: &Value) -> Result<Member> {
    let required = required
        .as_array()
        .is_some_and(|required| required.iter().any(|other| other == name));
    Ok(Member {
        name: name.to_owned(),
        shape: text(&member["shape"])?,
        required,
        location: member["location"].as_str().map(str::to_owned),
        wire: member["locationName"]
            .as_str()
            .filter(|wire| *wire != name)
            .map(str::to_owned),
        namespace: member["xmlNamespace"]["uri"].as_str().map(str::to_owned),
    })
}

fn errors(shapes: &Value) -> Result<BTreeMap<String, u16>> {
    let mut errors = BTreeMap::new();
    for (name, shape) in object(shapes)? {
        if shape["exception"].as_bool() == Some(true) {
            let error = &shape["error"];
            let status = error["httpStatusCode"]
                .as_u64()
                .with_context(|| format!("error {name} has no status"))?;
            let code = error["code"].as_str().unwrap_or(name);
            errors.insert(code.to_owned(), u16::try_from(status).context("a status is no u16")?);
        }
    }
    Ok(errors)
}

fn object(value: &Value) -> Result<&Map<String, Value>> {
    value.as_object().context("an object was expected")
}

fn text(value: &Value) -> Result<String> {
    value.as_str().map(str::to_owned).context("a string was expected")
}

/// JSON with one entry on a line, so that a change of the model reads well as a difference.
fn print(model: &Model) -> Result<String> {
    let mut out = format!(
        "{{\n\"source\": {},\n\"namespace\": {},\n",
        serde_json::to_string(&model.source)?,
        serde_json::to_string(&model.namespace)?
    );
    out += &section("operations", &model.operations)?;
    out += ",\n";
    out += &section("shapes", &model.shapes)?;
    out += ",\n";
    out += &section("errors", &model.errors)?;
    out += "\n}\n";
    Ok(out)
}

fn section<T: serde::Serialize>(name: &str, entries: &BTreeMap<String, T>) -> Result<String> {
    let lines = entries
        .iter()
        .map(|(key, value)| {
            Ok(format!(
                "{}: {}",
                serde_json::to_string(key)?,
                serde_json::to_string(value)?
            ))
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(format!("\"{name}\": {{\n{}\n}}", lines.join(",\n")))
}

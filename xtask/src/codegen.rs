//! `cargo xtask codegen`: the wire types, error codes and routes of `warmfront-wire`, from CloudFront's published service model.
//!
//! - `import [--botocore DIR]` reads the model of an installed botocore into the committed, prose-free model file.
//! - without arguments, the model file becomes `crates/warmfront-wire/src/generated/*.rs`.
//! - `--check` fails if the committed files are not what would be generated.

mod errors;
mod import;
mod model;
mod names;
mod operations;
mod types;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

use self::model::Model;

/// The operations that exist, by the file their shapes go to. A shape goes to the first file that reaches it.
const IMPLEMENTED: &[(&str, &[&str])] = &[
    (
        "distribution",
        &[
            "CreateDistribution",
            "CreateDistributionWithTags",
            "GetDistribution",
            "GetDistributionConfig",
            "UpdateDistribution",
            "DeleteDistribution",
            "ListDistributions",
        ],
    ),
    (
        "invalidation",
        &["CreateInvalidation", "GetInvalidation", "ListInvalidations"],
    ),
    (
        "origin_access_control",
        &[
            "CreateOriginAccessControl",
            "GetOriginAccessControl",
            "GetOriginAccessControlConfig",
            "UpdateOriginAccessControl",
            "DeleteOriginAccessControl",
            "ListOriginAccessControls",
        ],
    ),
    (
        "cache_policy",
        &[
            "CreateCachePolicy",
            "GetCachePolicy",
            "GetCachePolicyConfig",
            "UpdateCachePolicy",
            "DeleteCachePolicy",
            "ListCachePolicies",
            "ListDistributionsByCachePolicyId",
        ],
    ),
    (
        "origin_request_policy",
        &[
            "CreateOriginRequestPolicy",
            "GetOriginRequestPolicy",
            "GetOriginRequestPolicyConfig",
            "UpdateOriginRequestPolicy",
            "DeleteOriginRequestPolicy",
            "ListOriginRequestPolicies",
            "ListDistributionsByOriginRequestPolicyId",
        ],
    ),
    (
        "response_headers_policy",
        &[
            "CreateResponseHeadersPolicy",
            "GetResponseHeadersPolicy",
            "GetResponseHeadersPolicyConfig",
            "UpdateResponseHeadersPolicy",
            "DeleteResponseHeadersPolicy",
            "ListResponseHeadersPolicies",
            "ListDistributionsByResponseHeadersPolicyId",
        ],
    ),
    ("tagging", &["TagResource", "UntagResource", "ListTagsForResource"]),
];

const MODEL_FILE: &str = "crates/warmfront-wire/model/cloudfront-2020-05-31.json";
const GENERATED_FOLDER: &str = "crates/warmfront-wire/src/generated";

pub fn run(arguments: &[String]) -> Result<()> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [] => generate(),
        ["--check"] => check(),
        ["import"] => import::run(None, &root().join(MODEL_FILE)),
        ["import", "--botocore", folder] => import::run(Some(folder), &root().join(MODEL_FILE)),
        _ => bail!("usage: cargo xtask codegen [--check | import [--botocore DIR]]"),
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn generate() -> Result<()> {
    let folder = root().join(GENERATED_FOLDER);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {GENERATED_FOLDER}"))?;
    let expected = files()?;
    for (name, text) in &expected {
        fs::write(folder.join(name), text).with_context(|| format!("cannot write {GENERATED_FOLDER}/{name}"))?;
    }
    for name in stale_files(&folder, &expected)? {
        fs::remove_file(folder.join(&name)).with_context(|| format!("cannot remove {GENERATED_FOLDER}/{name}"))?;
    }
    Ok(())
}

fn check() -> Result<()> {
    let folder = root().join(GENERATED_FOLDER);
    let expected = files()?;
    let mut differing = stale_files(&folder, &expected)?;
    for (name, text) in &expected {
        if fs::read_to_string(folder.join(name)).ok().as_ref() != Some(text) {
            differing.push(name.clone());
        }
    }
    ensure!(
        differing.is_empty(),
        "{GENERATED_FOLDER} is not what the model gives ({}): run `cargo xtask codegen`",
        differing.join(", ")
    );
    Ok(())
}

/// Files in the folder that are not generated any more.
fn stale_files(folder: &Path, expected: &[(String, String)]) -> Result<Vec<String>> {
    let mut stale = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {GENERATED_FOLDER}"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !expected.iter().any(|(expected, _)| *expected == name) {
            stale.push(name);
        }
    }
    Ok(stale)
}

/// Every generated file, by name, formatted. The module file beside the folder, `generated.rs`, is written by hand.
fn files() -> Result<Vec<(String, String)>> {
    let path = root().join(MODEL_FILE);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {MODEL_FILE}"))?;
    let model: Model = serde_json::from_str(&text).with_context(|| format!("cannot understand {MODEL_FILE}"))?;
    let mut files = types::files(&model)?;
    files.push(("error_code.rs".to_owned(), errors::file(&model)?));
    files.push(("operation.rs".to_owned(), operations::file(&model)?));
    files
        .into_iter()
        .map(|(name, text)| Ok((name, format_source(&text)?)))
        .collect()
}

fn format_source(text: &str) -> Result<String> {
    const HEADER: &str = "// Generated by `cargo xtask codegen`; change the model or the generator instead.\n\n";
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024", "--emit", "stdout"])
        .current_dir(root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run rustfmt")?;
    let mut input = rustfmt.stdin.take().context("rustfmt has no standard input")?;
    let source = format!("{HEADER}{text}");
    let writer = std::thread::spawn(move || input.write_all(source.as_bytes()));
    let output = rustfmt.wait_with_output().context("cannot read from rustfmt")?;
    writer
        .join()
        .map_err(|_| anyhow::anyhow!("writing to rustfmt panicked"))?
        .context("cannot write to rustfmt")?;
    ensure!(output.status.success(), "rustfmt refused generated source");
    String::from_utf8(output.stdout).context("rustfmt gave no UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_files_are_what_the_model_gives() {
        check().unwrap();
    }
}

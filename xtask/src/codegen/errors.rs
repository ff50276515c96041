use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Result, ensure};

use super::model::Model;

/// Codes that the service answers with although its model has no shape for them: faults of a request before it
/// reaches an operation.
///
/// Source: CloudFront API Reference, "Common Errors"; the older names are those that the service is seen to use.
const COMMON: &[(&str, u16)] = &[
    ("AccessDeniedException", 403),
    ("EntityTooLarge", 413),
    ("ExpiredToken", 403),
    ("ExpiredTokenException", 403),
    ("IncompleteSignature", 403),
    ("InternalFailure", 500),
    ("InvalidClientTokenId", 403),
    ("MalformedXML", 400),
    ("MissingAuthenticationToken", 403),
    ("NotImplemented", 501),
    ("RequestExpired", 400),
    ("ServiceUnavailable", 503),
    ("SignatureDoesNotMatch", 403),
    ("Throttling", 400),
    ("ThrottlingException", 400),
    ("UnknownOperationException", 404),
    ("UnrecognizedClientException", 403),
    ("ValidationError", 400),
];

/// The enum of error codes with their statuses.
pub fn file(model: &Model) -> Result<String> {
    let mut errors: BTreeMap<&str, u16> = model
        .errors
        .iter()
        .map(|(code, status)| (code.as_str(), *status))
        .collect();
    for &(code, status) in COMMON {
        let modelled = errors.insert(code, status);
        ensure!(
            modelled.is_none_or(|modelled| modelled == status),
            "{code} has the status {modelled:?} in the model"
        );
    }
    let mut out = String::from(
        "/// Every code that an error document can carry.\n#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]\npub enum ErrorCode {\n",
    );
    for code in errors.keys() {
        writeln!(out, "{code},")?;
    }
    out += "}\n\nimpl ErrorCode {\n/// Every code.\npub const ALL: &'static [Self] = &[\n";
    for code in errors.keys() {
        writeln!(out, "Self::{code},")?;
    }
    out += "];\n\n/// The code as it is written in `Code`.\npub fn code(self) -> &'static str {\nmatch self {\n";
    for code in errors.keys() {
        writeln!(out, "Self::{code} => {code:?},")?;
    }
    out += "}\n}\n\n/// The HTTP status that goes with it.\npub fn status(self) -> u16 {\nmatch self {\n";
    let mut by_status: BTreeMap<u16, Vec<String>> = BTreeMap::new();
    for (code, status) in &errors {
        by_status.entry(*status).or_default().push(format!("Self::{code}"));
    }
    for (status, codes) in &by_status {
        writeln!(out, "{} => {status},", codes.join(" | "))?;
    }
    out += "}\n}\n}\n";
    Ok(out)
}

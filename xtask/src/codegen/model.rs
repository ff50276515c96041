use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

/// CloudFront's service model as far as it is used here: names and structure, no prose.
#[derive(Debug, Deserialize, Serialize)]
pub struct Model {
    /// Where it was read from, for instance `botocore 1.43.11`.
    pub source: String,
    /// The namespace of every document.
    pub namespace: String,
    /// Every operation, implemented or not, by name.
    pub operations: BTreeMap<String, Operation>,
    /// What the implemented operations reach.
    pub shapes: BTreeMap<String, Shape>,
    /// Every error's HTTP status by its code.
    pub errors: BTreeMap<String, u16>,
}

impl Model {
    /// The shape with this name.
    pub fn shape(&self, name: &str) -> Result<&Shape> {
        self.shapes
            .get(name)
            .with_context(|| format!("the model has no shape {name}"))
    }

    /// The operation with this name.
    pub fn operation(&self, name: &str) -> Result<&Operation> {
        self.operations
            .get(name)
            .with_context(|| format!("the model has no operation {name}"))
    }
}

#[derive(Debug, Deserialize, Serialize)]
pub struct Operation {
    pub method: String,
    pub uri: String,
    pub status: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    Structure {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        payload: Option<String>,
        members: Vec<Member>,
    },
    List {
        member: String,
        /// The name of each item's element.
        item: String,
    },
    Enum(Vec<String>),
    String {
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        sensitive: bool,
    },
    Integer,
    Long,
    Double,
    Boolean,
    Timestamp,
}

#[derive(Debug, Deserialize, Serialize)]
pub struct Member {
    pub name: String,
    pub shape: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// `uri`, `querystring` or `header`; absent for what is in the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// The name on the wire, where it is not `name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wire: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

impl Member {
    /// The name of its element, label, parameter or header.
    pub fn wire_name(&self) -> &str {
        self.wire.as_deref().unwrap_or(&self.name)
    }
}

//! What invalidations cover, by Warmfront's own API beside CloudFront's.

use std::collections::BTreeMap;

use anyhow::Context;
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};

use super::cloudfront::CloudFront;
use super::http::ApiError;

/// How much of the caches is covered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Responses.
    pub responses: u64,
    /// The bytes of their bodies.
    pub bytes: u64,
}

/// What became of an invalidation.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Audit {
    /// Of all nodes together; `None`: not counted yet.
    #[serde(flatten)]
    pub coverage: Option<Coverage>,
    /// By node.
    pub nodes: BTreeMap<String, NodeAudit>,
}

/// What a node did with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeAudit {
    /// How long after its creation it was seen to be applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied_after_ms: Option<i64>,
    /// What it had.
    #[serde(flatten)]
    pub coverage: Option<Coverage>,
}

/// What an invalidation would cover.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct DryRun {
    /// Of all nodes together.
    #[serde(flatten)]
    pub coverage: Coverage,
    /// By node.
    pub nodes: BTreeMap<String, Coverage>,
    /// Nodes that did not say.
    #[serde(default)]
    pub silent: Vec<String>,
}

impl CloudFront {
    /// What became of an invalidation. `None`: the server does not know such questions, or this caller may not ask.
    pub async fn audit(&self, distribution: &str, id: &str) -> anyhow::Result<Option<Audit>> {
        let path = format!("/warmfront/distributions/{distribution}/invalidations/{id}");
        let answer = match self.api().call(Method::GET, &path, &[], "").await {
            Ok(answer) => answer,
            Err(error) => {
                let status = error.downcast_ref::<ApiError>().map(|error| error.status);
                return match status {
                    Some(StatusCode::NOT_FOUND | StatusCode::FORBIDDEN) => Ok(None),
                    _ => Err(error.context("AuditInvalidations")),
                };
            }
        };
        serde_json::from_slice(&answer.body)
            .map(Some)
            .context("AuditInvalidations")
    }

    /// Counts what an invalidation of these paths would cover.
    pub async fn dry_run(&self, distribution: &str, paths: &[String]) -> anyhow::Result<DryRun> {
        let path = format!("/warmfront/distributions/{distribution}/dry-run");
        let body = serde_json::json!({ "paths": paths }).to_string();
        let headers = [("content-type", "application/json")];
        let answer = self.api().call(Method::POST, &path, &headers, body).await;
        serde_json::from_slice(&answer.context("DryRunInvalidation")?.body).context("DryRunInvalidation")
    }
}

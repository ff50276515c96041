use std::collections::BTreeMap;

use serde::Serialize;
use warmfront_facts::{AuditRecord, Coverage, InvalidationRecord, NodeAudit, View};
use warmfront_model::{DistributionId, Timestamp};

use super::iso_8601;
use crate::answer::Answer;
use crate::call::Call;
use crate::document;
use crate::error::ApiError;
use crate::listing::{PageRequest, unknown_marker};
use crate::state::State;

#[derive(Serialize)]
struct Listing<'a> {
    /// Newest first.
    invalidations: Vec<Audited<'a>>,
    /// The marker of the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
}

/// An invalidation and what became of it.
#[derive(Serialize)]
struct Audited<'a> {
    id: &'a str,
    distribution: &'a str,
    caller_reference: &'a str,
    status: &'static str,
    epoch: u64,
    mode: &'static str,
    /// Who asked for it, from where, and why; absent where it is not known.
    #[serde(skip_serializing_if = "str::is_empty")]
    principal: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    address: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    reason: &'a str,
    created: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    completed: Option<String>,
    n_paths: usize,
    /// For one invalidation alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    paths: Option<&'a [String]>,
    /// Of all nodes together; absent until it is counted.
    #[serde(flatten)]
    coverage: Option<Coverage>,
    nodes: BTreeMap<&'a str, AuditedNode>,
}

#[derive(Serialize)]
struct AuditedNode {
    #[serde(skip_serializing_if = "Option::is_none")]
    applied: Option<String>,
    /// How long after it was created.
    #[serde(skip_serializing_if = "Option::is_none")]
    applied_after_ms: Option<i64>,
    #[serde(flatten)]
    coverage: Option<Coverage>,
}

/// Distribution and Id of `/warmfront/distributions/ID/invalidations` and `.../invalidations/ID`.
pub(super) fn target(path: &str) -> Option<(&str, Option<&str>)> {
    let (distribution, rest) = path.strip_prefix("/warmfront/distributions/")?.split_once('/')?;
    let rest = rest.strip_prefix("invalidations")?;
    match rest.strip_prefix('/') {
        None if rest.is_empty() => Some((distribution, None)),
        Some(id) if !id.is_empty() && !id.contains('/') => Some((distribution, Some(id))),
        _ => None,
    }
}

/// All invalidations of a distribution, newest first, by Marker and MaxItems as CloudFront lists them; or one of them.
pub(super) async fn audit_invalidations(state: &State, call: &Call) -> Result<Answer, ApiError> {
    let view = state.current().await?;
    let (distribution, id) = target(&call.path).ok_or(ApiError::NoSuchDistribution)?;
    let distribution = DistributionId::parse(distribution).map_err(|_| ApiError::NoSuchDistribution)?;
    view.distribution(&distribution).ok_or(ApiError::NoSuchDistribution)?;
    if let Some(id) = id {
        let record = view.invalidation(&distribution, id);
        let record = record.ok_or(ApiError::NoSuchInvalidation)?;
        return Ok(Answer::json(&Audited {
            paths: Some(&record.paths),
            ..audited(&view, record)
        }));
    }
    let request = PageRequest::read(call)?;
    let before = match &request.marker {
        Some(marker) => {
            let last = view.invalidation(&distribution, marker);
            Some(last.ok_or_else(|| unknown_marker(marker))?.revision)
        }
        None => None,
    };
    let page = request.page(view.invalidations(&distribution, before), |record| record.id.clone());
    Ok(Answer::json(&Listing {
        invalidations: page.items.iter().map(|record| audited(&view, record)).collect(),
        next_marker: page.next_marker,
    }))
}

fn audited<'a>(view: &'a View, record: &'a InvalidationRecord) -> Audited<'a> {
    let audit = view.audit(&record.distribution, record.revision);
    let nodes = audit.into_iter().flat_map(|audit| &audit.nodes);
    Audited {
        id: &record.id,
        distribution: record.distribution.as_str(),
        caller_reference: &record.caller_reference,
        status: document::invalidation_status(view, record.revision),
        epoch: record.revision.0,
        mode: record.mode.as_str(),
        principal: &record.origin.principal,
        address: &record.origin.address,
        reason: &record.origin.reason,
        created: iso_8601(record.created),
        completed: audit.and_then(|audit| audit.completed).map(iso_8601),
        n_paths: record.paths.len(),
        paths: None,
        coverage: audit.and_then(|audit| AuditRecord::coverage(audit)),
        nodes: nodes
            .map(|(name, node)| (name.as_str(), audited_node(record.created, *node)))
            .collect(),
    }
}

fn audited_node(created: Timestamp, node: NodeAudit) -> AuditedNode {
    AuditedNode {
        applied: node.applied.map(iso_8601),
        applied_after_ms: node.applied.map(|applied| applied.0.saturating_sub(created.0)),
        coverage: node.coverage,
    }
}

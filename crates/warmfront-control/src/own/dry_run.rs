use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use warmfront_facts::{Coverage, DryRunRecord, Key};
use warmfront_invalidation::InvalidationItem;
use warmfront_journal::{CommitError, Expected, Write};
use warmfront_model::{DistributionId, Revision};

use crate::answer::Answer;
use crate::call::Call;
use crate::error::ApiError;
use crate::nodes::NodeReport;
use crate::operation::INVALIDATION_ITEMS_MAX;
use crate::state::State;

/// How long nodes may take to count. Clients give up after half a minute or so.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    paths: Vec<String>,
}

#[derive(Serialize)]
struct Counted {
    distribution: String,
    /// Of all nodes together.
    #[serde(flatten)]
    coverage: Coverage,
    nodes: BTreeMap<String, Coverage>,
    /// Nodes that did not answer in time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    silent: Vec<String>,
}

/// The distribution of `/warmfront/distributions/ID/dry-run`.
pub(super) fn target(path: &str) -> Option<&str> {
    path.strip_prefix("/warmfront/distributions/")?.strip_suffix("/dry-run")
}

/// Asks every node, through the journal, how much an invalidation of these paths would cover. It covers nothing.
pub(super) async fn dry_run(state: &State, call: &Call) -> Result<Answer, ApiError> {
    let view = state.current().await?;
    let distribution = target(&call.path).and_then(|id| DistributionId::parse(id).ok());
    let distribution = distribution.ok_or(ApiError::NoSuchDistribution)?;
    view.distribution(&distribution).ok_or(ApiError::NoSuchDistribution)?;
    let record = record(distribution, call)?;
    let Ok(_place) = state.dry_run.try_lock() else {
        return Err(ApiError::DryRunUnderWay);
    };
    // Before the question: no answer is missed.
    let mut reports = state.nodes.coverage();
    let mut silent: Vec<String> = state.nodes.positions().into_iter().map(|node| node.name).collect();
    let epoch = commit(state, &record).await?;
    let mut nodes = BTreeMap::new();
    let counting = async {
        while !silent.is_empty()
            && let Some(NodeReport { node, report }) = next(&mut reports).await
        {
            if report.epoch == epoch {
                silent.retain(|name| **name != *node);
                nodes.insert(node.to_string(), report.coverage);
            }
        }
    };
    let _ = tokio::time::timeout(PATIENCE, counting).await;
    Ok(Answer::json(&Counted {
        distribution: record.distribution.to_string(),
        coverage: nodes.values().copied().sum(),
        nodes,
        silent,
    }))
}

fn record(distribution: DistributionId, call: &Call) -> Result<DryRunRecord, ApiError> {
    let Asked { paths } = serde_json::from_slice(&call.body).map_err(|error| ApiError::Json(error.to_string()))?;
    if paths.is_empty() || paths.len() > INVALIDATION_ITEMS_MAX {
        return Err(ApiError::argument(format!(
            "paths has 1 to {INVALIDATION_ITEMS_MAX} items, not {}.",
            paths.len()
        )));
    }
    let items = paths.iter().map(|path| InvalidationItem::parse(path));
    Ok(DryRunRecord {
        distribution,
        items: items.collect::<Result<_, _>>()?,
        paths,
    })
}

async fn commit(state: &State, record: &DryRunRecord) -> Result<Revision, ApiError> {
    let write = Write::Put(record.encode()?);
    let _turn = state.turn.read().await;
    let committed = state
        .journal
        .commit(&Key::DryRun.to_string(), write, Expected::Any)
        .await;
    committed.map_err(|error| match error {
        CommitError::TooLarge { bytes, .. } => ApiError::EntityTooLarge(format!(
            "The paths come to {bytes} bytes when stored, too many for one question."
        )),
        other => ApiError::Unavailable(other.into()),
    })
}

/// The next report; `None` if there will be none.
async fn next(reports: &mut Receiver<NodeReport>) -> Option<NodeReport> {
    loop {
        match reports.recv().await {
            Ok(report) => return Some(report),
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return None,
        }
    }
}

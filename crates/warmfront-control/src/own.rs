//! Warmfront's own API, beside CloudFront's: JSON under `/warmfront/`, signed like the rest.

use warmfront_model::{DistributionId, ResourceArn, Timestamp};

use crate::answer::Answer;
use crate::call::Call;
use crate::error::ApiError;
use crate::state::State;

mod advance_clock;
mod audit_invalidations;
mod disturb_node;
mod dry_run;
mod get_status;
mod list_nodes;

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OwnOperation {
    /// `GET /warmfront/status`.
    GetStatus,
    /// `POST /warmfront/clock/advance`.
    AdvanceClock,
    /// `GET /warmfront/nodes`.
    ListNodes,
    /// `POST /warmfront/nodes/NAME/` and `pause`, `resume`, `delay`, `kill` or `start`.
    DisturbNode,
    /// `GET /warmfront/distributions/ID/invalidations`, and `.../invalidations/ID` for one.
    AuditInvalidations,
    /// `POST /warmfront/distributions/ID/dry-run`.
    DryRunInvalidation,
}

/// Whether a path is one of Warmfront's own API.
pub(crate) fn is_own(path: &str) -> bool {
    path.starts_with("/warmfront/")
}

impl OwnOperation {
    pub(crate) fn of(call: &Call) -> Option<OwnOperation> {
        match (call.method.as_str(), call.path.as_str()) {
            ("GET", "/warmfront/status") => Some(OwnOperation::GetStatus),
            ("POST", "/warmfront/clock/advance") => Some(OwnOperation::AdvanceClock),
            ("GET", "/warmfront/nodes") => Some(OwnOperation::ListNodes),
            ("GET", path) if audit_invalidations::target(path).is_some() => Some(OwnOperation::AuditInvalidations),
            ("POST", path) if dry_run::target(path).is_some() => Some(OwnOperation::DryRunInvalidation),
            ("POST", path) if disturb_node::target(path).is_some() => Some(OwnOperation::DisturbNode),
            _ => None,
        }
    }

    /// The action that policies name.
    pub(crate) fn action(self) -> String {
        format!("warmfront:{self:?}")
    }

    /// The resource that policies name: a distribution, or `*`.
    pub(crate) fn resource(self, state: &State, call: &Call) -> String {
        let distribution = match self {
            OwnOperation::AuditInvalidations => audit_invalidations::target(&call.path).map(|(id, _)| id),
            OwnOperation::DryRunInvalidation => dry_run::target(&call.path),
            OwnOperation::GetStatus
            | OwnOperation::AdvanceClock
            | OwnOperation::ListNodes
            | OwnOperation::DisturbNode => None,
        };
        let id = distribution.and_then(|id| DistributionId::parse(id).ok());
        id.map_or_else(
            || "*".to_owned(),
            |id| ResourceArn::distribution(&state.options.account, &id).to_string(),
        )
    }
}

pub(crate) async fn perform(operation: OwnOperation, state: &State, call: &Call) -> Result<Answer, ApiError> {
    match operation {
        OwnOperation::GetStatus => get_status::get_status(state).await,
        OwnOperation::ListNodes => list_nodes::list_nodes(state).await,
        OwnOperation::DisturbNode => disturb_node::disturb_node(state, call).await,
        OwnOperation::AuditInvalidations => audit_invalidations::audit_invalidations(state, call).await,
        OwnOperation::DryRunInvalidation => dry_run::dry_run(state, call).await,
        OwnOperation::AdvanceClock => advance_clock::advance_clock(state, call),
    }
}

fn iso_8601(moment: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(moment.0).map_or_else(|_| moment.0.to_string(), |moment| format!("{moment:.3}"))
}

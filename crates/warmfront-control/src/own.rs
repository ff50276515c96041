//! Warmfront's own API, beside CloudFront's: JSON under `/warmfront/`, signed like the rest.

use crate::answer::Answer;
use crate::call::Call;
use crate::error::ApiError;
use crate::state::State;

mod advance_clock;
mod disturb_node;
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
            ("POST", path) if disturb_node::target(path).is_some() => Some(OwnOperation::DisturbNode),
            _ => None,
        }
    }

    /// The action that policies name.
    pub(crate) fn action(self) -> String {
        format!("warmfront:{self:?}")
    }
}

pub(crate) async fn perform(operation: OwnOperation, state: &State, call: &Call) -> Result<Answer, ApiError> {
    match operation {
        OwnOperation::GetStatus => get_status::get_status(state).await,
        OwnOperation::ListNodes => list_nodes::list_nodes(state).await,
        OwnOperation::DisturbNode => disturb_node::disturb_node(state, call).await,
        OwnOperation::AdvanceClock => advance_clock::advance_clock(state, call),
    }
}

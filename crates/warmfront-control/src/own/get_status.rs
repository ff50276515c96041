use serde::Serialize;

use super::iso_8601;
use crate::answer::Answer;
use crate::error::ApiError;
use crate::nodes::Position;
use crate::state::State;

#[derive(Serialize)]
struct Status {
    /// The journal's life, in hex.
    incarnation: String,
    /// The newest commit.
    head: u64,
    /// Every invalidation up to here is Completed.
    completed: u64,
    nodes: Vec<Node>,
    clock: Clock,
    /// Invalidation paths by calendar month, oldest first.
    metering: Vec<Metering>,
}

#[derive(Serialize)]
struct Node {
    node: usize,
    /// How far it has applied the journal.
    applied: u64,
}

#[derive(Serialize)]
struct Clock {
    now: String,
    now_ms: i64,
    manual: bool,
}

#[derive(Serialize)]
struct Metering {
    month: String,
    paths: u64,
}

/// How far everyone is.
pub(super) async fn get_status(state: &State) -> Result<Answer, ApiError> {
    let view = state.current().await?;
    let now = state.options.clock.now();
    let node = |(node, position): (usize, Position)| Node {
        node,
        applied: position.applied.0,
    };
    Ok(Answer::json(&Status {
        incarnation: state.journal.incarnation().to_string(),
        head: view.revision().0,
        completed: view.completed().0,
        nodes: state.nodes.positions().into_iter().enumerate().map(node).collect(),
        clock: Clock {
            now: iso_8601(now),
            now_ms: now.0,
            manual: state.options.clock.is_manual(),
        },
        metering: view
            .paths_by_month()
            .map(|(month, paths)| Metering {
                month: month.to_string(),
                paths,
            })
            .collect(),
    }))
}

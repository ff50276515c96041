use serde::Serialize;
use warmfront_facts::Membership;

use crate::answer::Answer;
use crate::error::ApiError;
use crate::nodes::{Counts, Position};
use crate::state::State;

#[derive(Serialize)]
struct Listing {
    /// The newest commit.
    head: u64,
    /// Every invalidation up to here is Completed.
    completed: u64,
    /// By name.
    nodes: Vec<Node>,
}

#[derive(Serialize)]
struct Node {
    name: String,
    /// `pop` or `regional`; absent if nothing is heard of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    tier: Option<&'static str>,
    /// `answering`, `fenced`, `gone` (nothing is heard of it, and it is waited for), or `joining`.
    state: &'static str,
    /// Whether `Completed` waits for it.
    member: bool,
    /// How far it has applied the journal.
    #[serde(skip_serializing_if = "Option::is_none")]
    applied: Option<u64>,
    /// How much of its lease is left; absent if it needs none.
    #[serde(skip_serializing_if = "Option::is_none")]
    lease_left_ms: Option<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    paused: bool,
    #[serde(skip_serializing_if = "is_zero")]
    delay_ms: u64,
}

/// Every node that reports, and every member that does not.
pub(super) async fn list_nodes(state: &State) -> Result<Answer, ApiError> {
    let view = state.current().await?;
    let members: Vec<(&str, Membership)> = view.members().map(|(name, record)| (name, record.membership)).collect();
    let positions = state.nodes.positions();
    let gone = members
        .iter()
        .filter(|(name, _)| positions.iter().all(|position| position.name != *name))
        .map(|(name, _)| Node {
            name: (*name).to_owned(),
            tier: None,
            state: "gone",
            member: true,
            applied: None,
            lease_left_ms: None,
            paused: false,
            delay_ms: 0,
        });
    let attached = positions.iter().map(|position| {
        let member = members.iter().find(|(name, _)| *name == position.name);
        node(position, member.map(|(_, membership)| *membership))
    });
    let mut nodes: Vec<Node> = attached.chain(gone).collect();
    nodes.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(Answer::json(&Listing {
        head: view.revision().0,
        completed: view.completed().0,
        nodes,
    }))
}

fn node(position: &Position, membership: Option<Membership>) -> Node {
    let lease_left = position.details.lease_left;
    let is_member = match position.counts {
        Counts::WithProcess => true,
        Counts::ByLease => membership.is_some(),
        Counts::Never => false,
    };
    let state = match (position.counts, lease_left) {
        (Counts::ByLease, Some(left)) if left.is_zero() => match membership {
            Some(Membership::Joined { .. }) => "joining",
            Some(Membership::Leased { .. }) | None => "fenced",
        },
        _ => "answering",
    };
    Node {
        name: position.name.clone(),
        tier: Some(position.tier),
        state,
        member: is_member,
        applied: Some(position.applied.0),
        lease_left_ms: lease_left.map(|left| u64::try_from(left.as_millis()).unwrap_or(u64::MAX)),
        paused: position.details.paused,
        delay_ms: u64::try_from(position.details.delay.as_millis()).unwrap_or(u64::MAX),
    }
}

fn is_zero(ms: &u64) -> bool {
    *ms == 0
}

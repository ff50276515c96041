use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;

/// What is done to a node on purpose, to see what depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disturbance {
    /// It takes in nothing of the journal any more, and goes on answering.
    Pause,
    /// It takes in everything again, without delay.
    Resume,
    /// It takes in each invalidation so much later.
    Delay(Duration),
    /// It ends at once, as if its process were killed.
    Kill,
    /// It starts again after it was killed.
    Start,
}

/// Why a node was not disturbed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DisturbError {
    /// No node has that name.
    #[error("there is no such node")]
    NoSuchNode,
    /// It cannot be done to it now.
    #[error("{0}")]
    NotNow(String),
}

/// Whoever runs the nodes. The control plane knows none of them.
#[async_trait]
pub trait Disturber: fmt::Debug + Send + Sync + 'static {
    /// Does this to the node with that name.
    async fn disturb(&self, node: &str, disturbance: Disturbance) -> Result<(), DisturbError>;
}

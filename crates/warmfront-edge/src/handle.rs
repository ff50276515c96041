use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{broadcast, watch};
use warmfront_facts::CoverageReport;
use warmfront_model::Revision;

use crate::node::Node;

/// What an operator sees of a running node, and how a test holds it back.
#[derive(Clone)]
pub struct NodeHandle {
    node: Arc<Node>,
}

/// How a node is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeState {
    /// How far it has applied the journal.
    pub applied: Revision,
    /// How much of its lease is left; zero: it is fenced. `None`: it needs none.
    pub lease_left: Option<Duration>,
    /// How it is held back.
    pub hold: Hold,
}

/// How a node is held back from taking in the journal, for tests of what depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hold {
    /// It takes in nothing.
    pub paused: bool,
    /// It takes in each invalidation so much later.
    pub delay: Duration,
}

impl NodeHandle {
    pub(crate) fn new(node: &Arc<Node>) -> NodeHandle {
        NodeHandle { node: Arc::clone(node) }
    }

    /// How far it has applied the journal, as it goes on.
    pub fn applied(&self) -> watch::Receiver<Revision> {
        self.node.applied()
    }

    /// How it is doing now.
    pub fn state(&self) -> NodeState {
        NodeState {
            applied: self.node.snapshot().index.applied().revision,
            lease_left: self.node.lease.left(),
            hold: *self.node.hold.borrow(),
        }
    }

    /// Whether it has taken a lease and not lost it, as that changes; true for one that needs none. A lease that has run
    /// out unnoticed still shows here: what counts is asked anew for each request.
    pub fn leased(&self) -> watch::Receiver<bool> {
        self.node.lease.taken()
    }

    /// What invalidations and dry runs are found to cover, from now on.
    pub fn coverage(&self) -> broadcast::Receiver<CoverageReport> {
        self.node.coverings.reports()
    }

    /// Holds it back, or lets it go on. It answers from its cache all the while, keeps its lease, and so delays `Completed`.
    pub fn hold(&self, hold: Hold) {
        self.node.hold.send_replace(hold);
    }
}

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use warmfront_edge::{Edge, EdgeMetrics, NodeHandle};

/// What an operator sees of the nodes that run now. Clones share it.
#[derive(Clone, Default)]
pub struct Running(Arc<Mutex<BTreeMap<String, Seen>>>);

struct Seen {
    handle: NodeHandle,
    metrics: EdgeMetrics,
}

impl Running {
    /// A node runs from now on.
    pub(super) fn add(&self, name: &str, edge: &Edge) {
        let seen = Seen {
            handle: edge.handle(),
            metrics: edge.metrics(),
        };
        self.nodes().insert(name.to_owned(), seen);
    }

    /// A node is gone, and what it counted with it.
    pub(super) fn remove(&self, name: &str) {
        self.nodes().remove(name);
    }

    /// What Prometheus reads of all of them.
    pub fn metrics(&self) -> EdgeMetrics {
        let nodes = self.nodes();
        let all = nodes.values().map(|seen| seen.metrics.clone());
        all.fold(EdgeMetrics::default(), EdgeMetrics::and)
    }

    /// Those that have no lease, and ask origins for everything.
    pub fn fenced(&self) -> Vec<String> {
        let nodes = self.nodes();
        let is_fenced = |seen: &Seen| seen.handle.state().lease_left.is_some_and(|left| left.is_zero());
        let fenced = nodes.iter().filter(|(_, seen)| is_fenced(seen));
        fenced.map(|(name, _)| name.clone()).collect()
    }

    fn nodes(&self) -> MutexGuard<'_, BTreeMap<String, Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

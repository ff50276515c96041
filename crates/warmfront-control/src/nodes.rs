use tokio::sync::watch;
use warmfront_model::Revision;

/// How far each member node has applied the journal. A node that has gone counts with the last it said.
#[derive(Clone, Debug)]
pub(crate) struct Nodes(Vec<watch::Receiver<Revision>>);

impl Nodes {
    pub(crate) fn new(applied: Vec<watch::Receiver<Revision>>) -> Nodes {
        Nodes(applied)
    }

    /// Whether every node has applied this revision.
    pub(crate) fn have_applied(&self, revision: Revision) -> bool {
        self.0.iter().all(|applied| *applied.borrow() >= revision)
    }

    /// The newest revision, at most `known`, that every node has applied.
    pub(crate) fn applied_through(&self, known: Revision) -> Revision {
        self.0
            .iter()
            .map(|applied| *applied.borrow())
            .min()
            .map_or(known, |applied| applied.min(known))
    }

    /// What each node has applied.
    pub(crate) fn positions(&self) -> impl Iterator<Item = Revision> {
        self.0.iter().map(|applied| *applied.borrow())
    }

    pub(crate) fn receivers(&self) -> impl Iterator<Item = watch::Receiver<Revision>> {
        self.0.iter().cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_node_decides() {
        let (fast, slow) = (watch::Sender::new(Revision(9)), watch::Sender::new(Revision(4)));
        let nodes = Nodes::new(vec![fast.subscribe(), slow.subscribe()]);
        assert!(nodes.have_applied(Revision(4)) && !nodes.have_applied(Revision(5)));
        assert_eq!(nodes.applied_through(Revision(7)), Revision(4));
        slow.send_replace(Revision(8));
        assert_eq!(nodes.applied_through(Revision(7)), Revision(7));
        drop(slow);
        assert!(!nodes.have_applied(Revision(9)));
    }

    #[test]
    fn without_nodes_nothing_is_waited_for() {
        let nodes = Nodes::new(Vec::new());
        assert!(nodes.have_applied(Revision(5)));
        assert_eq!(nodes.applied_through(Revision(5)), Revision(5));
    }
}

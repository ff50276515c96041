use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Notify, broadcast, watch};
use tokio::task::AbortHandle;
use warmfront_facts::{CoverageReport, View};
use warmfront_model::Revision;

use crate::mutants::{Mutant, is_planted};

/// Where nodes report how far they have applied the journal. Clones share one register.
///
/// Which nodes count for `Completed` is another question: those attached with [`Counts::WithProcess`], and those whose
/// member record stands in the journal, whether anything was heard of them or not.
#[derive(Clone, Default)]
pub struct Nodes(Arc<Register>);

struct Register {
    nodes: Mutex<BTreeMap<String, Attached>>,
    n_moves: AtomicU64,
    /// Tells of a move. Who waits wakes in the order of arrival: with tokio's watch, which wakes by chance, no simulation
    /// could be repeated.
    moved: Notify,
    coverage: broadcast::Sender<NodeReport>,
}

/// How many reports of nodes wait for whoever reads them; the oldest are dropped beyond that.
const REPORTS_MAX: usize = 4_096;

impl Default for Register {
    fn default() -> Self {
        Register {
            nodes: Mutex::default(),
            n_moves: AtomicU64::new(0),
            moved: Notify::new(),
            coverage: broadcast::Sender::new(REPORTS_MAX),
        }
    }
}

impl Register {
    fn moves(&self) {
        self.n_moves.fetch_add(1, Ordering::AcqRel);
        self.moved.notify_waiters();
    }
}

/// What a node has counted.
#[derive(Clone, Debug)]
pub(crate) struct NodeReport {
    pub(crate) node: Arc<str>,
    pub(crate) report: CoverageReport,
}

/// A node that reports.
pub struct Node {
    /// Its name, as in its member record.
    pub name: String,
    /// Its tier, `pop` or `regional`.
    pub tier: &'static str,
    /// Whether `Completed` waits for it.
    pub counts: Counts,
    /// How far it has applied the journal.
    pub applied: watch::Receiver<Revision>,
    /// What else there is to say of it.
    pub describe: Box<dyn Fn() -> NodeDetails + Send + Sync>,
}

/// Whether `Completed` waits for a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    /// It lives in this process, and counts as long as it is attached.
    WithProcess,
    /// It counts as long as its member record stands.
    ByLease,
    /// It faces no viewers: whoever asks it checks what it gives.
    Never,
}

/// What an operator sees of a node besides its position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeDetails {
    /// How much of its lease is left; zero: it is fenced. `None`: it needs none.
    pub lease_left: Option<Duration>,
    /// It was told to take in nothing.
    pub paused: bool,
    /// It was told to take in invalidations so much later.
    pub delay: Duration,
}

/// A node as the register knows it.
pub(crate) struct Position {
    pub(crate) name: String,
    pub(crate) tier: &'static str,
    pub(crate) counts: Counts,
    pub(crate) applied: Revision,
    pub(crate) details: NodeDetails,
}

struct Attached {
    node: Node,
    listening: [AbortHandle; 2],
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.listening.iter().for_each(AbortHandle::abort);
    }
}

impl Nodes {
    /// Takes a node in, in the place of one with its name; `coverage` is what it counts, for the audit and for dry runs. To be
    /// called in a tokio runtime.
    pub fn attach(&self, node: Node, coverage: broadcast::Receiver<CoverageReport>) {
        let (register, mut applied) = (Arc::clone(&self.0), node.applied.clone());
        let moving = tokio::spawn(async move {
            while applied.changed().await.is_ok() {
                register.moves();
            }
        });
        let (register, name) = (Arc::clone(&self.0), Arc::from(node.name.as_str()));
        let counting = tokio::spawn(forward(register, name, coverage));
        let listening = [moving.abort_handle(), counting.abort_handle()];
        self.0
            .nodes
            .lock()
            .insert(node.name.clone(), Attached { node, listening });
        self.0.moves();
    }

    /// The node is gone, and answers nobody any more. One that counts by its lease goes on counting until it is dropped.
    pub fn detach(&self, name: &str) {
        self.0.nodes.lock().remove(name);
        self.0.moves();
    }

    /// The newest revision, at most the view's, that every node has applied that counts by this view.
    pub(crate) fn applied_through(&self, view: &View) -> Revision {
        let nodes = self.0.nodes.lock();
        let with_process = nodes
            .values()
            .filter(|attached| attached.node.counts == Counts::WithProcess)
            .map(|attached| *attached.node.applied.borrow());
        // Nothing was heard of a member that is not attached here.
        let members = view.members().map(|(name, _)| {
            let attached = nodes.get(name);
            attached.map_or(Revision::ZERO, |attached| *attached.node.applied.borrow())
        });
        let all = with_process.chain(members);
        if is_planted(Mutant::FastestDecides) {
            return all.max().unwrap_or(view.revision()).min(view.revision());
        }
        all.fold(view.revision(), Revision::min)
    }

    /// Whether every node that counts has applied this revision, which is at most the view's.
    pub(crate) fn have_applied(&self, view: &View, revision: Revision) -> bool {
        self.applied_through(view) >= revision
    }

    /// All nodes that are attached, by name.
    pub(crate) fn positions(&self) -> Vec<Position> {
        let nodes = self.0.nodes.lock();
        let of = |Attached { node, .. }: &Attached| Position {
            name: node.name.clone(),
            tier: node.tier,
            counts: node.counts,
            applied: *node.applied.borrow(),
            details: (node.describe)(),
        };
        nodes.values().map(of).collect()
    }

    /// How often a node has moved, came or went.
    pub(crate) fn n_moves(&self) -> u64 {
        self.0.n_moves.load(Ordering::Acquire)
    }

    /// Returns once that is more than `n_moves`.
    pub(crate) async fn moved_since(&self, n_moves: u64) {
        loop {
            let mut moved = pin!(self.0.moved.notified());
            moved.as_mut().enable();
            if self.n_moves() > n_moves {
                return;
            }
            moved.await;
        }
    }

    /// What nodes count from now on.
    pub(crate) fn coverage(&self) -> broadcast::Receiver<NodeReport> {
        self.0.coverage.subscribe()
    }
}

async fn forward(register: Arc<Register>, node: Arc<str>, mut reports: broadcast::Receiver<CoverageReport>) {
    use broadcast::error::RecvError;
    loop {
        match reports.recv().await {
            Ok(report) => {
                let node = Arc::clone(&node);
                // It is no loss if nobody listens.
                let _ = register.coverage.send(NodeReport { node, report });
            }
            Err(RecvError::Lagged(n)) => tracing::warn!(%node, n, "reports of what invalidations cover were lost"),
            Err(RecvError::Closed) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use warmfront_facts::{Fact, MemberRecord, Membership};

    use super::*;

    fn attach(nodes: &Nodes, name: &str, counts: Counts, applied: u64) -> watch::Sender<Revision> {
        let sender = watch::Sender::new(Revision(applied));
        let node = Node {
            name: name.to_owned(),
            tier: "pop",
            counts,
            applied: sender.subscribe(),
            describe: Box::new(NodeDetails::default),
        };
        nodes.attach(node, broadcast::Sender::new(1).subscribe());
        sender
    }

    /// A view at `revision` with these members.
    fn view(revision: u64, members: &[&str]) -> View {
        let mut view = View::default();
        let lease = Duration::from_secs(1);
        for member in members {
            let record = MemberRecord {
                life: 1,
                membership: Membership::Leased { lease },
                revision: Revision(1),
            };
            view.apply(Revision(1), Fact::Member((*member).to_owned(), Some(Arc::new(record))));
        }
        view.apply(Revision(revision), Fact::Other);
        view
    }

    #[tokio::test]
    async fn the_slowest_node_decides_and_one_that_is_detached_does_not() {
        let nodes = Nodes::default();
        let _fast = attach(&nodes, "fast", Counts::WithProcess, 9);
        let slow = attach(&nodes, "slow", Counts::WithProcess, 4);
        let view = view(9, &[]);
        assert!(nodes.have_applied(&view, Revision(4)) && !nodes.have_applied(&view, Revision(5)));
        slow.send_replace(Revision(8));
        assert_eq!(nodes.applied_through(&view), Revision(8));
        nodes.detach("slow");
        assert_eq!(nodes.applied_through(&view), Revision(9));
    }

    #[tokio::test]
    async fn a_member_counts_by_its_record_and_a_regional_node_never() {
        let nodes = Nodes::default();
        let _regional = attach(&nodes, "regional", Counts::Never, 0);
        let _pop = attach(&nodes, "pop", Counts::ByLease, 5);
        assert_eq!(nodes.applied_through(&view(9, &[])), Revision(9), "it has not joined");
        assert_eq!(nodes.applied_through(&view(9, &["pop"])), Revision(5));
        assert_eq!(nodes.applied_through(&view(9, &["pop", "unheard-of"])), Revision::ZERO);
        nodes.detach("pop");
        assert_eq!(
            nodes.applied_through(&view(9, &["pop"])),
            Revision::ZERO,
            "it may still answer"
        );
    }
}

use std::sync::Arc;

use parking_lot::Mutex;
use warmfront_clock::Clock;
use warmfront_control::{Control, ControlOptions, Counts, Identities, Node, NodeDetails, Nodes};
use warmfront_edge::NodeHandle;
use warmfront_facts::{Fact, Key, decode_entry};
use warmfront_journal::{Journal, Simulated};
use warmfront_model::Revision;
use warmfront_testkit::edge_options;

/// The real control plane, which judges what is Completed, and drops members of which nothing is heard.
#[derive(Default)]
pub struct Judge {
    nodes: Nodes,
    control: Mutex<Option<Control>>,
}

impl Judge {
    /// Starts a control process in the place of the one there was, if any, which is gone.
    pub async fn replace(&self, journal: &Simulated, clock: &Clock) {
        self.control.lock().take();
        let options = ControlOptions {
            clock: clock.clone(),
            lease_clock: clock.clone(),
            ..ControlOptions::new(edge_options().account, Identities::default())
        };
        // The journal is never down, and what is in it can be read.
        let control = Control::new(Arc::new(journal.clone()), options, self.nodes.clone()).await;
        *self.control.lock() = control.ok();
    }

    /// A POP reports from now on.
    pub fn attach(&self, name: String, is_leased: bool, handle: &NodeHandle) {
        let counts = if is_leased {
            Counts::ByLease
        } else {
            Counts::WithProcess
        };
        let node = Node {
            name,
            tier: "pop",
            counts,
            applied: handle.applied(),
            describe: Box::new(NodeDetails::default),
        };
        self.nodes.attach(node, handle.coverage());
    }

    /// Nothing more is heard of a POP.
    pub fn detach(&self, name: &str) {
        self.nodes.detach(name);
    }
}

/// Up to where invalidations read Completed.
pub async fn completed(journal: &Simulated) -> Revision {
    let entries = journal.snapshot(&Key::Completed.to_string()).await;
    let facts = entries.iter().flat_map(|entries| &entries.entries).map(decode_entry);
    let watermarks = facts.filter_map(|fact| match fact {
        Ok(Fact::CompletedThrough(through)) => Some(through),
        _ => None,
    });
    watermarks.max().unwrap_or(Revision::ZERO)
}

/// Whether a node's member record stands.
pub async fn is_member(journal: &Simulated, name: &str) -> bool {
    let key = Key::Member(name.to_owned()).to_string();
    let entries = journal.snapshot(&key).await;
    entries.is_ok_and(|entries| entries.entries.iter().any(|entry| entry.key == key))
}

use std::io;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{DuplexStream, duplex};
use tokio::task::AbortHandle;
use warmfront_edge::{Dial, Dialling, EdgeOptions, Embedded, Transport};
use warmfront_journal::Journal;
use warmfront_model::{Epoch, Revision};
use warmfront_store::{DiskOptions, Store};
use warmfront_testkit::edge_options;

use crate::disk::{Crash, Disk};
use crate::origin;
use crate::random::Random;
use crate::world::World;

/// A place for a node, which may be down.
pub struct Slot {
    pub number: usize,
    state: Mutex<State>,
}

struct State {
    running: Option<Running>,
    disk: Disk,
    /// What the node said last; it counts as long as the node is down.
    applied: Revision,
}

struct Running {
    edge: Arc<Embedded>,
    connections: Vec<AbortHandle>,
}

/// How many bytes a connection takes before the other end must read.
pub const PIPE_BYTES: usize = 16 * 1024;

const MEMORY_BYTES: u64 = 1024 * 1024;
const DISK_BYTES: u64 = 64 * 1024 * 1024;

impl Slot {
    pub fn new(number: usize) -> Slot {
        Slot {
            number,
            state: Mutex::new(State {
                running: None,
                disk: Disk::default(),
                applied: Revision::ZERO,
            }),
        }
    }

    /// Starts a node on what the disk holds.
    pub async fn start(&self, world: &Arc<World>) {
        let head = Epoch {
            incarnation: world.journal.incarnation(),
            revision: world.head().await,
        };
        let store = if world.plan.has_disk {
            let options = DiskOptions {
                files: Box::new(self.state.lock().disk.clone()),
                bytes: DISK_BYTES,
                head,
            };
            // A disk in memory can be listed.
            let Ok((store, recovered)) = Store::open_without_threads(MEMORY_BYTES, options) else {
                return;
            };
            world.count(|figures| figures.n_recovered += recovered.n_responses);
            store
        } else {
            Store::new(MEMORY_BYTES)
        };
        let options = EdgeOptions {
            clock: world.clock.clone(),
            propagation_delay: world.plan.propagation_delay,
            pop: format!("IAD89-P{}", self.number),
            ..edge_options()
        };
        let dial = Arc::new(ToOrigin(Arc::clone(world)));
        // The journal may be down; then the node is, too.
        if let Ok(edge) = Embedded::start(Arc::new(world.journal.clone()), options, store, dial).await {
            self.state.lock().running = Some(Running {
                edge: Arc::new(edge),
                connections: Vec::new(),
            });
        }
        world.note(format_args!("pop {} starts at {}", self.number, self.applied()));
    }

    /// The node is gone, and its connections with it.
    pub fn crash(&self, crash: Crash, random: &mut Random) {
        let mut state = self.state.lock();
        if let Some(running) = state.running.take() {
            state.applied = *running.edge.applied().borrow();
            running.connections.iter().for_each(AbortHandle::abort);
        }
        state.disk = state.disk.after(crash, random);
    }

    /// Up to where the node has applied the journal, or had when it was last seen.
    pub fn applied(&self) -> Revision {
        let mut state = self.state.lock();
        if let Some(running) = &state.running {
            state.applied = *running.edge.applied().borrow();
        }
        state.applied
    }

    /// The node, if it is up.
    pub fn edge(&self) -> Option<Arc<Embedded>> {
        Some(Arc::clone(&self.state.lock().running.as_ref()?.edge))
    }

    /// A viewer's connection; `None`: the node is down.
    pub fn connect(&self) -> Option<DuplexStream> {
        let mut state = self.state.lock();
        let running = state.running.as_mut()?;
        let (ours, theirs) = duplex(PIPE_BYTES);
        running.connections.retain(|connection| !connection.is_finished());
        let served = running.edge.serve(theirs);
        running.connections.push(served);
        Some(ours)
    }
}

/// What nodes dial: there is nothing but the origin.
struct ToOrigin(Arc<World>);

impl Dial for ToOrigin {
    fn dial(&self, _host: &str, _port: u16) -> Dialling {
        let world = Arc::clone(&self.0);
        Box::pin(async move {
            world.wait_until_reachable().await;
            let (ours, theirs) = duplex(PIPE_BYTES);
            tokio::spawn(origin::serve(Arc::clone(&world), theirs));
            let stream: Box<dyn Transport> = Box::new(ours);
            io::Result::Ok(stream)
        })
    }
}

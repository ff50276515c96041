use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{DuplexStream, duplex};
use tokio::task::AbortHandle;
use warmfront_edge::{Dial, Dialling, EdgeOptions, Embedded, LeaseOptions, Parent, Parents, Tenure, Tier, Transport};
use warmfront_journal::Journal;
use warmfront_model::Epoch;
use warmfront_store::{DiskOptions, Store};
use warmfront_testkit::edge_options;

use crate::cut::Cut;
use crate::disk::{Crash, Disk};
use crate::link::link;
use crate::origin;
use crate::random::Random;
use crate::wire::Wire;
use crate::world::World;

/// A place for a node, which may be down.
pub struct Slot {
    number: usize,
    is_regional: bool,
    /// Between it and the journal.
    pub journal: Arc<Cut>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    running: Option<Running>,
    disk: Disk,
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
    pub fn pop(number: usize) -> Slot {
        Slot::new(number, false)
    }

    pub fn regional(number: usize) -> Slot {
        Slot::new(number, true)
    }

    pub fn name(&self) -> String {
        format!("IAD89-{}{}", if self.is_regional { "R" } else { "P" }, self.number)
    }

    fn new(number: usize, is_regional: bool) -> Slot {
        Slot {
            number,
            is_regional,
            journal: Arc::default(),
            state: Mutex::default(),
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
            pop: self.name(),
            tier: self.tier(world),
            tenure: tenure(world),
            tokens: Some(world.tokens.clone()),
            ..edge_options()
        };
        let dial = Arc::new(Network(Arc::clone(world)));
        let slowest = world.plan.lease.unwrap_or_default() / 2;
        let wire = Wire::new(&world.journal, &self.journal, world.random(), slowest);
        // The journal is never down.
        let Ok(edge) = Embedded::start(Arc::new(wire), options, store, dial).await else {
            return;
        };
        world.note(format_args!("{} starts at {}", self.name(), *edge.applied().borrow()));
        if !self.is_regional {
            let is_leased = world.plan.lease.is_some();
            world.judge.attach(self.name(), is_leased, &edge.handle());
        }
        self.state.lock().running = Some(Running {
            edge: Arc::new(edge),
            connections: Vec::new(),
        });
    }

    fn tier(&self, world: &World) -> Tier {
        if self.is_regional {
            return Tier::Regional(world.secret.clone());
        }
        let parent = |number: u16| Parent {
            name: format!("R{number}"),
            address: SocketAddr::from(([127, 0, 0, 1], FIRST_REGIONAL_PORT + number)),
        };
        Tier::Pop(Parents {
            secret: world.secret.clone(),
            nodes: (0..).take(world.regionals.len()).map(parent).collect(),
        })
    }

    /// The node is gone, and its connections with it. Where there are leases it is waited for until its own is over, else
    /// until it is back.
    pub fn crash(&self, world: &World, crash: Crash, random: &mut Random) {
        let mut state = self.state.lock();
        if let Some(running) = state.running.take() {
            running.connections.iter().for_each(AbortHandle::abort);
        }
        state.disk = state.disk.after(crash, random);
        if world.plan.lease.is_some() {
            world.judge.detach(&self.name());
        }
    }

    /// Whether the node is up, and has no lease.
    pub fn is_fenced(&self) -> bool {
        let lease_left = self.edge().and_then(|edge| edge.handle().state().lease_left);
        lease_left.is_some_and(|left| left.is_zero())
    }

    /// The node, if it is up.
    pub fn edge(&self) -> Option<Arc<Embedded>> {
        Some(Arc::clone(&self.state.lock().running.as_ref()?.edge))
    }

    /// A viewer's connection; `None`: the node is down.
    pub fn connect(&self) -> Option<DuplexStream> {
        let (ours, theirs) = duplex(PIPE_BYTES);
        self.serve(theirs).then_some(ours)
    }

    /// Hands the node the other end of a connection. False: it is down.
    fn serve(&self, stream: DuplexStream) -> bool {
        let mut state = self.state.lock();
        let Some(running) = &mut state.running else {
            return false;
        };
        running.connections.retain(|connection| !connection.is_finished());
        let served = running.edge.serve(stream);
        running.connections.push(served);
        true
    }
}

/// How POPs know that they still count.
fn tenure(world: &World) -> Tenure {
    world.plan.lease.map_or(Tenure::WithProcess, |lease| {
        Tenure::Leased(LeaseOptions {
            clock: world.clock.clone(),
            lease,
        })
    })
}

/// Where the first regional node listens; the next ones follow. Any other port is the origin's.
const FIRST_REGIONAL_PORT: u16 = 1_000;

/// What nodes dial: regional nodes and the origin.
struct Network(Arc<World>);

impl Dial for Network {
    fn dial(&self, _host: &str, port: u16) -> Dialling {
        let world = Arc::clone(&self.0);
        let regional = port.checked_sub(FIRST_REGIONAL_PORT).map(usize::from);
        Box::pin(async move {
            let stream: Box<dyn Transport> = match regional {
                Some(number) => Box::new(dial_regional(&world, number).await?),
                None => {
                    world.origin.wait_until_whole().await;
                    let (ours, theirs) = duplex(PIPE_BYTES);
                    tokio::spawn(origin::serve(Arc::clone(&world), theirs));
                    Box::new(ours)
                }
            };
            Ok(stream)
        })
    }
}

async fn dial_regional(world: &Arc<World>, number: usize) -> io::Result<DuplexStream> {
    world.tiers.wait_until_whole().await;
    let (ours, theirs) = link(world);
    let regional = world.regionals.get(number);
    if !regional.is_some_and(|regional| regional.serve(theirs)) {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    world.count(|figures| figures.n_links += 1);
    Ok(ours)
}

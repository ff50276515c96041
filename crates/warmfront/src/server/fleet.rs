//! The nodes of a server: regional nodes and POPs, in one process.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use warmfront_control::{Counts, DisturbError, Disturbance, Disturber, NodeDetails, Nodes};
use warmfront_edge::{Edge, EdgeOptions, Hold, NodeHandle, Parent, Parents, StartError, Tenure, Tier, TierSecret};
use warmfront_journal::Journal;

use crate::listen::Listen;
use crate::outcome::Complaint;
use crate::topology::Region;

mod parts;
mod running;

pub use parts::FleetStart;
pub use running::Running;

/// All nodes.
pub struct Fleet {
    journal: Arc<dyn Journal>,
    /// Where they report.
    nodes: Nodes,
    members: Mutex<HashMap<String, Member>>,
    running: Running,
    pops: Vec<PopAddresses>,
}

/// A node, running or killed.
struct Member {
    edge: Option<Edge>,
    /// What it is started with again: the addresses are those it got.
    options: EdgeOptions,
}

/// Where a POP listens.
#[derive(Clone, Debug)]
pub struct PopAddresses {
    /// Its name.
    pub name: String,
    /// For HTTP.
    pub http: SocketAddr,
    /// For TLS.
    pub https: Option<SocketAddr>,
}

impl Fleet {
    /// Starts all of them, regional nodes first, and has them report to `nodes`.
    pub async fn start(journal: Arc<dyn Journal>, nodes: Nodes, start: FleetStart<'_>) -> anyhow::Result<Fleet> {
        let mut fleet = Fleet {
            journal,
            nodes,
            members: Mutex::default(),
            running: Running::default(),
            pops: Vec::new(),
        };
        for region in &start.topology.regions {
            if let Err(error) = fleet.start_region(&start, region).await {
                fleet.stop().await;
                return Err(error);
            }
        }
        fleet.admitted().await;
        Ok(fleet)
    }

    async fn start_region(&mut self, start: &FleetStart<'_>, region: &Region) -> anyhow::Result<()> {
        let mut parents = Parents {
            secret: TierSecret::random(),
            nodes: Vec::new(),
        };
        for name in region.regional_names() {
            let options = start.regional(&name, parents.secret.clone())?;
            let address = self.start_node(options, &start.listeners).await?.http;
            parents.nodes.push(Parent { name, address });
        }
        for pop in &region.pops {
            let options = start.pop(pop, parents.clone())?;
            let addresses = self.start_node(options, &start.listeners).await?;
            self.pops.push(addresses);
        }
        Ok(())
    }

    async fn start_node(&self, mut options: EdgeOptions, listeners: &[Listen]) -> anyhow::Result<PopAddresses> {
        let started = Edge::start(Arc::clone(&self.journal), options.clone()).await;
        let edge = started.map_err(|error| explain(error, listeners))?;
        let addresses = PopAddresses {
            name: options.pop.clone(),
            http: edge.http(),
            https: edge.https(),
        };
        options.http = addresses.http;
        if let (Some((address, _)), Some(at)) = (&mut options.https, addresses.https) {
            *address = at;
        }
        self.attach(&edge, &options);
        let member = Member {
            edge: Some(edge),
            options,
        };
        self.members.lock().await.insert(addresses.name.clone(), member);
        Ok(addresses)
    }

    fn attach(&self, edge: &Edge, options: &EdgeOptions) {
        self.running.add(&options.pop, edge);
        let handle = edge.handle();
        let (tier, counts) = match (&options.tier, &options.tenure) {
            (Tier::Regional(_), _) => ("regional", Counts::Never),
            (Tier::Pop(_), Tenure::WithProcess) => ("pop", Counts::WithProcess),
            (Tier::Pop(_), Tenure::Leased(_)) => ("pop", Counts::ByLease),
        };
        let coverage = handle.coverage();
        let node = warmfront_control::Node {
            name: options.pop.clone(),
            tier,
            counts,
            applied: handle.applied(),
            describe: Box::new(move || details(&handle)),
        };
        self.nodes.attach(node, coverage);
    }

    /// Waits until every POP may answer from its cache, for a while.
    async fn admitted(&self) {
        const PATIENCE: Duration = Duration::from_secs(10);
        let members = self.members.lock().await;
        for (name, member) in members.iter() {
            let Some(edge) = &member.edge else { continue };
            let mut leased = edge.handle().leased();
            let admitted = leased.wait_for(|leased| *leased);
            if !matches!(tokio::time::timeout(PATIENCE, admitted).await, Ok(Ok(_))) {
                tracing::warn!(node = name, "has no lease yet, and asks origins for everything");
            }
        }
    }

    /// Where the POPs listen, in the topology's order.
    pub fn addresses(&self) -> &[PopAddresses] {
        &self.pops
    }

    /// What an operator sees of the nodes that run now.
    pub fn running(&self) -> &Running {
        &self.running
    }

    /// Lets requests in progress finish: viewers' first, and then those of the POPs.
    pub async fn stop(&self) {
        let members: Vec<Member> = self.members.lock().await.drain().map(|(_, member)| member).collect();
        let (pops, regionals): (Vec<Member>, Vec<Member>) = members
            .into_iter()
            .partition(|member| matches!(member.options.tier, Tier::Pop(_)));
        for tier in [pops, regionals] {
            let edges = tier.into_iter().filter_map(|member| member.edge);
            edges.map(Edge::shutdown).collect::<JoinSet<()>>().join_all().await;
        }
    }

    async fn start_again(&self, name: &str, member: &mut Member) -> Result<(), DisturbError> {
        if member.edge.is_some() {
            return Err(DisturbError::NotNow("the node is running".to_owned()));
        }
        let started = Edge::start(Arc::clone(&self.journal), member.options.clone()).await;
        let edge = started.map_err(|error| DisturbError::NotNow(format!("the node does not start: {error}")))?;
        self.attach(&edge, &member.options);
        member.edge = Some(edge);
        tracing::warn!(node = name, "started again");
        Ok(())
    }
}

fn details(handle: &NodeHandle) -> NodeDetails {
    let state = handle.state();
    NodeDetails {
        lease_left: state.lease_left,
        paused: state.hold.paused,
        delay: state.hold.delay,
    }
}

#[async_trait]
impl Disturber for Fleet {
    async fn disturb(&self, node: &str, disturbance: Disturbance) -> Result<(), DisturbError> {
        let mut members = self.members.lock().await;
        let member = members.get_mut(node).ok_or(DisturbError::NoSuchNode)?;
        if disturbance == Disturbance::Start {
            return self.start_again(node, member).await;
        }
        let not_running = || DisturbError::NotNow("the node is not running".to_owned());
        if disturbance == Disturbance::Kill {
            let edge = member.edge.take().ok_or_else(not_running)?;
            edge.kill().await;
            self.nodes.detach(node);
            self.running.remove(node);
            return Ok(());
        }
        let handle = member.edge.as_ref().ok_or_else(not_running)?.handle();
        let hold = handle.state().hold;
        handle.hold(match disturbance {
            Disturbance::Pause => Hold { paused: true, ..hold },
            Disturbance::Delay(delay) => Hold { delay, ..hold },
            Disturbance::Resume | Disturbance::Kill | Disturbance::Start => Hold::default(),
        });
        Ok(())
    }
}

impl fmt::Debug for Fleet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Fleet").field("pops", &self.pops).finish()
    }
}

/// Says which flag an address came from.
fn explain(error: StartError, listeners: &[Listen]) -> anyhow::Error {
    match &error {
        StartError::Listen { address, source } => match listeners.iter().find(|listen| listen.address == *address) {
            Some(listen) => listen.complain(source).into(),
            None => error.into(),
        },
        StartError::Disk { source, .. } => {
            let hint = match source.kind() {
                io::ErrorKind::ResourceBusy => "end the other process, or give each a folder of its own",
                _ => "give it a folder that it may write",
            };
            Complaint::failed(format!("--disk: {error}")).hint(hint).into()
        }
        _ => anyhow::Error::new(error).context("a node does not start"),
    }
}

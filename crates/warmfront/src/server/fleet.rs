//! The nodes of a server: regional nodes and POPs, in one process.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ServerConfig;
use tokio::sync::watch;
use tokio::task::JoinSet;
use warmfront_edge::{
    DISK_BYTES_MIN, DiskCache, Edge, EdgeMetrics, EdgeOptions, Parent, Parents, StartError, Tier, TierSecret,
};
use warmfront_journal::Journal;
use warmfront_model::Revision;

use crate::listen::Listen;
use crate::outcome::Complaint;
use crate::topology::{Pop, Region, Topology};

/// All nodes, running.
pub struct Fleet {
    regionals: Vec<Edge>,
    pops: Vec<(String, Edge)>,
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

/// What the nodes are started from.
pub struct FleetStart<'a> {
    /// Which nodes.
    pub topology: &'a Topology,
    /// The addresses that flags name, for messages.
    pub listeners: Vec<Listen>,
    /// What all nodes have in common; of memory, disk and cores each gets an equal part.
    pub options: EdgeOptions,
    /// The certificates for a listener at an address.
    pub tls: &'a dyn Fn(SocketAddr) -> anyhow::Result<Arc<ServerConfig>>,
}

impl Fleet {
    /// Starts all of them, regional nodes first.
    pub async fn start(journal: &Arc<dyn Journal>, start: FleetStart<'_>) -> anyhow::Result<Fleet> {
        let mut fleet = Fleet {
            regionals: Vec::new(),
            pops: Vec::new(),
        };
        for region in &start.topology.regions {
            if let Err(error) = fleet.start_region(journal, &start, region).await {
                fleet.stop().await;
                return Err(error);
            }
        }
        Ok(fleet)
    }

    async fn start_region(
        &mut self,
        journal: &Arc<dyn Journal>,
        start: &FleetStart<'_>,
        region: &Region,
    ) -> anyhow::Result<()> {
        let mut parents = Parents {
            secret: TierSecret::random(),
            nodes: Vec::new(),
        };
        for name in region.regional_names() {
            let options = start.regional(&name, parents.secret.clone())?;
            let node = start.node(journal, options).await?;
            parents.nodes.push(Parent {
                name,
                address: node.http(),
            });
            self.regionals.push(node);
        }
        for pop in &region.pops {
            let options = start.pop(pop, parents.clone())?;
            self.pops.push((pop.name.clone(), start.node(journal, options).await?));
        }
        Ok(())
    }

    /// Where the POPs listen, in the topology's order.
    pub fn addresses(&self) -> Vec<PopAddresses> {
        let of = |(name, pop): &(String, Edge)| PopAddresses {
            name: name.clone(),
            http: pop.http(),
            https: pop.https(),
        };
        self.pops.iter().map(of).collect()
    }

    /// What Prometheus reads of all nodes.
    pub fn metrics(&self) -> EdgeMetrics {
        let nodes = self.regionals.iter().chain(self.pops.iter().map(|(_, pop)| pop));
        nodes.map(Edge::metrics).fold(EdgeMetrics::default(), EdgeMetrics::and)
    }

    /// How far each POP has applied the journal.
    pub fn applied(&self) -> Vec<watch::Receiver<Revision>> {
        self.pops.iter().map(|(_, pop)| pop.applied()).collect()
    }

    /// Lets requests in progress finish: viewers' first, and then those of the POPs.
    pub async fn stop(self) {
        let pops: JoinSet<()> = self.pops.into_iter().map(|(_, pop)| pop.shutdown()).collect();
        pops.join_all().await;
        let regionals: JoinSet<()> = self.regionals.into_iter().map(Edge::shutdown).collect();
        regionals.join_all().await;
    }
}

impl FleetStart<'_> {
    /// An equal part of what there is.
    fn part(&self, name: &str) -> anyhow::Result<EdgeOptions> {
        let n_nodes = self.topology.n_nodes().max(1);
        let mut options = self.options.clone();
        name.clone_into(&mut options.pop);
        if n_nodes == 1 {
            return Ok(options);
        }
        options.n_cores = (options.n_cores / n_nodes).max(1);
        options.memory_bytes /= n_nodes as u64;
        if let Some(DiskCache { folder, bytes }) = options.disk.take() {
            let bytes = bytes / n_nodes as u64;
            if bytes < DISK_BYTES_MIN {
                let message = format!("--disk: for {n_nodes} nodes, {} MiB each are too few", bytes >> 20);
                let least = (DISK_BYTES_MIN * n_nodes as u64) >> 20;
                return Err(Complaint::usage(message)
                    .hint(format!("give {least}MiB or more"))
                    .into());
            }
            options.disk = Some(DiskCache {
                folder: folder.join(name),
                bytes,
            });
        }
        Ok(options)
    }

    fn regional(&self, name: &str, secret: TierSecret) -> anyhow::Result<EdgeOptions> {
        /// Left for what a POP adds to a viewer's header fields.
        const MORE_HEADER_BYTES: usize = 4 * 1024;
        let mut options = self.part(name)?;
        options.http = SocketAddr::from(([127, 0, 0, 1], 0));
        options.limits.header_bytes_max += MORE_HEADER_BYTES;
        options.tier = Tier::Regional(secret);
        // A POP's position is what an invalidation waits for, and shows: the delay is there.
        options.propagation_delay = std::time::Duration::ZERO;
        Ok(options)
    }

    fn pop(&self, pop: &Pop, parents: Parents) -> anyhow::Result<EdgeOptions> {
        let mut options = self.part(&pop.name)?;
        options.http = pop.edge.unwrap_or(options.http);
        options.https = match pop.edge_https {
            Some(address) => Some((address, (self.tls)(address)?)),
            None => None,
        };
        options.tier = Tier::Pop(parents);
        Ok(options)
    }

    async fn node(&self, journal: &Arc<dyn Journal>, options: EdgeOptions) -> anyhow::Result<Edge> {
        let started = Edge::start(Arc::clone(journal), options).await;
        started.map_err(|error| self.explain(error))
    }

    /// Says which flag an address came from.
    fn explain(&self, error: StartError) -> anyhow::Error {
        match &error {
            StartError::Listen { address, source } => {
                match self.listeners.iter().find(|listen| listen.address == *address) {
                    Some(listen) => listen.complain(source).into(),
                    None => error.into(),
                }
            }
            _ => error.into(),
        }
    }
}

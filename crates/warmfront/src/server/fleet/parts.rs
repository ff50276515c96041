use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use warmfront_clock::Clock;
use warmfront_edge::{DISK_BYTES_MIN, DiskCache, EdgeOptions, LeaseOptions, Parents, Tenure, Tier, TierSecret};

use crate::listen::Listen;
use crate::memory;
use crate::outcome::Complaint;
use crate::topology::{Pop, Topology};

/// What the nodes are started from.
pub struct FleetStart<'a> {
    /// Which nodes.
    pub topology: &'a Topology,
    /// The addresses that flags name, for messages.
    pub listeners: Vec<Listen>,
    /// What all nodes have in common; of memory, disk and cores each gets an equal part.
    pub options: EdgeOptions,
    /// Whether nodes may be killed on request, and started again.
    pub disturbed: bool,
    /// The certificates for a listener at an address.
    pub tls: &'a dyn Fn(SocketAddr) -> anyhow::Result<Arc<ServerConfig>>,
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
        if options.memory_bytes < memory::BYTES_MIN {
            return Err(too_little("--memory", options.memory_bytes, memory::BYTES_MIN, n_nodes).into());
        }
        if let Some(DiskCache { folder, bytes }) = options.disk.take() {
            let bytes = bytes / n_nodes as u64;
            if bytes < DISK_BYTES_MIN {
                return Err(too_little("--disk", bytes, DISK_BYTES_MIN, n_nodes).into());
            }
            options.disk = Some(DiskCache {
                folder: folder.join(name),
                bytes,
            });
        }
        Ok(options)
    }

    pub(super) fn regional(&self, name: &str, secret: TierSecret) -> anyhow::Result<EdgeOptions> {
        /// Left for what a POP adds to a viewer's header fields.
        const MORE_HEADER_BYTES: usize = 4 * 1024;
        let mut options = self.part(name)?;
        options.http = SocketAddr::from(([127, 0, 0, 1], 0));
        options.limits.header_bytes_max += MORE_HEADER_BYTES;
        options.tier = Tier::Regional(secret);
        // A POP's position is what an invalidation waits for, and shows: the delay is there.
        options.propagation_delay = Duration::ZERO;
        Ok(options)
    }

    pub(super) fn pop(&self, pop: &Pop, parents: Parents) -> anyhow::Result<EdgeOptions> {
        let mut options = self.part(&pop.name)?;
        options.http = pop.edge.unwrap_or(options.http);
        options.https = match pop.edge_https {
            Some(address) => Some((address, (self.tls)(address)?)),
            None => None,
        };
        options.tier = Tier::Pop(parents);
        // A lone node lives and dies with the control plane that judges by its position. The lease's clock is the system's,
        // whatever lifetimes go by.
        if self.topology.n_nodes() > 1 || self.disturbed {
            options.tenure = Tenure::Leased(LeaseOptions {
                clock: Clock::system(),
                lease: self.topology.lease,
            });
        }
        Ok(options)
    }
}

fn too_little(flag: &str, bytes_each: u64, bytes_each_min: u64, n_nodes: usize) -> Complaint {
    let least = (bytes_each_min * n_nodes as u64) >> 20;
    Complaint::usage(format!(
        "{flag}: for {n_nodes} nodes, {} MiB each are too few",
        bytes_each >> 20
    ))
    .hint(format!("give {least}MiB or more"))
}

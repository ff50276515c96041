//! Fronts before the planes, where a script says that something goes wrong.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;

use tokio::task::JoinSet;

use crate::faults::{Front, Kind, Script};
use crate::listen::{Listen, Wire};
use crate::topology::Topology;

/// The sockets of fronts that are not served yet.
pub struct Fronts<'a> {
    script: Option<&'a Arc<Script>>,
    waiting: Vec<(Kind, TcpListener)>,
}

impl<'a> Fronts<'a> {
    /// None yet.
    pub fn new(script: Option<&'a Arc<Script>>) -> Fronts<'a> {
        Fronts {
            script,
            waiting: Vec::new(),
        }
    }

    /// The socket that a plane listens on. If it has a front, that takes the address by which the plane is known.
    pub fn open(&mut self, listen: Listen, kind: Kind) -> anyhow::Result<TcpListener> {
        let known = listen.open()?;
        if !self.script.is_some_and(|script| script.concerns(kind)) {
            return Ok(known);
        }
        self.waiting.push((kind, known));
        let behind = Listen {
            address: behind(),
            ..listen
        };
        Ok(behind.open()?)
    }

    /// The topology with slow POPs moved behind fronts. `http` is where a POP listens that names no address.
    pub fn move_pops(&mut self, mut topology: Topology, http: SocketAddr) -> anyhow::Result<Topology> {
        let pops = topology.regions.iter_mut().flat_map(|region| &mut region.pops);
        for (at, pop) in pops.enumerate() {
            if !self.script.is_some_and(|script| script.delays(&pop.name)) {
                continue;
            }
            let listen = Listen {
                flag: "--edge",
                address: pop.edge.unwrap_or(http),
                wire: Wire::Plain,
            };
            self.waiting.push((Kind::Pop(at), listen.open()?));
            pop.edge = Some(behind());
        }
        Ok(topology)
    }

    /// Serves all of them until `ended`. `address` gives where each plane listens; the front's address takes its place.
    pub fn serve<E: Future<Output = ()> + Send + 'static>(
        self,
        tasks: &mut JoinSet<anyhow::Result<()>>,
        mut address: impl FnMut(Kind, SocketAddr) -> Option<SocketAddr>,
        ended: impl Fn() -> E,
    ) -> anyhow::Result<()> {
        let Some(script) = self.script else { return Ok(()) };
        for (kind, socket) in self.waiting {
            let Some(behind) = address(kind, socket.local_addr()?) else {
                continue;
            };
            let front = Front::new(kind, script, behind);
            let (listener, ended) = (tokio::net::TcpListener::from_std(socket)?, ended());
            tasks.spawn(async move {
                front.serve(listener, ended).await;
                Ok(())
            });
        }
        Ok(())
    }
}

fn behind() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

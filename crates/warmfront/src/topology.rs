//! Which nodes there are: POPs that face viewers, by region, and the regional nodes that they ask. A TOML file.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::duration;
use crate::listen::{Address, Listen, Wire};
use crate::outcome::Complaint;

/// The flag, for messages.
const FLAG: &str = "--topology";

/// A shorter lease would be lost whenever the machine is busy.
const LEASE_MIN: Duration = Duration::from_secs(1);

/// More nodes than this in one process are taken for a slip of the pen.
const NODES_MAX: usize = 64;

/// The nodes of a server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topology {
    /// How long a POP may answer from its cache without having renewed its lease.
    #[serde(default = "lease", deserialize_with = "time")]
    pub lease: Duration,
    /// The regions, in the file's order.
    #[serde(rename = "region")]
    pub regions: Vec<Region>,
}

/// A region: POPs, and the regional nodes that they ask before they ask an origin.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// Like `us-east-1`.
    #[serde(deserialize_with = "name")]
    pub name: String,
    /// How many regional nodes share its keys; with none, its POPs ask origins themselves.
    #[serde(default = "one")]
    pub regional_nodes: usize,
    /// Its POPs.
    #[serde(rename = "pop")]
    pub pops: Vec<Pop>,
}

/// A POP.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pop {
    /// What `x-amz-cf-pop` says, like `IAD89-P3`.
    #[serde(deserialize_with = "name")]
    pub name: String,
    /// Where viewers come over HTTP. Left out: for the first POP where `--edge` says, for others any free port.
    #[serde(default, deserialize_with = "address")]
    pub edge: Option<SocketAddr>,
    /// Where viewers come over TLS; left out: likewise, by `--edge-https`.
    #[serde(default, deserialize_with = "address")]
    pub edge_https: Option<SocketAddr>,
}

impl Topology {
    /// One POP that asks origins itself.
    pub fn one(pop: &str) -> Topology {
        let pop = Pop {
            name: pop.to_owned(),
            edge: None,
            edge_https: None,
        };
        Topology {
            lease: lease(),
            regions: vec![Region {
                name: "local".to_owned(),
                regional_nodes: 0,
                pops: vec![pop],
            }],
        }
    }

    /// Reads the file at `path`.
    ///
    /// # Errors
    /// Names the file and what is wrong in it.
    pub fn load(path: &Path) -> Result<Topology, Complaint> {
        let wrong = |why: String| Complaint::usage(format!("{FLAG} {}: {why}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        Topology::parse(&text).map_err(wrong)
    }

    fn parse(text: &str) -> Result<Topology, String> {
        let topology: Topology = toml::from_str(text).map_err(|error| error.to_string())?;
        if topology.pops().next().is_none() {
            return Err("there is no POP: write [[region]] and in it pop = [{ name = \"IAD89-P3\" }]".to_owned());
        }
        if topology.lease < LEASE_MIN {
            return Err("lease: give 1s or more, it is renewed after a third of that".to_owned());
        }
        if topology.n_nodes() > NODES_MAX {
            return Err(format!(
                "{} nodes in one process, {NODES_MAX} at most",
                topology.n_nodes()
            ));
        }
        let mut names = BTreeSet::new();
        let regions = topology.regions.iter().map(|region| &region.name);
        let mut all = regions.chain(topology.pops().map(|pop| &pop.name));
        if let Some(twice) = all.find(|name| !names.insert(*name)) {
            return Err(format!("the name {twice} is there twice"));
        }
        drop(all);
        Ok(topology)
    }

    /// Every POP.
    pub fn pops(&self) -> impl Iterator<Item = &Pop> {
        self.regions.iter().flat_map(|region| &region.pops)
    }

    /// How many nodes there are, of both tiers.
    pub fn n_nodes(&self) -> usize {
        let regional: usize = self.regions.iter().map(|region| region.regional_nodes).sum();
        regional.saturating_add(self.pops().count())
    }

    /// Gives every POP that names no address one: the first `edge` and `edge_https`, others any free port.
    pub fn with_addresses(mut self, edge: SocketAddr, edge_https: SocketAddr) -> Topology {
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let pops = self.regions.iter_mut().flat_map(|region| &mut region.pops);
        for (number, pop) in pops.enumerate() {
            let is_first = number == 0;
            pop.edge.get_or_insert(if is_first { edge } else { free });
            pop.edge_https.get_or_insert(if is_first { edge_https } else { free });
        }
        self
    }

    /// The addresses that the file names.
    pub fn listeners(&self) -> impl Iterator<Item = Listen> {
        let listen = |address, wire| Listen {
            flag: FLAG,
            address,
            wire,
        };
        self.pops().flat_map(move |pop| {
            let plain = pop.edge.map(|address| listen(address, Wire::Plain));
            let tls = pop.edge_https.map(|address| listen(address, Wire::Tls));
            plain.into_iter().chain(tls)
        })
    }
}

impl Region {
    /// The names of its regional nodes, like `us-east-1-R1`.
    pub fn regional_names(&self) -> impl Iterator<Item = String> {
        (1..=self.regional_nodes).map(|number| format!("{}-R{number}", self.name))
    }
}

/// Long enough for a disk that hesitates, short enough to wait for when a POP is gone.
fn lease() -> Duration {
    Duration::from_secs(10)
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    duration::parse(&text).map_err(|error| serde::de::Error::custom(format!("{text:?}: {error}")))
}

fn one() -> usize {
    1
}

/// Reads the code of a POP or a region: it is sent as a header's value, names a folder, and stays short.
pub fn parse_name(text: &str) -> Result<String, &'static str> {
    let allowed =
        (1..=16).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if allowed {
        Ok(text.to_owned())
    } else {
        Err("write 1 to 16 letters, digits and hyphens, like IAD89-P3")
    }
}

fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_name(&text).map_err(|error| serde::de::Error::custom(format!("{text:?}: {error}")))
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(deserializer)?;
    match Address::from_str(&text) {
        Ok(Address(address)) => Ok(Some(address)),
        Err(error) => Err(serde::de::Error::custom(format!("{text:?}: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO_REGIONS: &str = r#"
        [[region]]
        name = "us-east-1"
        regional_nodes = 2
        pop = [{ name = "IAD89-P3" }, { name = "IAD12-P1", edge = "127.0.0.1:9001" }]

        [[region]]
        name = "eu-central-1"

        [[region.pop]]
        name = "FRA56-P4"
        edge_https = "9443"
    "#;

    #[test]
    fn regions_have_pops_and_regional_nodes() {
        let topology = Topology::parse(TWO_REGIONS).unwrap();
        let pops: Vec<&str> = topology.pops().map(|pop| pop.name.as_str()).collect();
        assert_eq!(pops, ["IAD89-P3", "IAD12-P1", "FRA56-P4"]);
        let regional: Vec<String> = topology.regions.iter().flat_map(Region::regional_names).collect();
        assert_eq!(regional, ["us-east-1-R1", "us-east-1-R2", "eu-central-1-R1"]);
        assert_eq!(topology.n_nodes(), 6);
    }

    #[test]
    fn the_first_pop_listens_where_the_flags_say_and_others_where_there_is_room() {
        let (edge, https) = ("127.0.0.1:8080".parse().unwrap(), "127.0.0.1:8443".parse().unwrap());
        let topology = Topology::parse(TWO_REGIONS).unwrap().with_addresses(edge, https);
        let ports: Vec<_> = topology
            .pops()
            .map(|pop| (pop.edge.unwrap().port(), pop.edge_https.unwrap().port()))
            .collect();
        assert_eq!(ports, [(8080, 8443), (9001, 0), (0, 9443)]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let check = |text: &str, named: &[&str]| {
            let message = Topology::parse(text).unwrap_err();
            for name in named {
                assert!(message.contains(name), "{text}: {message}");
            }
        };
        check("", &["region"]);
        check("lease = '10ms'\nregion = []", &["no POP"]);
        check(
            "lease = '10ms'\n[[region]]\nname = 'a'\npop = [{ name = 'P' }]",
            &["lease", "1s"],
        );
        check("region = []", &["no POP", "[[region]]"]);
        check("[[region]]\nname = 'a'\npop = []", &["no POP"]);
        check("[[region]]\nname = 'a'\npops = []", &["pops", "pop"]);
        check("[[region]]\nname = 'a/b'\npop = []", &["a/b", "IAD89-P3"]);
        check(
            "[[region]]\nname = 'a'\npop = [{ name = 'P' }, { name = 'P' }]",
            &["P is there twice"],
        );
        check(
            "[[region]]\nname = 'a'\nregional_nodes = 100\npop = [{ name = 'P' }]",
            &["101 nodes"],
        );
        check(
            "[[region]]\nname = 'a'\npop = [{ name = 'P', edge = 'x' }]",
            &["IP:PORT"],
        );
    }
}

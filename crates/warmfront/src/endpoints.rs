//! Where a running server listens: the ready line, and the file by which the other commands find it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::private_file::{self, Readers};
use crate::server::PopAddresses;

const FILE_NAME: &str = "endpoints.json";

/// What `x-amz-cf-pop` says unless `--pop` or a topology says otherwise.
pub const POP_DEFAULT: &str = "LOC50-P1";

/// The ports when none are named: control, edge, edge over TLS, bucket.
pub const PORTS_DEFAULT: [u16; 4] = [4500, 8080, 8443, 4566];

/// The addresses of a running server, as the ready line has them, in its order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoints {
    /// The CloudFront API.
    pub control: String,
    /// Where viewers come over HTTP.
    pub edge: String,
    /// Where viewers come over TLS.
    pub edge_https: String,
    /// The S3 API.
    pub bucket: String,
    /// Metrics and health, if that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin: Option<String>,
    /// The certificate of the authority that signs the edge's certificates, a PEM file.
    pub ca: PathBuf,
    /// Every POP, the first of which is `edge` and `edge_https` above.
    #[serde(default)]
    pub pops: Vec<PopEndpoints>,
}

/// Where a POP listens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PopEndpoints {
    /// What `x-amz-cf-pop` says.
    pub name: String,
    /// Where viewers come over HTTP.
    pub edge: String,
    /// Where viewers come over TLS.
    pub edge_https: Option<String>,
}

impl Endpoints {
    /// The endpoints of listeners at these addresses. Where a listener takes every address of the machine, the loopback
    /// address stands for it, since one cannot connect to "every address".
    pub fn new(control: SocketAddr, pops: &[PopAddresses], bucket: SocketAddr, ca: PathBuf) -> Endpoints {
        let http = |address| format!("http://{}", reachable(address));
        let https = |address| format!("https://{}", reachable(address));
        let pops: Vec<PopEndpoints> = pops
            .iter()
            .map(|pop| PopEndpoints {
                name: pop.name.clone(),
                edge: http(pop.http),
                edge_https: pop.https.map(https),
            })
            .collect();
        let first = pops.first();
        Endpoints {
            control: http(control),
            edge: first.map(|pop| pop.edge.clone()).unwrap_or_default(),
            edge_https: first.and_then(|pop| pop.edge_https.clone()).unwrap_or_default(),
            bucket: http(bucket),
            admin: None,
            ca,
            pops,
        }
    }

    /// With a listener for metrics and health.
    pub fn with_admin(mut self, listening: Option<SocketAddr>) -> Endpoints {
        self.admin = listening.map(|at| format!("http://{}", reachable(at)));
        self
    }

    /// Where a server listens that was started without naming addresses.
    pub fn default_of(folder: &Path) -> Endpoints {
        let loopback = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let [control, http, https, bucket] = PORTS_DEFAULT.map(loopback);
        let pop = PopAddresses {
            name: POP_DEFAULT.to_owned(),
            http,
            https: Some(https),
        };
        Endpoints::new(control, &[pop], bucket, crate::certificates::certificate_path(folder))
    }

    /// What the data folder says; `None` if it says nothing (or nothing readable).
    pub fn load(folder: &Path) -> Option<Endpoints> {
        serde_json::from_slice(&std::fs::read(folder.join(FILE_NAME)).ok()?).ok()
    }

    /// Writes them into the data folder.
    pub fn store(&self, folder: &Path) -> io::Result<()> {
        private_file::replace(&folder.join(FILE_NAME), self.ready_line().as_bytes(), Readers::Owner)
    }

    /// Takes them out of the data folder again, if they are there.
    pub fn remove(folder: &Path) {
        let _ = std::fs::remove_file(folder.join(FILE_NAME));
    }

    /// One line of JSON, with its end of line.
    pub fn ready_line(&self) -> String {
        // Strings and a path; a data folder whose path is not UTF-8 cannot be opened.
        let mut line = serde_json::to_string(self).unwrap_or_default();
        line.push('\n');
        line
    }
}

/// Where to connect for a listener at `address`: loopback where it takes every address of the machine.
pub fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoints() -> Endpoints {
        let addresses = ["127.0.0.1:4500", "0.0.0.0:8080", "[::]:8443", "[::1]:4566"];
        let [control, http, https, bucket] = addresses.map(|address| address.parse().unwrap());
        let pop = |name: &str, https| PopAddresses {
            name: name.to_owned(),
            http,
            https,
        };
        let pops = [pop("IAD89-P3", Some(https)), pop("IAD12-P1", None)];
        Endpoints::new(control, &pops, bucket, "/data/ca/cert.pem".into())
    }

    #[test]
    fn the_ready_line_is_one_json_object_in_the_documented_order() {
        assert_eq!(
            endpoints().ready_line(),
            concat!(
                r#"{"control":"http://127.0.0.1:4500","edge":"http://127.0.0.1:8080","#,
                r#""edge_https":"https://[::1]:8443","bucket":"http://[::1]:4566","ca":"/data/ca/cert.pem","#,
                r#""pops":[{"name":"IAD89-P3","edge":"http://127.0.0.1:8080","edge_https":"https://[::1]:8443"},"#,
                r#"{"name":"IAD12-P1","edge":"http://127.0.0.1:8080","edge_https":null}]}"#,
                "\n"
            )
        );
    }

    #[test]
    fn what_is_stored_is_found_until_it_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Endpoints::load(folder.path()), None);
        endpoints().store(folder.path()).unwrap();
        assert_eq!(Endpoints::load(folder.path()), Some(endpoints()));
        Endpoints::remove(folder.path());
        assert_eq!(Endpoints::load(folder.path()), None);
    }
}

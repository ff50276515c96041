//! Opening the listeners, with errors that say which one failed and what to do about it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::str::FromStr;

use socket2::{Domain, Protocol, Socket, Type};

use crate::outcome::Complaint;

/// Connections that may wait to be accepted; the system lowers it to its own limit (`net.core.somaxconn`).
const BACKLOG: i32 = 4096;

/// Whether connections are encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// HTTP as it is.
    Plain,
    /// HTTP over TLS.
    Tls,
}

/// Where to listen, and the flag that says so.
#[derive(Clone, Copy, Debug)]
pub struct Listen {
    /// The flag, for messages.
    pub flag: &'static str,
    /// The address; port 0 takes a free one.
    pub address: SocketAddr,
    /// What is spoken there.
    pub wire: Wire,
}

/// An address as flags and the configuration file have it: `IP:PORT`, `localhost:PORT`, or a port on 127.0.0.1 alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address(pub SocketAddr);

impl FromStr for Address {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Address, Self::Err> {
        let port = text.strip_prefix("localhost:").unwrap_or(text);
        match port.parse() {
            Ok(port) => Ok(Address((Ipv4Addr::LOCALHOST, port).into())),
            Err(_) => text
                .parse()
                .map(Address)
                .map_err(|_| "write IP:PORT, like 127.0.0.1:4500 or [::1]:4500; port 0 takes a free one"),
        }
    }
}

impl Listen {
    /// Refuses plain HTTP beyond this machine unless `allow_plain_http`.
    pub fn check_exposure(&self, allow_plain_http: bool) -> Result<(), Complaint> {
        if self.is_loopback() || self.wire == Wire::Tls || allow_plain_http {
            return Ok(());
        }
        let message = format!(
            "{} {} would serve plain HTTP beyond this machine",
            self.flag, self.address
        );
        Err(Complaint::usage(message)
            .hint("listen on 127.0.0.1, or add --allow-plain-http if the network in between is trusted"))
    }

    /// Whether only this machine can connect.
    pub fn is_loopback(&self) -> bool {
        match self.address.ip() {
            IpAddr::V4(ip) => ip.is_loopback(),
            IpAddr::V6(ip) => ip.is_loopback() || ip.to_ipv4_mapped().is_some_and(|ip| ip.is_loopback()),
        }
    }

    /// One listener.
    pub fn open(&self) -> Result<TcpListener, Complaint> {
        open(self.address).map_err(|error| self.complain(&error))
    }

    /// Why this listener cannot be opened, and the way out.
    pub fn complain(&self, error: &io::Error) -> Complaint {
        let Listen { flag, address, .. } = self;
        let complaint = Complaint::failed(format!("{flag} {address}: cannot listen there: {error}"));
        match error.kind() {
            io::ErrorKind::AddrInUse => complaint.hint(format!(
                "another program listens on port {}: end it, or choose another port with {flag} (port 0 takes a free one)",
                address.port()
            )),
            io::ErrorKind::PermissionDenied => {
                complaint.hint(format!("ports below 1024 need a privilege: choose another with {flag}"))
            }
            io::ErrorKind::AddrNotAvailable => {
                complaint.hint(format!("this machine has no address {}: choose another with {flag}", address.ip()))
            }
            _ => complaint.hint(format!("choose another address with {flag}")),
        }
    }
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listen(address: &str, wire: Wire) -> Listen {
        Listen {
            flag: "--edge",
            address: address.parse::<Address>().unwrap().0,
            wire,
        }
    }

    #[test]
    fn addresses_are_literals_or_ports_on_loopback() {
        let check = |text: &str, expected: &str| {
            assert_eq!(text.parse::<Address>().unwrap().0, expected.parse().unwrap(), "{text}");
        };
        check("127.0.0.1:4500", "127.0.0.1:4500");
        check("[::1]:0", "[::1]:0");
        check("0", "127.0.0.1:0");
        check("localhost:8080", "127.0.0.1:8080");
        for wrong in [
            "",
            "127.0.0.1",
            "example.com:80",
            "65536",
            ":80",
            "http://127.0.0.1:80",
            "::1:80:",
        ] {
            assert!(wrong.parse::<Address>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn plain_http_stays_on_this_machine_unless_allowed() {
        for local in ["127.0.0.1:1", "127.8.8.8:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
            assert!(listen(local, Wire::Plain).check_exposure(false).is_ok(), "{local}");
        }
        for open in ["0.0.0.0:1", "[::]:1", "192.168.0.5:1", "[::ffff:10.0.0.1]:1"] {
            assert!(listen(open, Wire::Plain).check_exposure(false).is_err(), "{open}");
            assert!(listen(open, Wire::Plain).check_exposure(true).is_ok(), "{open}");
            assert!(listen(open, Wire::Tls).check_exposure(false).is_ok(), "{open}");
        }
    }

    #[test]
    fn a_port_in_use_is_refused_with_the_flag_and_the_way_out() {
        let ours = listen("127.0.0.1:0", Wire::Plain).open().unwrap();
        let address = ours.local_addr().unwrap();
        let second = listen(&address.to_string(), Wire::Plain).open().unwrap_err();
        assert!(second.to_string().contains(&format!("--edge {address}")), "{second}");
        let (text, _) = crate::outcome::describe(&second.into());
        assert!(text.contains("hint: ") && text.contains("port 0"), "{text}");
    }
}

use std::str::FromStr;

use warmfront_facts::{Network, OriginAllow, ParseNetworkError};

/// One entry of `origin.allow`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// `localhost`: 127.0.0.0/8 and ::1.
    Loopback,
    /// An address or a network.
    Network(Network),
}

impl FromStr for Allowed {
    type Err = ParseNetworkError;

    fn from_str(text: &str) -> Result<Allowed, ParseNetworkError> {
        if text == "localhost" {
            Ok(Allowed::Loopback)
        } else {
            text.parse().map(Allowed::Network)
        }
    }
}

/// What origins may be, from the entries of `origin.allow`. A server that only this machine can reach
/// (`serves_loopback_alone`) may fetch from this machine; any other must be told so.
pub fn origin_allow(entries: &[Allowed], serves_loopback_alone: bool) -> OriginAllow {
    let mut allow = OriginAllow {
        loopback: serves_loopback_alone,
        networks: Vec::new(),
    };
    for entry in entries {
        match entry {
            Allowed::Loopback => allow.loopback = true,
            Allowed::Network(network) => allow.networks.push(*network),
        }
    }
    allow
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_open_to_servers_on_loopback_or_by_name() {
        let permits = |entries: &[&str], serves_loopback_alone, address: &str| {
            let entries: Vec<Allowed> = entries.iter().map(|entry| entry.parse().unwrap()).collect();
            origin_allow(&entries, serves_loopback_alone).permits(address.parse().unwrap())
        };
        assert!(permits(&[], true, "127.0.0.1"));
        assert!(!permits(&[], false, "127.0.0.1"));
        assert!(permits(&["localhost"], false, "127.0.0.1"));
        assert!(!permits(&["localhost"], true, "10.1.2.3"));
        assert!(permits(&["10.0.0.0/8"], true, "10.1.2.3"));
        assert!(!permits(&["10.0.0.0/8"], true, "169.254.169.254"));
    }
}

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use thiserror::Error;

/// Which addresses that are not on the public internet an origin may have all the same.
///
/// Whoever may create a distribution must not thereby reach the machine's metadata service, its journal or its neighbours.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct OriginAllow {
    /// Whether 127.0.0.0/8 and ::1 are allowed.
    pub loopback: bool,
    /// Networks that are allowed whatever they are.
    pub networks: Vec<Network>,
}

impl OriginAllow {
    /// Whether an origin may be reached at `address`: it is public, or allowed here.
    pub fn permits(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        !is_private(address)
            || (self.loopback && address.is_loopback())
            || self.networks.iter().any(|network| network.contains(address))
    }
}

/// An IP network in CIDR form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix_bits: u32,
}

/// What was given is no network.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{0:?} is no network: write an address, or an address and a prefix length like 10.0.0.0/8")]
pub struct ParseNetworkError(String);

impl Network {
    /// Whether `address` lies in this network.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => in_v4(address, network, self.prefix_bits),
            (IpAddr::V6(network), IpAddr::V6(address)) => in_v6(address, network, self.prefix_bits),
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = ParseNetworkError;

    fn from_str(text: &str) -> Result<Network, ParseNetworkError> {
        let error = || ParseNetworkError(text.to_owned());
        let (address, prefix_bits) = match text.split_once('/') {
            Some((address, prefix_bits)) => (address, Some(prefix_bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| error())?;
        let bits_max = if address.is_ipv4() { 32 } else { 128 };
        let prefix_bits = match prefix_bits {
            Some(prefix_bits) => prefix_bits.parse().map_err(|_| error())?,
            None => bits_max,
        };
        if prefix_bits > bits_max {
            Err(error())
        } else {
            Ok(Network { address, prefix_bits })
        }
    }
}

/// Whether `address` is anything but a unicast address of the public internet.
///
/// An IPv6 address that carries an IPv4 address (mapped, compatible, 6to4, NAT64) is judged by what it carries too.
///
/// Source: IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890); RFC 6052, RFC 3056 for the carriers.
pub fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_private_v4(address),
        IpAddr::V6(address) => carried_v4(address).map_or_else(|| is_private_v6(address), is_private_v4),
    }
}

/// Not global: this network, private use, carrier-grade NAT, loopback, link-local (cloud metadata among it), protocol
/// assignments, documentation, benchmarking, multicast, reserved, broadcast.
const PRIVATE_V4: [([u8; 4], u32); 14] = [
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([224, 0, 0, 0], 4),
    ([240, 0, 0, 0], 4),
];

fn is_private_v4(address: Ipv4Addr) -> bool {
    // The wire server of Azure, which hands out credentials, is a public address.
    const AZURE_METADATA: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);
    address == AZURE_METADATA
        || PRIVATE_V4
            .iter()
            .any(|&(network, prefix_bits)| in_v4(address, network.into(), prefix_bits))
}

/// Global unicast is 2000::/3; of it, Teredo, benchmarking, ORCHID and documentation are not global.
fn is_private_v6(address: Ipv6Addr) -> bool {
    const NOT_GLOBAL: [([u16; 8], u32); 3] = [
        ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),
        ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),
        ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),
    ];
    !in_v6(address, Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3)
        || NOT_GLOBAL
            .iter()
            .any(|&(network, prefix_bits)| in_v6(address, network.into(), prefix_bits))
}

/// The IPv4 address that packets to `address` end up at, if it is of a form that carries one.
fn carried_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let from = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match [a, b, c, d, e, f] {
        [0, 0, 0, 0, 0, 0 | 0xffff] | [0x64, 0xff9b, 0, 0, 0, 0] => Some(from(g, h)),
        [0x2002, ..] => Some(from(b, c)),
        _ => None,
    }
}

fn in_v4(address: Ipv4Addr, network: Ipv4Addr, prefix_bits: u32) -> bool {
    (address.to_bits() ^ network.to_bits()).leading_zeros() >= prefix_bits
}

fn in_v6(address: Ipv6Addr, network: Ipv6Addr, prefix_bits: u32) -> bool {
    (address.to_bits() ^ network.to_bits()).leading_zeros() >= prefix_bits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_purpose_addresses_are_private() {
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "192.0.0.8",
            "198.19.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "168.63.129.16",
            "::",
            "::1",
            "fe80::1",
            "febf::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "2001:db8::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "fec0::1",
            "64:ff9b:1::a00:1",
        ] {
            assert!(is_private(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn public_addresses_are_not() {
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "169.253.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450:4001:81b::200e",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
        ] {
            assert!(!is_private(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn what_is_listed_is_permitted_and_nothing_more() {
        let allow = OriginAllow {
            loopback: true,
            networks: vec!["10.20.0.0/16".parse().unwrap()],
        };
        let permits = |address: &str| allow.permits(address.parse().unwrap());
        assert!(permits("127.0.0.1") && permits("::1") && permits("::ffff:127.0.0.1"));
        assert!(permits("10.20.3.4") && permits("::ffff:10.20.3.4"));
        assert!(permits("8.8.8.8"));
        assert!(!permits("10.21.0.1") && !permits("169.254.169.254") && !permits("fe80::1"));
        assert!(!OriginAllow::default().permits("127.0.0.1".parse().unwrap()));
    }

    #[test]
    fn networks_are_written_in_cidr_form() {
        assert!("::/0".parse::<Network>().unwrap().contains("fe80::1".parse().unwrap()));
        assert!(
            "10.0.0.1"
                .parse::<Network>()
                .unwrap()
                .contains("10.0.0.1".parse().unwrap())
        );
        for wrong in ["", "10.0.0.0/33", "10.0.0.0/", "::/129", "10.0.0/8", "host/8"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }
}

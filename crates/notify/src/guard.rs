//! Where the server may connect to on somebody's behalf. A channel says a host; it must not be a way into the network the server
//! stands in. The address that is connected to is what counts, so that a name that resolves to another address the second time
//! helps nobody (OWASP, Server-Side Request Forgery Prevention).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What may be connected to beside the public internet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outbound {
    networks: Vec<Network>,
    /// In lower case.
    hosts: Vec<String>,
}

/// Addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    prefix_bits: u32,
}

/// Why nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) host: String,
    pub(crate) address: IpAddr,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} is {}, which is in no public network; the server's configuration allows it with `[outbound] allow = [\"{}\"]`",
            self.host, self.address, self.host
        )
    }
}

impl std::error::Error for Refused {}

impl Outbound {
    /// Reads addresses (`127.0.0.1`), networks (`10.0.0.0/8`) and names of hosts (`hooks.internal`); the first that is none of them
    /// is the error.
    pub fn parse(allowed: &[String]) -> Result<Outbound, String> {
        let mut outbound = Outbound::default();
        for text in allowed {
            match network(text) {
                Some(network) => outbound.networks.push(network),
                None if is_host(text) => outbound.hosts.push(text.to_ascii_lowercase()),
                None => return Err(text.clone()),
            }
        }
        Ok(outbound)
    }

    /// Whether `address`, which is what `host` resolved to, may be connected to.
    pub(crate) fn check(&self, host: &str, address: IpAddr) -> Result<(), Refused> {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let address = canonical(address);
        let is_named = self.hosts.iter().any(|own| own.eq_ignore_ascii_case(host));
        let is_inside = self.networks.iter().any(|network| network.holds(address));
        match is_public(address) || is_named || is_inside {
            true => Ok(()),
            false => Err(Refused {
                host: host.to_owned(),
                address,
            }),
        }
    }
}

impl Network {
    fn holds(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let mask = u32::MAX.checked_shl(32 - self.prefix_bits).unwrap_or(0);
                own.to_bits() & mask == other.to_bits() & mask
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let mask = u128::MAX.checked_shl(128 - self.prefix_bits).unwrap_or(0);
                own.to_bits() & mask == other.to_bits() & mask
            }
            _ => false,
        }
    }
}

fn network(text: &str) -> Option<Network> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    let address = canonical(address.parse().ok()?);
    let bits_max = if address.is_ipv4() { 32 } else { 128 };
    let prefix_bits = prefix.map_or(Some(bits_max), |prefix| prefix.parse().ok())?;
    (prefix_bits <= bits_max).then_some(Network {
        address,
        prefix_bits,
    })
}

fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        let is_ours = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        !label.is_empty() && label.bytes().all(is_ours)
    };
    // What is all digits and dots is an address that is none.
    text.split('.').all(is_label) && text.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// An address of version 4 that is written as one of version 6 is still that address.
fn canonical(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => embedded(v6).map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

/// The address of version 4 inside: mapped (RFC 4291), compatible, translated (64:ff9b::/96, RFC 6052) and 6to4 (RFC 3056).
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let joined = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match [a, b, c, d, e, f] {
        [0, 0, 0, 0, 0, 0xffff] | [0x64, 0xff9b, 0, 0, 0, 0] => Some(joined(g, h)),
        [0, 0, 0, 0, 0, 0] if g != 0 => Some(joined(g, h)),
        [0x2002, high, low, ..] => Some(joined(high, low)),
        _ => None,
    }
}

/// What the registries of IANA for special purposes do not set apart.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            let is_apart = match a {
                0 | 10 | 127 | 224.. => true,
                100 => (64..128).contains(&b),
                169 => b == 254,
                172 => (16..32).contains(&b),
                192 => matches!((b, c), (168, _) | (0, 0 | 2) | (88, 99)),
                198 => matches!((b, c), (18 | 19, _) | (51, 100)),
                203 => (b, c) == (0, 113),
                _ => false,
            };
            !is_apart
        }
        IpAddr::V6(v6) => {
            let [a, b, ..] = v6.segments();
            let is_apart = match a {
                // Unique local, link local, site local, multicast.
                0 | 0x64 | 0x100 | 0x5f00 | 0xfc00.. => true,
                0x2001 => matches!(b, 0 | 2 | 0xdb8 | 0x10..0x40),
                0x3fff => b < 0x1000,
                _ => false,
            };
            !is_apart
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_allowed(allowed: &[&str], host: &str, address: &str) -> bool {
        let allowed: Vec<String> = allowed.iter().map(|&text| text.to_owned()).collect();
        let outbound = Outbound::parse(&allowed).expect("a good list");
        outbound
            .check(host, address.parse().expect("an address"))
            .is_ok()
    }

    #[test]
    fn the_networks_of_the_server_are_refused() {
        let refused = [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "127.0.0.1",
            "127.255.0.9",
            "100.64.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "192.0.0.8",
            "192.0.2.1",
            "198.18.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::1",
            "2002:7f00:1::",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "64:ff9b:1::1",
            "100::1",
        ];
        for address in refused {
            assert!(!is_allowed(&[], "example.com", address), "{address}");
        }
        let open = [
            "1.1.1.1",
            "8.8.8.8",
            "172.15.0.1",
            "172.32.0.1",
            "100.63.0.1",
            "100.128.0.1",
            "192.167.1.1",
            "198.17.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2002:808:808::1",
        ];
        for address in open {
            assert!(is_allowed(&[], "example.com", address), "{address}");
        }
    }

    #[test]
    fn what_is_configured_is_allowed() {
        let cases = [
            (&["127.0.0.1"][..], "localhost", "127.0.0.1", true),
            (&["127.0.0.1"], "localhost", "::ffff:127.0.0.1", true),
            (&["127.0.0.1"], "localhost", "127.0.0.2", false),
            (&["127.0.0.1"], "localhost", "::1", false),
            (&["10.0.0.0/8"], "a", "10.255.0.1", true),
            (&["10.0.0.0/8"], "a", "11.0.0.1", true),
            (&["10.0.0.0/8"], "a", "192.168.0.1", false),
            (&["0.0.0.0/0"], "a", "192.168.0.1", true),
            (&["fd00::/8"], "a", "fd12::1", true),
            (&["::/0"], "a", "fe80::1", true),
            (&["::/0"], "a", "10.0.0.1", false),
            (&["hooks.internal"], "Hooks.Internal", "10.0.0.1", true),
            (&["hooks.internal"], "a.hooks.internal", "10.0.0.1", false),
            (&["::1"], "[::1]", "::1", true),
        ];
        for (allowed, host, address, expected) in cases {
            assert_eq!(
                is_allowed(allowed, host, address),
                expected,
                "{allowed:?} {host} {address}"
            );
        }
    }

    #[test]
    fn what_is_no_address_is_told() {
        for text in [
            "10.0.0.0/33",
            "10.0.0",
            "::1/129",
            "http://a",
            "a b",
            "",
            "a..b",
            "10.0.0.1/x",
        ] {
            assert_eq!(Outbound::parse(&[text.to_owned()]), Err(text.to_owned()));
        }
    }
}

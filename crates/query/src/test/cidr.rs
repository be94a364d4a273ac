//! `client_ip:10.0.0.0/8`: addresses in a block, IPv4 and IPv6.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A block of addresses. Bits beyond the prefix are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cidr {
    network: IpAddr,
    prefix_bits: u8,
}

impl Cidr {
    /// The block of `prefix_bits` that holds `address`; `None` when the address has fewer bits. An IPv4
    /// address written as IPv6 (`::ffff:10.0.0.1`) is the IPv4 address.
    pub fn new(address: IpAddr, prefix_bits: u8) -> Option<Cidr> {
        let (address, prefix_bits) = match (address, address.to_canonical()) {
            (IpAddr::V6(_), IpAddr::V4(mapped)) if prefix_bits >= 96 => {
                (IpAddr::V4(mapped), prefix_bits - 96)
            }
            _ => (address, prefix_bits),
        };
        if prefix_bits > address_bits(address) {
            return None;
        }
        let network = match address {
            IpAddr::V4(v4) => IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & mask_v4(prefix_bits))),
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask_v6(prefix_bits))),
        };
        Some(Cidr {
            network,
            prefix_bits,
        })
    }

    /// Reads `<address>/<bits>`.
    pub fn parse(text: &str) -> Option<Cidr> {
        let (address, bits) = text.split_once('/')?;
        if bits.len() > 3 || !bits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Cidr::new(address.parse().ok()?, bits.parse().ok()?)
    }

    /// The first address of the block.
    pub fn network(&self) -> IpAddr {
        self.network
    }

    /// How many leading bits are fixed.
    pub fn prefix_bits(&self) -> u8 {
        self.prefix_bits
    }

    /// Whether the block holds `address`.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.network, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(v4)) => {
                v4.to_bits() & mask_v4(self.prefix_bits) == network.to_bits()
            }
            (IpAddr::V6(network), IpAddr::V6(v6)) => {
                v6.to_bits() & mask_v6(self.prefix_bits) == network.to_bits()
            }
            (IpAddr::V6(network), IpAddr::V4(v4)) => {
                v4.to_ipv6_mapped().to_bits() & mask_v6(self.prefix_bits) == network.to_bits()
            }
            (IpAddr::V4(_), IpAddr::V6(_)) => false,
        }
    }

    /// Whether `text` is an address in the block, or a block that lies within it.
    pub fn contains_text(&self, text: &str) -> bool {
        let text = text.trim();
        if let Ok(address) = text.parse() {
            return self.contains(address);
        }
        Cidr::parse(text).is_some_and(|block| {
            block.prefix_bits >= self.prefix_bits && self.contains(block.network)
        })
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix_bits)
    }
}

fn address_bits(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn mask_v4(prefix_bits: u8) -> u32 {
    u32::MAX
        .checked_shl(32 - u32::from(prefix_bits))
        .unwrap_or(0)
}

fn mask_v6(prefix_bits: u8) -> u128 {
    u128::MAX
        .checked_shl(128 - u32::from(prefix_bits))
        .unwrap_or(0)
}

//! [`Peer`]: the address from which the request came.

use core::fmt;
use core::net::{IpAddr, Ipv6Addr, SocketAddr};

/// The address of the other end of the connection. The server makes it, and passes it as an input of the chain.
///
/// An IPv4 address that came in an IPv6 socket (`::ffff:192.0.2.1`) is the IPv4 address.
///
/// ```
/// use std::net::SocketAddr;
///
/// use chain_runtime::nodes::Peer;
///
/// let peer = Peer::from("[::ffff:192.0.2.1]:1234".parse::<SocketAddr>().unwrap());
/// assert_eq!(peer.to_string(), "192.0.2.1");
/// let peer = Peer::from("[2001:db8:1:2:3:4:5:6]:1234".parse::<SocketAddr>().unwrap());
/// assert_eq!(peer.network().to_string(), "2001:db8:1:2::");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Peer(IpAddr);

impl Peer {
    /// The address.
    #[must_use]
    pub const fn ip(self) -> IpAddr {
        self.0
    }

    /// The part of an address that one customer of a network has: an IPv4 address, or the first 64 bits of an IPv6
    /// address. The client can choose the other 64 bits.
    #[must_use]
    pub const fn network(self) -> IpAddr {
        match self.0 {
            IpAddr::V4(_) => self.0,
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        }
    }
}

impl From<IpAddr> for Peer {
    fn from(address: IpAddr) -> Self {
        Self(address.to_canonical())
    }
}

impl From<SocketAddr> for Peer {
    fn from(address: SocketAddr) -> Self {
        address.ip().into()
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Provides the peer that the server names. An address that the server does not know is `0.0.0.0`: all such requests
/// count as one peer.
#[cfg(feature = "proxy")]
#[crate::node(crate = crate)]
pub fn peer(client: &crate::proxy::Client) -> Peer {
    client.peer().map_or(Peer(IpAddr::from([0, 0, 0, 0])), Peer::from)
}

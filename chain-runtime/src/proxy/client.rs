//! [`Client`]: where a request came from.

use std::net::SocketAddr;

use http::uri::Scheme;

/// Where a request came from, as the server that took it knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    peer: Option<SocketAddr>,
    scheme: Scheme,
}

impl Client {
    /// A client at this address, over plain HTTP.
    #[must_use]
    pub const fn at(peer: SocketAddr) -> Self {
        Self { peer: Some(peer), scheme: Scheme::HTTP }
    }

    /// A client of whom no address is known, as on a Unix socket.
    #[must_use]
    pub const fn unknown() -> Self {
        Self { peer: None, scheme: Scheme::HTTP }
    }

    /// The same, over TLS: what `Forwarded` says of the protocol.
    #[must_use]
    pub fn secure(mut self) -> Self {
        self.scheme = Scheme::HTTPS;
        self
    }

    /// Its address.
    #[must_use]
    pub const fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// The scheme by which it asked.
    #[must_use]
    pub const fn scheme(&self) -> &Scheme {
        &self.scheme
    }
}

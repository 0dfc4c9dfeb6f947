//! [`Client`]: where a request came from.

use std::net::SocketAddr;

use http::uri::Scheme;

use crate::tailed::Cut;

/// Where a request came from, as the server that took it knows.
#[derive(Clone, Debug)]
pub struct Client {
    peer: Option<SocketAddr>,
    scheme: Scheme,
    cut: Cut,
}

impl Client {
    /// A client at this address, over plain HTTP.
    #[must_use]
    pub fn at(peer: SocketAddr) -> Self {
        Self { peer: Some(peer), scheme: Scheme::HTTP, cut: Cut::default() }
    }

    /// A client of whom no address is known, as on a Unix socket.
    #[must_use]
    pub fn unknown() -> Self {
        Self { peer: None, scheme: Scheme::HTTP, cut: Cut::default() }
    }

    /// The same, over TLS: what `Forwarded` says of the protocol.
    #[must_use]
    pub fn secure(mut self) -> Self {
        self.scheme = Scheme::HTTPS;
        self
    }

    /// The same, for one request of several on a connection: what ends it is told apart.
    pub(super) fn with_cut(&self, cut: Cut) -> Self {
        Self { cut, ..self.clone() }
    }

    /// Whether a limit of the server ended its connection, or its request over HTTP/2: for who writes down how a request ended.
    #[must_use]
    pub const fn cut(&self) -> &Cut {
        &self.cut
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

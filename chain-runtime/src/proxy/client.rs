//! [`Client`]: the client that a request came from.

use std::net::SocketAddr;

use http::uri::Scheme;

use crate::tailed::Cut;

/// The client that a request came from, as the server knows it.
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

    /// A client without a known address, as on a Unix socket.
    #[must_use]
    pub fn unknown() -> Self {
        Self { peer: None, scheme: Scheme::HTTP, cut: Cut::default() }
    }

    /// The same client, over TLS. `Forwarded` names the protocol by this.
    #[must_use]
    pub fn secure(mut self) -> Self {
        self.scheme = Scheme::HTTPS;
        self
    }

    /// The same client, for one of several requests on a connection: each request's end is told apart.
    pub(super) fn with_cut(&self, cut: Cut) -> Self {
        Self { cut, ..self.clone() }
    }

    /// Whether a limit of the server ended the client's connection, or its request over HTTP/2. It is for nodes that
    /// log how a request ended.
    #[must_use]
    pub const fn cut(&self) -> &Cut {
        &self.cut
    }

    /// Its address.
    #[must_use]
    pub const fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// The scheme of its request.
    #[must_use]
    pub const fn scheme(&self) -> &Scheme {
        &self.scheme
    }
}

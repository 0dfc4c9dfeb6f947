//! [`Client`]: the client that a request came from.

use std::boxed::Box;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use http::HeaderValue;
use http::uri::Scheme;

use crate::tailed::Cut;

/// The client that a request came from, as the server knows it.
#[derive(Clone, Debug)]
pub struct Client {
    peer: Option<SocketAddr>,
    scheme: Scheme,
    cut: Cut,
    said: Arc<Mutex<Said>>,
}

/// What upstreams are told of this client, for the host that it asks for. A connection mostly has many requests to one
/// host.
#[derive(Debug, Default)]
enum Said {
    #[default]
    Nothing,
    /// There was a request.
    Once,
    Kept {
        host: Box<[u8]>,
        fields: Fields,
    },
}

/// The values of `Forwarded` and `X-Forwarded-For`. `None` for one that no field can hold.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    pub(super) forwarded: Option<HeaderValue>,
    pub(super) forwarded_for: Option<HeaderValue>,
}

impl Client {
    /// A client at this address, over plain HTTP.
    #[must_use]
    pub fn at(peer: SocketAddr) -> Self {
        Self { peer: Some(peer), scheme: Scheme::HTTP, cut: Cut::default(), said: Arc::default() }
    }

    /// A client without a known address, as on a Unix socket.
    #[must_use]
    pub fn unknown() -> Self {
        Self { peer: None, scheme: Scheme::HTTP, cut: Cut::default(), said: Arc::default() }
    }

    /// The same client, over TLS. `Forwarded` names the protocol by this.
    #[must_use]
    pub fn secure(mut self) -> Self {
        self.scheme = Scheme::HTTPS;
        // Clones of the other one go on with what is said of that.
        self.said = Arc::default();
        self
    }

    /// The same client, for one of several requests on a connection: each request's end is told apart.
    pub(super) fn with_cut(&self, cut: Cut) -> Self {
        Self { cut, ..self.clone() }
    }

    /// What upstreams are told of this client if it asks for this host, as `write` writes it. From the second request of
    /// a connection on it is kept, in memory of its own.
    pub(super) fn said(&self, host: &[u8], write: impl FnOnce() -> Fields) -> Fields {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if let Said::Kept { host: kept, fields } = &*said
            && **kept == *host
        {
            return fields.clone();
        }
        let fields = write();
        *said = match *said {
            Said::Nothing => Said::Once,
            _ => {
                let own = |value: &HeaderValue| HeaderValue::from_bytes(value.as_bytes()).ok();
                let Fields { forwarded, forwarded_for } = &fields;
                let (forwarded, forwarded_for) =
                    (forwarded.as_ref().and_then(own), forwarded_for.as_ref().and_then(own));
                Said::Kept { host: host.into(), fields: Fields { forwarded, forwarded_for } }
            }
        };
        fields
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_kept_for_one_host_from_the_second_request_on() {
        let (client, mut written) = (Client::unknown(), 0);
        for (host, is_written) in [("a", true), ("a", true), ("a", false), ("b", true), ("b", false), ("a", true)] {
            let before = written;
            let fields = client.said(host.as_bytes(), || {
                written += 1;
                Fields { forwarded: HeaderValue::from_str(host).ok(), forwarded_for: None }
            });
            assert_eq!(written > before, is_written, "{host}");
            assert_eq!(fields.forwarded.expect("a value"), host);
        }
        // It is told as another scheme, and shares nothing with the client before.
        let fields = client.clone().secure().said(b"a", || Fields { forwarded: None, forwarded_for: None });
        assert_eq!(fields.forwarded, None);
    }
}

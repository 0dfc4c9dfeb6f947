//! [`Upstream`]: the target of forwarded requests.

use core::fmt;
use std::borrow::ToOwned as _;
use std::net::SocketAddr;
use std::string::{String, ToString as _};
use std::sync::Arc;

use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Uri};

use super::slot::Slot;

/// One upstream, with everything that can be prepared before a request comes.
///
/// ```
/// use chain_runtime::proxy::Upstream;
///
/// let plain: Upstream = "http://10.0.0.7:8080".parse().unwrap();
/// assert_eq!(plain.to_string(), "http://10.0.0.7:8080");
/// assert!("10.0.0.7".parse::<Upstream>().is_err());
///
/// // One of several addresses of a name.
/// let named: Upstream = "h2c://shop.example".parse().unwrap();
/// let there = named.at("10.0.0.7:8080".parse().unwrap());
/// assert_eq!(there.to_string(), "h2c://shop.example at 10.0.0.7:8080");
/// ```
///
/// It has its own connections. They are kept with it, a clone shares them, and they end with the last clone. So the
/// connections to a member of a registry end when the member was removed, no request is in flight there, and another
/// member has been picked since; at the latest they end when they have been idle for [their time](super::Limits::idle).
/// Two upstreams that are equal, but no clones, do not share connections.
#[derive(Clone, Debug)]
pub struct Upstream {
    speaks: Speaks,
    authority: Authority,
    host: HeaderValue,
    address: Option<SocketAddr>,
    slot: Arc<Slot>,
}

/// Compares protocol, name and address. Connections do not count.
impl PartialEq for Upstream {
    fn eq(&self, other: &Self) -> bool {
        (self.speaks, &self.authority, self.address) == (other.speaks, &other.authority, other.address)
    }
}

impl Eq for Upstream {}

/// The protocol that is spoken to an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Speaks {
    /// HTTP/1.1: `http://`.
    Http1,
    /// HTTP/2 without TLS, without negotiation: `h2c://`.
    Http2,
    /// TLS; the upstream chooses HTTP/2 or HTTP/1.1: `https://`. It needs the feature `rustls`.
    #[cfg(feature = "rustls")]
    Tls,
}

const WANTED: &str = "http://host:port is wanted";
#[cfg(feature = "rustls")]
const SCHEMES: &str = "http and h2c are spoken to an upstream, and https";
#[cfg(not(feature = "rustls"))]
const SCHEMES: &str = "http and h2c are spoken to an upstream";

impl core::str::FromStr for Upstream {
    type Err = String;

    /// Reads `http://host:port`, `h2c://host:port`, or `https://host:port` with the feature `rustls`.
    fn from_str(url: &str) -> Result<Self, String> {
        let uri: Uri = url.parse().map_err(|error: http::uri::InvalidUri| std::format!("{error}; {WANTED}"))?;
        let speaks = match uri.scheme_str() {
            Some("http") => Speaks::Http1,
            Some("h2c") => Speaks::Http2,
            #[cfg(feature = "rustls")]
            Some("https") => Speaks::Tls,
            Some(_) => return Err(std::format!("{SCHEMES}; {WANTED}")),
            None => return Err(WANTED.to_owned()),
        };
        let authority = uri.authority().ok_or(WANTED)?;
        if uri.path_and_query().is_some_and(|path| path != "/") || authority.as_str().contains('@') {
            return Err(std::format!("{WANTED}, without a path, a query or a user"));
        }
        if authority.host().is_empty() {
            return Err(WANTED.to_owned());
        }
        // `http` reads a port that is too large as none, which would be port 80.
        let has_port = !matches!(authority.as_str().strip_prefix(authority.host()), Some("" | ":"));
        if has_port && authority.port_u16().is_none_or(|port| port == 0) {
            return Err(std::format!("{WANTED}, with a port from 1 to 65535"));
        }
        Self::new(speaks, authority.clone()).ok_or_else(|| "this host cannot be named in a request".to_string())
    }
}

impl Upstream {
    /// An upstream at this authority. `None` if it cannot be a field's value.
    #[must_use]
    pub fn new(speaks: Speaks, authority: Authority) -> Option<Self> {
        let host = HeaderValue::from_str(authority.as_str()).ok()?;
        Some(Self { speaks, authority, host, address: None, slot: Arc::default() })
    }

    /// The same upstream, at this address: connections are made to it without looking up the name. The upstream hears
    /// the name, in `Host` or `:authority` and over TLS (SNI), and its certificate has to be for the name.
    #[must_use]
    pub fn at(self, address: SocketAddr) -> Self {
        Self { address: Some(address), slot: Arc::default(), ..self }
    }

    /// Its address, if its name does not say it.
    #[must_use]
    pub const fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// The protocol that is spoken to it.
    #[must_use]
    pub const fn speaks(&self) -> Speaks {
        self.speaks
    }

    /// Its host and port.
    #[must_use]
    pub const fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The connections to it.
    pub(super) const fn slot(&self) -> &Arc<Slot> {
        &self.slot
    }

    /// The value of `Host` for it.
    pub(super) fn host(&self) -> HeaderValue {
        self.host.clone()
    }

    /// This path and query, there. All three parts are shared, and none is copied.
    pub(super) fn uri(&self, path: PathAndQuery) -> Result<Uri, http::Error> {
        let scheme = match self.speaks {
            Speaks::Http1 | Speaks::Http2 => Scheme::HTTP,
            #[cfg(feature = "rustls")]
            Speaks::Tls => Scheme::HTTPS,
        };
        Uri::builder().scheme(scheme).authority(self.authority.clone()).path_and_query(path).build()
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.speaks {
            Speaks::Http1 => "http",
            Speaks::Http2 => "h2c",
            #[cfg(feature = "rustls")]
            Speaks::Tls => "https",
        };
        write!(f, "{scheme}://{}", self.authority)?;
        match self.address {
            Some(address) => write!(f, " at {address}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_one_to_which_connections_can_be_made() {
        for url in ["http://a", "http://a:", "http://a:1", "http://[::1]:65535", "h2c://[::1]/"] {
            assert!(url.parse::<Upstream>().is_ok(), "{url}");
        }
        for url in ["http://a:0", "http://a:65536", "http://127.0.0.1:99999", "h2c://[::1]:0", "http://a:b"] {
            assert!(url.parse::<Upstream>().is_err(), "{url}");
        }
    }
}

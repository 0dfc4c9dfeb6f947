//! TLS to upstreams, by rustls.

use core::fmt;
use core::time::Duration;
use std::format;
use std::string::ToString as _;
use std::sync::Arc;

use http::Uri;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use super::error::Cause;

/// A stream to an upstream.
pub(super) type Stream = TlsStream<TcpStream>;

/// How upstreams are verified, and which protocol is spoken to them.
///
/// The [`ClientConfig`] says what is verified, and by which roots: rustls verifies certificates and names unless it is
/// told not to. The name (SNI) is the host of the upstream's URL. HTTP/2 is offered besides HTTP/1.1, and the upstream
/// chooses.
#[derive(Clone)]
pub struct Tls {
    config: ClientConfig,
}

impl Tls {
    /// Uses this configuration. Its `alpn_protocols` are replaced.
    #[must_use]
    pub fn new(mut config: ClientConfig) -> Self {
        config.alpn_protocols = std::vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Self { config }
    }

    /// Makes connections. They are without HTTP/2 if the target would have to name another host than that of the
    /// connection.
    pub(super) fn connector(mut self, keeps_host: bool) -> Secure {
        if keeps_host {
            self.config.alpn_protocols.retain(|protocol| protocol != b"h2");
        }
        Secure(TlsConnector::from(Arc::new(self.config)))
    }
}

/// Makes connections.
#[derive(Clone)]
pub(super) struct Secure(TlsConnector);

impl Secure {
    /// Makes a stream, and returns whether HTTP/2 is spoken on it.
    pub(super) async fn connect(&self, uri: &Uri, tcp: TcpStream, patience: Duration) -> Result<(Stream, bool), Cause> {
        let host = uri.host().ok_or("an upstream without a host")?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let name = ServerName::try_from(host.to_string())?;
        let stream = match timeout(patience, self.0.connect(name, tcp)).await {
            Ok(stream) => stream?,
            Err(_) => return Err(format!("no TLS within {patience:?}").into()),
        };
        let speaks_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        Ok((stream, speaks_http2))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

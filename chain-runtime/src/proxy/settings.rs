//! [`Settings`]: the settings of a forwarding node.

use std::sync::Arc;

use http::{HeaderName, StatusCode};

use super::fields::Via;
use super::identity::Reserved;
use super::limits::Limits;
use super::tunnel::Tunnels;

/// The settings of [`Forward`](super::Forward), apart from what picks the upstream.
///
/// ```
/// use std::time::Duration;
///
/// use chain_runtime::proxy::{Limits, Settings, Tunnels};
/// use http::HeaderName;
///
/// let mut limits = Limits::default();
/// limits.body = 1 << 20;
/// let settings = Settings::default()
///     .limits(limits)
///     .via("gateway-1")
///     .reserves([HeaderName::from_static("x-forwarded-user")])
///     .hides([HeaderName::from_static("x-api-key")])
///     .tunnels(&Tunnels::new(1_000, Duration::from_secs(300)));
/// # let _ = settings;
/// ```
#[derive(Clone, Debug)]
pub struct Settings {
    pub(super) limits: Limits,
    pub(super) via: Via,
    pub(super) reserved: Arc<Reserved>,
    pub(super) keeps_host: bool,
    pub(super) blames: fn(StatusCode) -> bool,
    pub(super) tunnels: Option<Tunnels>,
    #[cfg(feature = "rustls")]
    pub(super) tls: Option<super::tls::Tls>,
}

impl Default for Settings {
    /// The usual limits, with the name `chain`, without tunnels and TLS. `Host` is the upstream's.
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            via: Via::new("chain").expect("a token"),
            reserved: Arc::default(),
            keeps_host: false,
            blames: |_| true,
            tunnels: None,
            #[cfg(feature = "rustls")]
            tls: None,
        }
    }
}

impl Settings {
    /// Sets the limits of a request.
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the name by which this proxy calls itself in `Via`. A request whose `Via` already has the name has been
    /// here before, and is refused: so two proxies in one row need different names.
    ///
    /// # Panics
    ///
    /// If it is not a token (RFC 9110, 5.6.2), which may also have a colon and a port.
    #[must_use]
    pub fn via(mut self, name: &str) -> Self {
        self.via = Via::new(name).unwrap_or_else(|| panic!("`{name}` is not a token"));
        self
    }

    /// Sets the fields that only this proxy writes, besides `Forwarded` and its relatives: a [`Sender`](super::Sender)
    /// states them. Fields that a client sends under these names are removed, in any spelling that a server may take
    /// for them.
    #[must_use]
    pub fn reserves(mut self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        Arc::make_mut(&mut self.reserved).state(names);
        self
    }

    /// Sets fields that are between the client and this proxy, such as an API key. They are not passed on, in any
    /// spelling.
    #[must_use]
    pub fn hides(mut self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        Arc::make_mut(&mut self.reserved).hide(names);
        self
    }

    /// Passes `Host` on as the client sent it. Otherwise it names the upstream, and `Forwarded` says what the client
    /// asked for.
    ///
    /// This is for HTTP/1.1, which is then spoken to an upstream with TLS. To an upstream at `h2c://` the target always
    /// names the upstream.
    #[must_use]
    pub const fn keeps_host(mut self) -> Self {
        self.keeps_host = true;
        self
    }

    /// Sets which replies with a status of 500 to 599 are those of an upstream that is not well. The default is all of
    /// them. Other replies never are: a 4xx is the client's mistake. The pick is told, by the `ok` of an
    /// [`Outcome`](super::Outcome::Replied).
    ///
    /// ```
    /// use chain_runtime::proxy::Settings;
    /// use http::StatusCode;
    ///
    /// let settings = Settings::default().blames(|status| status != StatusCode::NOT_IMPLEMENTED);
    /// # let _ = settings;
    /// ```
    #[must_use]
    pub fn blames(mut self, is_blamed: fn(StatusCode) -> bool) -> Self {
        self.blames = is_blamed;
        self
    }

    /// Whether this is the reply of a healthy upstream.
    pub(super) fn is_ok(&self, status: StatusCode) -> bool {
        !(status.is_server_error() && (self.blames)(status))
    }

    /// Passes upgrades on, WebSocket most of all. By default a client's wish for one is not passed on.
    #[must_use]
    pub fn tunnels(mut self, tunnels: &Tunnels) -> Self {
        self.tunnels = Some(tunnels.clone());
        self
    }

    /// Sets how TLS is spoken to upstreams whose URL is `https://`. Without it, a request to such an upstream is a 502.
    #[cfg(feature = "rustls")]
    #[must_use]
    pub fn tls(mut self, tls: super::tls::Tls) -> Self {
        self.tls = Some(tls);
        self
    }
}

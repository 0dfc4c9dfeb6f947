//! A forwarding node: the part of a gateway that its owner does not want to write.
//!
//! [`Forward`] sends the request on to an upstream and gives the upstream's reply. Both bodies are streamed. Other
//! nodes of the chain do the rest: they decide who may pass and how often, and what is logged. [`server::Server`] takes
//! the connections of clients.
//!
//! ```
//! use chain_runtime::chain;
//! use chain_runtime::proxy::{Body, Client, Forward, Rotation};
//! use http::Response;
//! use http::request::Parts;
//! use ::hyper::body::Incoming;
//!
//! chain! {
//!     struct Proxy {
//!         forward: Forward<Rotation, Incoming>,
//!     }
//!
//!     async fn(request: Parts, body: Incoming, client: Client) -> Response<Body> {
//!         forward
//!     }
//! }
//!
//! let upstreams = Rotation::new(["http://10.0.0.1:8080".parse()?]);
//! let proxy = Proxy { forward: Forward::to(upstreams) };
//! # let _ = proxy;
//! # Ok::<(), String>(())
//! ```
//!
//! `examples/forward.rs` is the whole of that program; `examples/gateway` and `examples/edge` are larger programs that
//! grow from it.
//!
//! # What is promised
//!
//! - **Framing is derived.** A message is sent with the length or the coding of the body that is sent. A reply with a
//!   length and a coding, with several lengths, or with a coding that is not `chunked` becomes a 502, and its
//!   connection is not used again.
//! - **The head follows the RFCs** for a hop: `Host` once and in good form, targets in their four forms,
//!   `Max-Forwards`, `TE`, `Expect`, `Connection` and the fields that it names, `Via` with loops refused, one `Cookie`,
//!   and trailers without the fields that must not stand there.
//! - **Identity cannot be forged.** `Forwarded`, `X-Forwarded-*`, and the statements of a [`Sender`] are the only
//!   fields with their names, in any spelling that a server may take for these names, in the head and in trailers. A
//!   value that cannot stand in a field is refused.
//! - **Nothing waits for ever**: see [`Limits`].
//! - **A request is sent twice** only in these cases. No upstream has seen it: no connection was made, or the upstream
//!   said over HTTP/2 that it has not processed the request. Or the method is safe, the sending of the body had not
//!   begun, and the connection had been kept from before.
//!
//! `tests/proxy/CONFORMANCE.md` has the table of what the RFCs ask of a proxy, with the test for each rule.
//!
//! # Choosing an upstream
//!
//! A [`Pick`] chooses the upstream. A [`Rotation`] is a fixed group whose upstreams take turns. With the feature
//! `upstream`, an `upstream::Pick` of a registry's members is a `Pick`: its members change while it runs, a request
//! goes on to another member if one accepts no connection, and each try ends with a typed outcome. If a chain does more
//! with the choice (a key of the request, a block that runs again), the pick is a node of its own, and the forwarding
//! node borrows its lease: `ByLease`.
//!
//! An [`Upstream`] has a name, may have an address, and has its own connections. `WarmCheck` checks members over these
//! connections.
//!
//! While a reply's body or a tunnel still carries bytes, its request is in flight: a member is drained when the last
//! byte has come.
//!
//! # Limits of what is passed on
//!
//! - Interim replies (1xx) are not passed on, except `100 Continue` and `101`: hyper's server has no way to send them.
//!   A client that sends `Expect: 100-continue` gets its `100` when the upstream asks for the body, or is silent.
//! - `CONNECT` is not passed on: this is no forward proxy. Over HTTP/2 there is no upgrade (RFC 8441).
//! - The reason of a status line is not passed on.
//! - A client that closes its side of the connection after its request counts as one that has left: a proxy cannot tell
//!   the two apart before it writes.

use core::fmt;
use core::marker::PhantomData;

use bytes::Bytes;
use chain_macros::node;
use http::Response;
use http::request::Parts;

mod alarm;
mod answer;
mod answered;
mod body;
#[cfg(feature = "upstream")]
mod by_lease;
#[cfg(feature = "upstream")]
mod check;
mod client;
mod connections;
mod descriptors;
mod error;
mod fault;
mod fields;
mod forwarded;
mod framing;
mod hop;
mod identity;
mod kept;
#[cfg(feature = "upstream")]
mod leased;
mod limits;
mod linked;
mod pace;
mod paths;
mod pick;
mod place;
mod plain;
mod present;
mod ready;
mod rendered;
mod rotation;
pub mod server;
mod settings;
mod slot;
mod streaming;
mod target;
mod text;
#[cfg(feature = "rustls")]
mod tls;
mod tunnel;
mod unseen;
mod upgrade;
mod upload;
mod upstream;
mod words;

pub use body::{Body, BrokenReply};
#[cfg(feature = "upstream")]
pub use by_lease::ByLease;
#[cfg(feature = "upstream")]
pub use check::{NotWell, WarmCheck};
pub use client::Client;
pub use error::{BadReply, BadRequest, Cause, Error};
pub use identity::{Sender, Statements, Unstatable};
#[cfg(feature = "upstream")]
pub use leased::Leased;
pub use limits::{Limits, Rate};
pub use paths::Paths;
pub use pick::{Outcome, Pick, Turn};
pub use rendered::{Rendered, Renderer};
pub use rotation::{Rotated, Rotation};
pub use settings::Settings;
pub use streaming::Streaming;
#[cfg(feature = "rustls")]
pub use tls::Tls;
pub use tunnel::Tunnels;
pub use unseen::{Unseen, idempotent, is_unseen, worth_repeating};
pub use upstream::{Speaks, Upstream};

use hop::Hop;
use present::Present;

/// Sends the request on, and gives the reply, or breaks with the reason why there is none. Both bodies are streamed.
///
/// It takes the request's head and body (a `B`), and asks for the [`Sender`] (an `S`). `P` picks the upstream. If `P`
/// is `ByLease`, an earlier node has picked it. See the [module](self) for its promises, [`Settings`] for its settings,
/// and [`Repeatable`] for a block that may run again.
///
/// Memory that is kept between requests is pooled: once warm, a request allocates only what hyper does, and two
/// objects: the future that sends it, and what waits for its reply.
pub struct Forward<P, B: Send, S = Client> {
    pick: P,
    hop: Hop<B>,
    senders: PhantomData<fn(&S)>,
}

/// A body that can be passed on.
pub trait Sendable: http_body::Body<Data = Bytes, Error: Into<Cause>> + Send + Unpin + 'static {}

impl<B: http_body::Body<Data = Bytes, Error: Into<Cause>> + Send + Unpin + 'static> Sendable for B {}

#[node(crate = crate)]
impl<P: Pick, B: Sendable, S: Sender> Forward<P, B, S> {
    /// Forwards to these upstreams, with the usual [`Settings`].
    pub fn to(pick: P) -> Self {
        Self::new(pick, Settings::default())
    }

    /// Forwards to these upstreams.
    pub fn new(pick: P, settings: Settings) -> Self {
        Self { pick, hop: Hop::new(settings), senders: PhantomData }
    }

    /// What picks the upstream.
    pub const fn upstreams(&self) -> &P {
        &self.pick
    }

    /// Passes the request on. See [`Forward`].
    ///
    /// # Errors
    ///
    /// The reason why there is no reply. The client can be told, except for [`Error::Gone`].
    pub async fn enter(&self, request: Parts, body: B, sender: &S) -> Result<Response<Body>, Error> {
        Ok(self.hop.pass_on(&self.pick, request, body, sender).await?.go())
    }
}

impl<P, B: Send, S> Forward<P, B, S> {
    /// Makes a node for a block that may run again: it borrows the request, and reads up to so many bytes of the reply
    /// ahead.
    pub fn repeatable(self, reads_ahead: u64) -> Repeatable<P, B, S> {
        Repeatable { forward: self, reads_ahead }
    }
}

impl<P: fmt::Debug, B: Send, S> fmt::Debug for Forward<P, B, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forward")
            .field("pick", &self.pick)
            .field("settings", &self.hop.settings)
            .finish_non_exhaustive()
    }
}

/// Breaks if [`Forward`] would refuse the request for its target, its host or its framing. It is for a chain that
/// decides by the host or the path, or reads the body, before it forwards. It provides nothing.
///
/// # Errors
///
/// The error in the request.
#[node(crate = crate)]
pub fn sound(request: &Parts) -> Result<(), BadRequest> {
    framing::check_request(request, Present::of(&request.headers))?;
    target::check(request)
}

/// [`Forward`] for a block that may run again, for example under [`Retry`](crate::around::Retry). It borrows the
/// request's head and its body, a `B` that can be cloned. It reads the reply ahead, so that a reply that breaks off
/// midway can still be tried again. A longer reply is streamed after that point. A reply to a method that is not
/// idempotent, and a stream of events (`text/event-stream`, gRPC), is streamed from its beginning.
///
/// A copy of the head is allocated for each try.
pub struct Repeatable<P, B: Send, S = Client> {
    forward: Forward<P, B, S>,
    reads_ahead: u64,
}

#[node(crate = crate)]
impl<P: Pick, B: Sendable + Clone, S: Sender> Repeatable<P, B, S> {
    /// What picks the upstream.
    pub const fn upstreams(&self) -> &P {
        &self.forward.pick
    }

    /// Passes the request on. See [`Repeatable`].
    ///
    /// # Errors
    ///
    /// The reason why there is no reply, or no complete one.
    pub async fn enter(&self, request: &Parts, body: &B, sender: &S) -> Result<Response<Body>, Error> {
        self.pass_on(&self.forward.pick, request, body, sender).await
    }
}

impl<P, B: Sendable + Clone, S: Sender> Repeatable<P, B, S> {
    async fn pass_on(&self, pick: &impl Pick, request: &Parts, body: &B, sender: &S) -> Result<Response<Body>, Error> {
        let answered = self.forward.hop.pass_on(pick, request.clone(), body.clone(), sender).await?;
        if !request.method.is_idempotent() {
            return Ok(answered.go());
        }
        Ok(answered.gathered(self.reads_ahead).await?.go())
    }
}

impl<P: fmt::Debug, B: Send, S> fmt::Debug for Repeatable<P, B, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repeatable").field("forward", &self.forward).field("reads_ahead", &self.reads_ahead).finish()
    }
}

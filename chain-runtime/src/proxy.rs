//! A forwarding node: what a gateway's owner does not want to write.
//!
//! [`Forward`] sends the request on to an upstream and gives its reply, both bodies streamed. Everything else, who may pass, how often, what is
//! logged, is other nodes of the chain. [`server::Server`] takes the connections of clients.
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
//! `examples/forward.rs` is that, whole; `examples/gateway` and `examples/edge` are what grows from it.
//!
//! # What is promised
//!
//! - **Framing is derived.** What is sent has the length or the coding of the body that is sent. A reply with a length and a coding, with
//!   several lengths, or with a coding that is not `chunked` is a 502, and its connection is not used again.
//! - **The head is what the RFCs say** of a hop: `Host` once and in good form, targets in their four forms, `Max-Forwards`, `TE`, `Expect`,
//!   `Connection` and what it names, `Via` with loops refused, one `Cookie`, trailers without what may not stand there.
//! - **Identity cannot be forged.** `Forwarded`, `X-Forwarded-*`, and what a [`Sender`] states are the only fields of their names in any spelling
//!   that a server may take for them, in the head and in trailers. What cannot be said in a field is refused.
//! - **Nothing waits for ever**: see [`Limits`].
//! - **A request is sent twice** only where nothing of it was seen: no connection was made, or the upstream said over HTTP/2 that it has not dealt with it; or where the
//!   method is safe, its body was not begun, and the connection had been kept from before.
//!
//! The table of what the RFCs ask of a proxy, with the test for each, is `tests/proxy/CONFORMANCE.md`.
//!
//! # Who is asked
//!
//! Who picks is a [`Pick`]. A [`Rotation`] is a fixed group that takes turns. With the feature `upstream`, an `upstream::Pick` of a registry's members is one: who is there changes while
//! it runs, a request goes on to another member where one takes no connection, and each way in which a try ends is told as a typed outcome. Where a chain has more to do with the pick
//! than that (a key of the request, a block that runs again), the pick is a node of its own, and the forwarding node borrows its lease: `ByLease`.
//!
//! An [`Upstream`] has a name, may have an address, and has its own connections. `WarmCheck` asks members how they are over these.
//!
//! What a reply's body, or a tunnel, still has to carry is a request in flight: a member is drained when the last of it has come.
//!
//! # What is not passed on
//!
//! - Interim replies (1xx) but `100 Continue` and `101`: hyper's server has no way to send them. A client that sends `Expect: 100-continue` gets
//!   its `100` when the upstream, or its silence, asks for the body.
//! - `CONNECT`: this is no forward proxy. Over HTTP/2 there is no upgrade (RFC 8441).
//! - The reason of a status line.

use core::fmt;
use core::marker::PhantomData;

use bytes::Bytes;
use chain_macros::node;
use http::Response;
use http::request::Parts;

mod answer;
mod answered;
mod body;
#[cfg(feature = "upstream")]
mod by_lease;
#[cfg(feature = "upstream")]
mod check;
mod client;
mod connections;
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
mod pace;
mod paths;
mod pick;
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

/// Sends the request on, and gives the reply, or breaks with why there is none. Both bodies are streamed.
///
/// It takes the request's head and its body (a `B`), and asks for the [`Sender`] (an `S`). Who picks the upstream is the `P`; where that is `ByLease`, a node before it has.
/// See the [module](self) for what it promises, [`Settings`] for what can be told to it, and [`Repeatable`] for a block that may run again.
///
/// What is kept between requests is pooled: once warm, a request allocates what hyper's client does, and no more.
pub struct Forward<P, B: Send, S = Client> {
    pick: P,
    hop: Hop<B>,
    senders: PhantomData<fn(&S)>,
}

/// What a body has to be to be passed on.
pub trait Sendable: http_body::Body<Data = Bytes, Error: Into<Cause>> + Send + Unpin + 'static {}

impl<B: http_body::Body<Data = Bytes, Error: Into<Cause>> + Send + Unpin + 'static> Sendable for B {}

#[node(crate = crate)]
impl<P: Pick, B: Sendable, S: Sender> Forward<P, B, S> {
    /// To these upstreams, with the usual [`Settings`].
    pub fn to(pick: P) -> Self {
        Self::new(pick, Settings::default())
    }

    /// To these upstreams.
    pub fn new(pick: P, settings: Settings) -> Self {
        Self { pick, hop: Hop::new(settings), senders: PhantomData }
    }

    /// Who picks the upstream.
    pub const fn upstreams(&self) -> &P {
        &self.pick
    }

    /// Passes the request on. See [`Forward`].
    ///
    /// # Errors
    ///
    /// Why there is no reply. The client can be told, but for [`Error::Gone`].
    pub async fn enter(&self, request: Parts, body: B, sender: &S) -> Result<Response<Body>, Error> {
        Ok(self.hop.pass_on(&self.pick, request, body, sender).await?.go())
    }
}

impl<P, B: Send, S> Forward<P, B, S> {
    /// For a block that may run again: the request is borrowed, and the reply is read ahead up to so many bytes.
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

/// Breaks where [`Forward`] would refuse the request for its target, its host or its framing: for a chain that decides by the host or the path, or
/// reads the body, before it comes to that. Provides nothing.
///
/// # Errors
///
/// What is wrong with the request.
#[node(crate = crate)]
pub fn sound(request: &Parts) -> Result<(), BadRequest> {
    framing::check_request(request)?;
    target::check(request)
}

/// [`Forward`] for a block that may run again, under [`Retry`](crate::around::Retry) say: it borrows the request's head and its body, a `B` that
/// can be cloned, and reads the reply ahead, so that one that breaks off midway can still be tried again. A longer reply is streamed after that, and a
/// reply to a method that is not idempotent, or a stream of events (`text/event-stream`, gRPC) from its beginning.
///
/// A copy of the head is allocated for each try.
pub struct Repeatable<P, B: Send, S = Client> {
    forward: Forward<P, B, S>,
    reads_ahead: u64,
}

#[node(crate = crate)]
impl<P: Pick, B: Sendable + Clone, S: Sender> Repeatable<P, B, S> {
    /// Who picks the upstream.
    pub const fn upstreams(&self) -> &P {
        &self.forward.pick
    }

    /// Passes the request on. See [`Repeatable`].
    ///
    /// # Errors
    ///
    /// Why there is no reply, or no whole one.
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

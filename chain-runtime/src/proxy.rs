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
//! - **A request is sent twice** only where nothing of it was seen: no connection was made; or where the method is safe, its body was not
//!   begun, and the connection had been kept from before.
//!
//! The table of what the RFCs ask of a proxy, with the test for each, is `tests/proxy/CONFORMANCE.md`.
//!
//! # What is not passed on
//!
//! - Interim replies (1xx) but `100 Continue` and `101`: hyper's server has no way to send them. A client that sends `Expect: 100-continue` gets
//!   its `100` when the upstream, or its silence, asks for the body.
//! - `CONNECT`: this is no forward proxy. Over HTTP/2 there is no upgrade (RFC 8441).
//! - The reason of a status line.

use core::fmt;
use core::marker::PhantomData;
use core::pin::pin;
use std::sync::Arc;
use std::vec::Vec;

use ::hyper::body::Incoming;
use bytes::Bytes;
use chain_macros::node;
use http::header::{CONTENT_TYPE, EXPECT, HOST};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, Version};
use tokio::time::{Instant, sleep_until};

use crate::framing::Asked;
use crate::{Pool, Reset};

mod answer;
mod body;
mod client;
mod connections;
mod error;
mod fields;
mod forwarded;
mod framing;
mod identity;
mod limits;
mod pace;
mod paths;
mod pick;
mod rendered;
pub mod server;
mod settings;
mod target;
mod text;
#[cfg(feature = "rustls")]
mod tls;
mod tunnel;
mod upgrade;
mod upload;
mod upstream;
mod words;

pub use body::{Body, BrokenReply};
pub use client::Client;
pub use error::{BadReply, BadRequest, Cause, Error};
pub use identity::{Sender, Statements, Unstatable};
pub use limits::{Limits, Rate};
pub use paths::Paths;
pub use pick::{Outcome, Pick, Rotated, Rotation, Turn};
pub use rendered::{Rendered, Renderer};
pub use settings::Settings;
#[cfg(feature = "rustls")]
pub use tls::Tls;
pub use tunnel::Tunnels;
pub use upstream::{Speaks, Upstream};

use body::Relay;
use connections::{Connections, Link};
use pace::{Pace, later};
use text::Text;
use upgrade::Wish;
use upload::{Passage, Upload};

/// Sends the request on, and gives the reply, or breaks with why there is none. Both bodies are streamed.
///
/// It takes the request's head and its body (a `B`), and asks for the [`Sender`] (an `S`). Who picks the upstream is the `P`.
/// See the [module](self) for what it promises, [`Settings`] for what can be told to it, and [`Repeatable`] for a block that may run again.
///
/// What is kept between requests is pooled: once warm, a request allocates what hyper's client does, and no more.
pub struct Forward<P, B: Send, S = Client> {
    pick: P,
    settings: Settings,
    connections: Connections<B>,
    scratches: Pool<Scratch<B>>,
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
        let connections = Connections::new(
            &settings.limits,
            #[cfg(feature = "rustls")]
            settings.tls.clone().map(|tls| tls.connector(settings.keeps_host)),
        );
        Self { pick, settings, connections, scratches: Pool::default(), senders: PhantomData }
    }

    /// Who picks the upstream.
    pub const fn upstreams(&self) -> &P {
        &self.pick
    }

    /// For a block that may run again: the request is borrowed, and the reply is read ahead up to so many bytes.
    pub fn repeatable(self, reads_ahead: u64) -> Repeatable<P, B, S> {
        Repeatable { forward: self, reads_ahead }
    }

    /// Passes the request on. See [`Forward`].
    ///
    /// # Errors
    ///
    /// Why there is no reply. The client can be told, but for [`Error::Gone`].
    pub async fn enter(&self, request: Parts, body: B, sender: &S) -> Result<Response<Body>, Error> {
        self.pass_on(request, body, sender).await
    }

    async fn pass_on(&self, mut request: Parts, body: B, sender: &S) -> Result<Response<Body>, Error> {
        let limits = &self.settings.limits;
        let until = limits.whole.map(|whole| later(Instant::now(), whole));
        let mut scratch = self.scratches.get();
        let Scratch { text, kept, passage } = &mut *scratch;
        text.make_room();

        if request.headers.len() > limits.fields {
            return Err(BadRequest::Fields.into());
        }
        framing::check_request(&request)?;
        let target = target::read(&request, text)?;
        if self.settings.via.is_in(&request.headers) {
            return Err(Error::Loop);
        }
        if let Some(reply) = answer::answer(&mut request)? {
            return Ok(reply);
        }
        if body.size_hint().lower() > limits.body {
            return Err(Error::TooLarge);
        }
        let has_body = !body.is_end_stream();
        let waits = expects_continue(&request, has_body)?;
        let wish =
            self.settings.tunnels.as_ref().and_then(|tunnels| Some((tunnels, Wish::of(&mut request, has_body)?)));
        self.compose(&mut request, target.host.as_ref(), sender, text)?;
        framing::frame_request(&mut request, &body);
        if let Some((_, wish)) = &wish {
            wish.say(&mut request.headers);
        }
        if waits {
            request.headers.insert(EXPECT, HeaderValue::from_static("100-continue"));
        }

        let method = request.method.clone();
        let may_repeat = method.is_safe() || self.pick.len() > 1;
        kept.keep(&request.headers, may_repeat);
        // Who picks sees the same request each time. Its memory is shared.
        let uri = if may_repeat { request.uri.clone() } else { Uri::default() };
        let passage = Passage::renew(passage, body);
        let mut head = Some(request);
        let (mut refusals, mut is_stale) = (0, false);
        let (mut reply, turn) = loop {
            let mut request = match head.take() {
                Some(request) => request,
                None => kept.again(&method, &uri),
            };
            let turn = self.pick.pick(&request).ok_or(Error::NoUpstream)?;
            let speaks = turn.upstream().speaks();
            self.address(&mut request, turn.upstream(), target.path.clone(), target.host.as_ref())?;
            let upload =
                Upload::new(&passage, &self.settings.reserved, limits, until, waits && speaks == Speaks::Http1);
            let mut request = Request::from_parts(request, upload);
            if waits {
                let passage = Arc::clone(&passage);
                ::hyper::ext::on_informational(&mut request, move |interim| {
                    if interim.status() == StatusCode::CONTINUE {
                        passage.go_on();
                    }
                });
            }
            match self.ask(turn.upstream(), request, &passage, until, is_stale).await {
                Ok(reply) => break (reply, turn),
                Err(Failed { error, is_unseen, was_kept }) => {
                    let is_untouched = passage.is_untouched() && may_repeat;
                    // The upstream closed a connection that it had kept open, just then: it is not in trouble.
                    if was_kept && !is_stale && is_untouched && method.is_safe() && matches!(error, Error::Broken(_)) {
                        is_stale = true;
                        turn.ended(Outcome::Client);
                        continue;
                    }
                    turn.ended(if error.is_upstreams() { Outcome::Failed } else { Outcome::Client });
                    refusals += 1;
                    if is_unseen && is_untouched && refusals < self.pick.len() {
                        continue;
                    }
                    return Err(error);
                }
            }
        };
        let link = reply.extensions_mut().remove::<Link>();
        if let Some(link) = &link {
            link.served();
        }
        let status = reply.status();
        let reply = self.give(reply, &method, wish, until);
        turn.ended(if reply.as_ref().is_err_and(Error::is_upstreams) {
            Outcome::Failed
        } else {
            Outcome::Replied(status)
        });
        // What comes by this connection after that is nothing that another request's reply may begin with.
        if let (Err(_), Some(link)) = (&reply, &link) {
            link.poison();
        }
        reply
    }

    /// Rewrites the head where it stands, but for what depends on the upstream.
    fn compose(
        &self,
        request: &mut Parts,
        host: Option<&HeaderValue>,
        sender: &S,
        text: &mut Text,
    ) -> Result<(), Error> {
        let Settings { reserved, via, .. } = &self.settings;
        let headers = &mut request.headers;
        let trailers = fields::accepts_trailers(headers);
        fields::remove_hop_by_hop(headers);
        headers.remove(EXPECT);
        if trailers {
            fields::accept_trailers(headers);
        }
        fields::join_cookies(headers, text);
        let client = sender.client();
        let peer = client.peer().map(|peer| peer.ip().to_canonical());
        forwarded::add(headers, reserved, peer, host, client.scheme(), text);
        sender.state(&mut Statements { headers, reserved, text })?;
        via.add(headers, request.version);
        request.version = Version::HTTP_11;
        // What the server noted for itself means something else to the client.
        request.extensions.clear();
        Ok(())
    }

    /// Says for which upstream it is.
    fn address(
        &self,
        request: &mut Parts,
        upstream: &Upstream,
        path: PathAndQuery,
        host: Option<&HeaderValue>,
    ) -> Result<(), Error> {
        let host = match host {
            Some(host) if self.settings.keeps_host => host.clone(),
            _ => upstream.host(),
        };
        request.headers.insert(HOST, host);
        request.uri = upstream.uri(path).map_err(|_| BadRequest::Target)?;
        // Over HTTP/2 the host is said in the target; a field beside it that differs would be malformed (RFC 9113, 8.3.1).
        if upstream.speaks() == Speaks::Http2 {
            request.version = Version::HTTP_2;
            request.headers.remove(HOST);
        }
        Ok(())
    }

    /// Sends the request and waits for the head of the reply, as long as something moves; `anew`, on a connection that was not there before.
    async fn ask(
        &self,
        upstream: &Upstream,
        request: Request<Upload<B>>,
        passage: &Passage<B>,
        until: Option<Instant>,
        anew: bool,
    ) -> Result<Response<Incoming>, Failed> {
        let patience = self.settings.limits.first_byte;
        let mut reply = self.connections.send(upstream, request, anew);
        let by = || {
            let by = later(passage.last(), patience);
            until.map_or(by, |until| by.min(until))
        };
        let mut timer = pin!(sleep_until(by()));
        loop {
            tokio::select! {
                biased;
                reply = &mut reply => return reply.map_err(|error| match passage.fault() {
                    Some(error) => Failed { error, is_unseen: false, was_kept: false },
                    None => Failed::from(error),
                }),
                () = &mut timer => {
                    let (now, by) = (Instant::now(), by());
                    if by <= now {
                        let error = match until {
                            Some(until) if until <= now => Error::Expired,
                            _ if passage.is_starved() => Error::SlowClient,
                            _ => Error::Silent,
                        };
                        return Err(Failed { error, is_unseen: false, was_kept: false });
                    }
                    // While the body went on, so did the clock.
                    timer.as_mut().reset(by);
                }
            }
        }
    }

    /// Makes the reply for the client of the upstream's.
    fn give(
        &self,
        reply: Response<Incoming>,
        method: &Method,
        wish: Option<(&Tunnels, Wish)>,
        until: Option<Instant>,
    ) -> Result<Response<Body>, Error> {
        let Settings { limits, reserved, via, .. } = &self.settings;
        let (mut head, incoming) = reply.into_parts();
        framing::check_reply(&mut head, method)?;
        let spoken = head.version;
        let granted = wish.as_ref().and_then(|(_, wish)| wish.granted(&head.headers));
        fields::remove_hop_by_hop(&mut head.headers);
        via.add(&mut head.headers, spoken);
        head.version = Version::HTTP_11;
        if head.status == StatusCode::SWITCHING_PROTOCOLS {
            let upstream = head.extensions.remove::<::hyper::upgrade::OnUpgrade>();
            let (Some((tunnels, wish)), Some(protocol), Some(upstream)) = (wish, granted, upstream) else {
                return Err(BadReply::Switch.into());
            };
            let place = tunnels.place().ok_or(Error::Tunnels)?;
            let told = crate::tailed::Tunnel::default();
            place.carry(wish.client, upstream, told.clone());
            upgrade::say_granted(&mut head.headers, protocol);
            head.extensions.clear();
            head.extensions.insert(told);
            return Ok(Response::from_parts(head, Body::empty()));
        }
        head.extensions.clear();
        if !Asked::new(method, spoken).has_content(head.status) {
            return Ok(Response::from_parts(head, Body::empty()));
        }
        let rate = limits.download.filter(|_| !is_stream_of_events(&head.headers));
        let pace = Pace::new(limits.silence, rate, until);
        let relay = Relay::new(incoming, Arc::clone(reserved), pace);
        Ok(Response::from_parts(head, Body::relayed(relay)))
    }
}

impl<P: fmt::Debug, B: Send, S> fmt::Debug for Forward<P, B, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forward").field("pick", &self.pick).field("settings", &self.settings).finish_non_exhaustive()
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
        let may_run_again = request.method.is_idempotent();
        let (head, body) = self.forward.pass_on(request.clone(), body.clone(), sender).await?.into_parts();
        if !may_run_again || is_stream_of_events(&head.headers) {
            return Ok(Response::from_parts(head, body));
        }
        let body = body.gathered(self.reads_ahead).await.map_err(|broken| match broken {
            BrokenReply::Ended(cause) => Error::Broken(cause),
            BrokenReply::Expired => Error::Expired,
            _ => Error::Silent,
        })?;
        Ok(Response::from_parts(head, body))
    }
}

impl<P: fmt::Debug, B: Send, S> fmt::Debug for Repeatable<P, B, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repeatable").field("forward", &self.forward).field("reads_ahead", &self.reads_ahead).finish()
    }
}

/// Why a try gave no reply.
struct Failed {
    error: Error,
    /// The upstream has seen nothing of the request.
    is_unseen: bool,
    /// The connection had been kept from before.
    was_kept: bool,
}

impl From<hyper_util::client::legacy::Error> for Failed {
    fn from(error: hyper_util::client::legacy::Error) -> Self {
        let was_kept = connections::was_kept(&error);
        let error = connections::failed(error);
        Self { is_unseen: matches!(error, Error::Refused(_)), was_kept, error }
    }
}

/// Whether the client waits for `100 Continue` before it sends its body. HTTP/1.0 knows no expectations (RFC 9110, 10.1.1).
fn expects_continue(request: &Parts, has_body: bool) -> Result<bool, BadRequest> {
    if request.version == Version::HTTP_10 {
        return Ok(false);
    }
    let mut expectations = request.headers.get_all(EXPECT).iter().flat_map(|line| words::words(line.as_bytes()));
    if !expectations.all(|expectation| expectation.eq_ignore_ascii_case(b"100-continue")) {
        return Err(BadRequest::Expectation);
    }
    Ok(has_body && request.headers.contains_key(EXPECT))
}

/// Whether there may be nothing to say for a long time.
fn is_stream_of_events(reply: &HeaderMap) -> bool {
    let kind = reply.get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let begins = |with: &[u8]| kind.get(..with.len()).is_some_and(|kind| kind.eq_ignore_ascii_case(with));
    begins(b"text/event-stream") || begins(b"application/grpc")
}

/// What is made for one request after another in the same memory.
struct Scratch<B> {
    text: Text,
    kept: Kept,
    passage: Option<Arc<Passage<B>>>,
}

impl<B> Default for Scratch<B> {
    fn default() -> Self {
        Self { text: Text::default(), kept: Kept::default(), passage: None }
    }
}

impl<B: Send> Reset for Scratch<B> {
    fn reset(&mut self) {
        self.kept.clear();
        if let Some(passage) = self.passage.as_mut().and_then(Arc::get_mut) {
            passage.clear();
        }
    }

    fn trim(&mut self, limit: usize) {
        if self.kept.names.capacity() + self.kept.fields.capacity() * size_of::<(usize, HeaderValue)>() > limit {
            self.kept = Kept::default();
        }
    }
}

/// The fields of a request that may have to be sent again. The memory of the values is shared with those that are sent; a name that is not one of
/// HTTP's own is copied, since to share it would allocate.
#[derive(Default)]
struct Kept {
    names: Vec<u8>,
    /// How long the name is, and the value.
    fields: Vec<(usize, HeaderValue)>,
}

impl Kept {
    fn keep(&mut self, headers: &HeaderMap, is_wanted: bool) {
        self.clear();
        if is_wanted {
            for (name, value) in headers {
                self.names.extend_from_slice(name.as_str().as_bytes());
                self.fields.push((name.as_str().len(), value.clone()));
            }
        }
    }

    /// The head, once more, with the client's target.
    fn again(&self, method: &Method, uri: &Uri) -> Parts {
        let (mut parts, ()) = Request::new(()).into_parts();
        parts.method = method.clone();
        parts.uri = uri.clone();
        parts.headers.reserve(self.fields.len());
        let mut names = &self.names[..];
        for (length, value) in &self.fields {
            let (name, rest) = names.split_at(*length);
            names = rest;
            if let Ok(name) = HeaderName::from_bytes(name) {
                parts.headers.append(name, value.clone());
            }
        }
        parts
    }

    fn clear(&mut self) {
        self.names.clear();
        self.fields.clear();
    }
}

//! One line for each request, also if it is refused, cancelled or broken off. No request waits for a line to be
//! written.
//!
//! [`AccessLog`] stands **first** in the chain, and provides the [`Visit`]. Later nodes add to the visit through
//! `&Visit`: the node [`log_user()`] adds the user. A log that may be shed provides an `Option<Visit>`, for which a
//! node of your own asks.
//!
//! ```
//! use chain_runtime::nodes::access_log::{AccessLog, Entry, Lines, log_user};
//! use chain_runtime::nodes::{Peer, User};
//! use chain_runtime::tailed::Tailed;
//! use chain_runtime::{chain, node};
//! use http::{Request, Response, request::Parts};
//! use http_body_util::Full;
//! use bytes::Bytes;
//!
//! /// The entry goes with the reply's body, to the body's end.
//! type Reply = Response<Tailed<Full<Bytes>, Option<Entry>>>;
//!
//! #[node]
//! fn auth() -> User {
//!     User::new("alice").unwrap()
//! }
//!
//! #[node]
//! fn answer() -> Response<Full<Bytes>> {
//!     Response::new("hello".into())
//! }
//!
//! chain! {
//!     struct Site { log: AccessLog }
//!     fn(request: Parts, peer: Peer) -> Reply { log => auth => log_user => answer }
//! }
//!
//! let site = Site { log: AccessLog::new(Lines::to(std::io::sink())) };
//! # use http_body_util::BodyExt as _;
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let reply = site.run(Request::new(()).into_parts().0, Peer::from(std::net::IpAddr::from([127, 0, 0, 1])));
//! reply.into_body().collect().await.unwrap(); // writes the line
//! # });
//! ```
//!
//! ```text
//! 2026-11-28T06:32:13.000001Z  INFO request method="GET" path="/x" status=200 by="upstream" bytes=5 ms=0.312 user="alice" id="5e1f0a2c-000001" peer=127.0.0.1 outcome="done"
//! ```
//!
//! | field | |
//! | --- | --- |
//! | `path` | without the query, in which secrets may be sent that do not belong into logs |
//! | `status` | of the head that was sent; absent if the client left before there was one |
//! | `by` | whose reply it is: that of the `gateway`, if a node broke, or of the `upstream`, if the last node gave it; [`by`](AccessLog::by) sets both words |
//! | `ended` | the node that broke; absent if the last one gave the reply |
//! | `bytes` | of the body, counted when the server takes them to send them, without the head and the framing; if the request was broken off, the kernel may have taken fewer |
//! | `received` | of a tunnel: the bytes from the client |
//! | `ms` | from the entering of the node to the end of the reply's body |
//! | `user` | as `log_user` says; absent before that |
//! | `id` | the value of the request's field: put [`RequestIds`](super::request_id) before the log |
//! | `outcome` | see below |
//!
//! | outcome | |
//! | --- | --- |
//! | `done` | all of the reply was taken, including its trailers |
//! | `refused` | a node broke with a 4xx |
//! | `cancelled` | the client left, or the server stopped |
//! | `cut` | a limit of this server ended it: see [`Visit::cut_by`] |
//! | `broken` | the reply's body failed midway, mostly because the upstream did |
//! | `panicked` | a node or the body panicked |
//! | `tunnel` | it became a tunnel, which has ended: see [`Tunnel`], which is in the reply's extensions |
//! | `malformed` | it was not a request: see [`AccessLog::malformed`] |
//!
//! A field takes at most [`MAX_PATH`], [`MAX_NAME`], .. bytes in the line. A longer value is cut, and ends with `…`.
//! Quotes, backslashes and unprintable characters are escaped. So a line is shorter than 1,500 bytes, and the 4,096
//! lines that may wait take at most 6 MB.
//!
//! # Why not tracing
//!
//! A subscriber of tracing that writes to stdout blocks the thread that logs, so a stdout that is not read stops the
//! server. tracing-appender's `NonBlocking` loses lines instead, as [`Lines`] does. But it makes a new `Vec` for each
//! of its 128,000 lines, and does not say in the log that lines are missing.

use core::fmt;
use core::fmt::Write as _;
use std::sync::OnceLock;
use std::time::Instant;

use http::request::Parts;
use http::{HeaderName, Method, Response, StatusCode};
use http_body::Body;

use super::{MAX_NAME, Peer, Reply, User};
use crate::describe::Ending;
use crate::node;
use crate::pool::Lease;
#[cfg(feature = "proxy")]
use crate::proxy::Client;
pub use crate::tailed::Cut;
use crate::tailed::{Holds, Tailed, Tunnel};
use text::shown;

mod entry;
mod lines;
mod text;

pub use entry::Entry;
use entry::{Outcome, Page, Record, Replied, begin};
pub use lines::{LINES, Lines, MAX_LINE};

/// The most bytes of a path in a line.
pub const MAX_PATH: usize = 512;
/// The most bytes of the error for a malformed request.
const MAX_ERROR: usize = 256;

/// The node that writes the lines. See the [module](self).
#[derive(Clone, Debug)]
pub struct AccessLog {
    lines: Lines,
    id: HeaderName,
    own: &'static str,
    last: &'static str,
}

impl AccessLog {
    /// A log that writes to these lines.
    #[must_use]
    pub const fn new(lines: Lines) -> Self {
        Self { lines, id: HeaderName::from_static("x-request-id"), own: "gateway", last: "upstream" }
    }

    /// A log on stdout.
    ///
    /// # Panics
    ///
    /// If no thread can be started.
    #[must_use]
    pub fn stdout() -> Self {
        Self::new(Lines::stdout())
    }

    /// Sets the words of `by`: for a reply that a node broke with, and for one that the last node gave.
    #[must_use]
    pub const fn by(mut self, own: &'static str, last: &'static str) -> Self {
        (self.own, self.last) = (own, last);
        self
    }

    /// The field in which the request's id is.
    #[must_use]
    pub fn id_field(mut self, field: HeaderName) -> Self {
        self.id = field;
        self
    }

    /// Where the log writes to.
    #[must_use]
    pub const fn lines(&self) -> &Lines {
        &self.lines
    }

    /// The visit of a request, for a server that replies before there is a chain: [`refused`](Self::refused) writes its
    /// line.
    #[must_use]
    pub fn visit(&self, request: &Parts, peer: Peer) -> Visit {
        Visit(Some(self.lines.page(Record {
            began: Instant::now(),
            method: request.method.clone(),
            path: request.uri.path_and_query().cloned(),
            id: request.headers.get(&self.id).cloned(),
            user: OnceLock::new(),
            peer,
            cut: OnceLock::new(),
            lines: self.lines.clone(),
            reply: None,
            sent: 0,
            received: None,
            outcome: Outcome::Cancelled,
        })))
    }

    /// Makes the line go with a reply of the server itself, which no chain gave.
    pub fn refused<R: Follows>(&self, mut visit: Visit, reply: &mut R) {
        visit.go_with(reply, self.own, None, Outcome::Refused);
    }

    /// Writes a line for bytes from a peer that were no request, as the server's library says.
    pub fn malformed(&self, peer: Peer, error: impl fmt::Display) {
        self.lines.line(|line| {
            begin(line);
            let _ = write!(line, " peer={peer} outcome=\"{}\"", Outcome::Malformed.name());
            shown(line, " error=\"", error, MAX_ERROR);
        });
    }
}

#[node(crate = crate)]
impl AccessLog {
    /// Provides the visit.
    pub fn enter(&self, request: &Parts, peer: &Peer) -> Visit {
        self.visit(request, *peer)
    }

    /// Makes the line go with the reply's body.
    pub fn exit<R: Follows>(&self, visit: &mut Visit, ending: &Ending, reply: &mut R) {
        let (by, outcome) = match ending.is_cut_short() {
            true if reply.status().is_client_error() => (self.own, Outcome::Refused),
            true => (self.own, Outcome::Cancelled),
            false => (self.last, Outcome::Cancelled),
        };
        let ended = ending.is_cut_short().then(|| ending.by().name);
        visit.go_with(reply, by, ended, outcome);
    }

    /// Writes the line.
    pub fn cancelled(&self, visit: &Visit) {
        if let Some(record) = visit.record() {
            record.line();
        }
    }
}

/// Tells the log who the user is. It stands after the node that provides the user.
#[node(crate = crate)]
pub fn log_user(user: &User, visit: &Visit) {
    visit.user(user);
}

/// Tells the log what cuts the connection, so that a request that a limit of the [server](crate::proxy::server) ends is
/// `cut`, and not `cancelled`. It stands after the log.
#[cfg(feature = "proxy")]
#[node(crate = crate)]
pub fn log_cut(client: &Client, visit: &Visit) {
    visit.cut_by(client.cut());
}

/// A request, as the log sees it. The parts that are copied out of the head share its memory, except for a method that
/// is not one of HTTP's own.
#[derive(Debug)]
pub struct Visit(
    /// `None` after it was handed to the reply that the line goes with.
    Option<Lease<'static, Page>>,
);

impl Visit {
    fn record(&self) -> Option<&Record> {
        self.0.as_ref().and_then(|page| page.record())
    }

    /// Sets the user. Only the first call counts.
    pub fn user(&self, user: &User) {
        if let Some(record) = self.record() {
            record.user.get_or_init(|| user.clone());
        }
    }

    /// If the cut is signalled before the line is written, and the request did not come to its end, its outcome is
    /// `cut`. This is for a limit that ends requests from outside of the chain, such as that of a connection whose
    /// client does not read. Only the first call counts.
    pub fn cut_by(&self, cut: &Cut) {
        if let Some(record) = self.record() {
            record.cut.get_or_init(|| cut.clone());
        }
    }

    /// When the node was entered.
    #[must_use]
    pub fn began(&self) -> Option<Instant> {
        self.record().map(|record| record.began)
    }

    fn go_with<R: Follows>(
        &mut self,
        reply: &mut R,
        by: &'static str,
        ended: Option<&'static str>,
        mut outcome: Outcome,
    ) {
        let Some(mut page) = self.0.take() else { return };
        let Some(record) = page.record_mut() else { return };
        let status = reply.status();
        let is_connect = record.method == Method::CONNECT && status.is_success();
        if status == StatusCode::SWITCHING_PROTOCOLS || is_connect {
            outcome = Outcome::Tunnel;
        }
        let has_content = record.method != Method::HEAD
            && !matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
            && !reply.is_end_stream();
        if outcome == Outcome::Cancelled && !has_content {
            // The server will not poll this body for its end, so a client cannot be seen to leave before it.
            outcome = Outcome::Done;
        }
        record.outcome = outcome;
        record.reply = Some(Replied { status, by, ended });
        reply.follow(Entry(page));
    }
}

/// A reply with which the line can go: an `http::Response<Tailed<B, T>>` whose `T` holds an [`Entry`].
#[diagnostic::on_unimplemented(
    message = "chain[E805]: the line of the log cannot go with `{Self}`",
    label = "its body has no tail that holds an `Entry`",
    note = "let the chain's reply be `http::Response<Tailed<B, Option<Entry>>>`, with `chain_runtime::tailed::Tailed`: replies with the body `B` become that by themselves"
)]
pub trait Follows: Reply {
    /// Whether the body is at its end before it begins.
    fn is_end_stream(&self) -> bool;
    /// Hands over the entry.
    fn follow(&mut self, entry: Entry);
}

impl<B: Body, T: Holds<Entry>> Follows for Response<Tailed<B, T>> {
    fn is_end_stream(&self) -> bool {
        self.body().get_ref().is_end_stream()
    }

    fn follow(&mut self, entry: Entry) {
        match self.extensions().get::<Tunnel>() {
            // The closure captures the whole entry, whose drop writes the line: a closure that names its fields would
            // capture only those.
            Some(tunnel) => tunnel.at_end(move |carried| entry.carried(carried)),
            None => self.body_mut().tail_mut().hold(entry),
        }
    }
}

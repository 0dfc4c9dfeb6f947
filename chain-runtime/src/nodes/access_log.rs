//! One line a request, also for those that are refused, cancelled or broken off, and none that makes anyone wait.
//!
//! [`AccessLog`] stands **first** in the chain, and provides the [`Visit`]. Later nodes add to it through `&Visit`: the node [`log_user()`] does, for
//! who it is. A log that may be shed provides an `Option<Visit>`, which a node of one's own asks for.
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
//! /// The entry goes with the reply's body, to its end.
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
//! | `path` | without the query, which is where secrets are sent that do not belong into logs |
//! | `status` | of the head that was sent; absent where the client left before there was one |
//! | `by` | whose reply it is: the `gateway`'s own, where a node broke, or the last node's, the `upstream`'s; both are called as [`by`](AccessLog::by) says |
//! | `ended` | which node broke; absent where the last one gave the reply |
//! | `bytes` | of the body, counted as the server takes them to send them: not the head, not the framing; for a request that was broken off, what the kernel had taken may be less |
//! | `received` | of a tunnel: the bytes of the other way |
//! | `ms` | from when the node was entered to the end of the reply's body |
//! | `user` | as `log_user` says; absent before that |
//! | `id` | as it stands in the request's field: put [`RequestIds`](super::request_id) before the log |
//! | `outcome` | see below |
//!
//! | outcome | |
//! | --- | --- |
//! | `done` | all of the reply was taken; trailers belong to it |
//! | `refused` | a node broke with a 4xx |
//! | `cancelled` | the client left, or the server stopped |
//! | `cut` | a limit of ours ended it: see [`Visit::cut_by`] |
//! | `broken` | the reply's body failed in the middle, mostly because the upstream did |
//! | `panicked` | a node did, or the body |
//! | `tunnel` | it became a tunnel, which has ended: see [`Tunnel`], which the reply has in its extensions |
//! | `malformed` | it was no request: see [`AccessLog::malformed`] |
//!
//! A field takes [`MAX_PATH`], [`MAX_NAME`], .. bytes at most, as it is written; what is longer is cut, and ends with `…`. Quotes, backslashes
//! and whatever is not printable are escaped. So a line is shorter than 1,500 bytes, and 4,096 of them, which may wait, are 6 MB.
//!
//! # Why not tracing
//!
//! A subscriber of tracing's that writes to stdout blocks the thread that logs, and a stdout that nobody reads stops the server. tracing-appender's `NonBlocking`
//! loses lines instead, as [`Lines`] does, but makes a new `Vec` for each of its 128,000, and does not say in the log that any are missing.

use core::fmt;
use core::fmt::Write as _;
use std::string::String;
use std::sync::OnceLock;
use std::thread;
use std::time::{Instant, SystemTime};

use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode};
use http_body::Body;

use super::{MAX_NAME, Peer, Reply, User};
use crate::describe::Ending;
use crate::node;
#[cfg(feature = "proxy")]
use crate::proxy::Client;
pub use crate::tailed::Cut;
use crate::tailed::{Carried, Holds, Tail, Tailed, Tunnel};
use text::field;

mod lines;
mod text;

pub use lines::{LINES, Lines, MAX_LINE};

/// The most bytes of a path, as it is written.
pub const MAX_PATH: usize = 512;
/// The most bytes of a method.
const MAX_METHOD: usize = 32;
/// The most bytes of an id.
const MAX_ID: usize = 64;
/// The most bytes of what is wrong with a malformed request.
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
    /// A log in these lines.
    #[must_use]
    pub const fn new(lines: Lines) -> Self {
        Self { lines, id: HeaderName::from_static("x-request-id"), own: "gateway", last: "upstream" }
    }

    /// A log on stdout.
    ///
    /// # Panics
    ///
    /// Where no thread can be started.
    #[must_use]
    pub fn stdout() -> Self {
        Self::new(Lines::stdout())
    }

    /// What `by` says of a reply that a node broke with, and of one that the last node gave.
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

    /// Where it writes to.
    #[must_use]
    pub const fn lines(&self) -> &Lines {
        &self.lines
    }

    /// The visit of a request, for a server that replies before there is a chain: [`refused`](Self::refused) writes its line.
    #[must_use]
    pub fn visit(&self, request: &Parts, peer: Peer) -> Visit {
        Visit(Some(Record {
            began: Instant::now(),
            method: request.method.clone(),
            path: request.uri.path_and_query().cloned(),
            id: request.headers.get(&self.id).cloned(),
            user: OnceLock::new(),
            peer,
            cut: OnceLock::new(),
            lines: self.lines.clone(),
        }))
    }

    /// Lets the line go with a reply of the server's own, which no chain gave.
    pub fn refused<R: Follows>(&self, mut visit: Visit, reply: &mut R) {
        visit.go_with(reply, self.own, None, Outcome::Refused);
    }

    /// A line for what came from a peer and was no request, as the server's library says.
    pub fn malformed(&self, peer: Peer, error: impl fmt::Display) {
        self.lines.line(|line| {
            begin(line);
            let _ = write!(line, " peer={peer} outcome=\"{}\"", Outcome::Malformed.name());
            field(line, "error", error, MAX_ERROR);
        });
    }
}

#[node(crate = crate)]
impl AccessLog {
    /// Provides the visit.
    pub fn enter(&self, request: &Parts, peer: &Peer) -> Visit {
        self.visit(request, *peer)
    }

    /// Lets the line go with the reply's body.
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
        if let Some(record) = &visit.0 {
            record.line(None, 0, None, Outcome::Cancelled);
        }
    }
}

/// Tells the log who the user is. It stands after the node that provides it.
#[node(crate = crate)]
pub fn log_user(user: &User, visit: &Visit) {
    visit.user(user);
}

/// Tells the log what the connection is cut by, so that a request that a limit of the [server](crate::proxy::server) ends is `cut`, and not `cancelled`.
/// It stands after the log.
#[cfg(feature = "proxy")]
#[node(crate = crate)]
pub fn log_cut(client: &Client, visit: &Visit) {
    visit.cut_by(client.cut());
}

/// A request, as the log sees it. What is copied out of the head shares its memory, but for a method that is not one of HTTP's own.
#[derive(Debug)]
pub struct Visit(
    /// `None` once it has been handed to what the line goes with.
    Option<Record>,
);

impl Visit {
    /// This user it is. Who says so first is right.
    pub fn user(&self, user: &User) {
        if let Some(record) = &self.0 {
            record.user.get_or_init(|| user.clone());
        }
    }

    /// Where this is said to be cut before the line is written, and the request did not come to its end, its outcome is `cut`. For a limit that ends
    /// requests from outside of the chain, such as that of a connection whose client does not read.
    /// The first that is said counts.
    pub fn cut_by(&self, cut: &Cut) {
        if let Some(record) = &self.0 {
            record.cut.get_or_init(|| cut.clone());
        }
    }

    /// When the node was entered.
    #[must_use]
    pub fn began(&self) -> Option<Instant> {
        self.0.as_ref().map(|record| record.began)
    }

    fn go_with<R: Follows>(
        &mut self,
        reply: &mut R,
        by: &'static str,
        ended: Option<&'static str>,
        mut outcome: Outcome,
    ) {
        let Some(record) = self.0.take() else { return };
        let status = reply.status();
        let is_connect = record.method == Method::CONNECT && status.is_success();
        if status == StatusCode::SWITCHING_PROTOCOLS || is_connect {
            outcome = Outcome::Tunnel;
        }
        let has_content = record.method != Method::HEAD
            && !matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
            && !reply.is_end_stream();
        if outcome == Outcome::Cancelled && !has_content {
            // Nobody will ask this body for its end, so nobody can be seen to leave before it.
            outcome = Outcome::Done;
        }
        reply.follow(Entry { record, by, ended, status, sent: 0, received: None, outcome });
    }
}

/// A reply that the line can go with: an `http::Response<Tailed<B, T>>`, whose `T` holds an [`Entry`].
#[diagnostic::on_unimplemented(
    message = "the line of the log cannot go with `{Self}`",
    label = "its body has no tail that holds an `Entry`",
    note = "let the chain's reply be `http::Response<Tailed<B, Option<Entry>>>`, with `chain_runtime::tailed::Tailed`: replies with the body `B` become that by themselves"
)]
pub trait Follows: Reply {
    /// Whether its body is at its end before it has begun.
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
            // All of it, whose drop writes the line: what a closure names in parts, it captures in parts.
            Some(tunnel) => tunnel.at_end(move |carried| entry.carried(carried)),
            None => self.body_mut().tail_mut().hold(entry),
        }
    }
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Done,
    Refused,
    Cancelled,
    Cut,
    Broken,
    Panicked,
    Tunnel,
    Malformed,
}

impl Outcome {
    const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Cancelled => "cancelled",
            Self::Cut => "cut",
            Self::Broken => "broken",
            Self::Panicked => "panicked",
            Self::Tunnel => "tunnel",
            Self::Malformed => "malformed",
        }
    }
}

/// What is known when the request comes.
#[derive(Debug)]
struct Record {
    began: Instant,
    method: Method,
    path: Option<PathAndQuery>,
    id: Option<HeaderValue>,
    user: OnceLock<User>,
    peer: Peer,
    cut: OnceLock<Cut>,
    lines: Lines,
}

/// A line that is not written yet: it goes with the reply's body, as its [`Tail`], and is written when it is dropped.
#[derive(Debug)]
pub struct Entry {
    record: Record,
    by: &'static str,
    /// The node that broke, if one did.
    ended: Option<&'static str>,
    status: StatusCode,
    sent: u64,
    received: Option<u64>,
    outcome: Outcome,
}

impl Entry {
    /// The body came to its end, this way or that. Who was refused stays so, and what became a tunnel.
    fn ended(&mut self, outcome: Outcome) {
        if self.outcome == Outcome::Cancelled {
            self.outcome = outcome;
        }
    }

    /// The tunnel that it became has ended. Takes the entry, whose line is written here.
    fn carried(mut self, carried: Carried) {
        (self.sent, self.received) = (carried.down, Some(carried.up));
        if carried.was_cut {
            self.outcome = Outcome::Cut;
        }
    }
}

impl Tail for Entry {
    fn sent(&mut self, bytes: usize) {
        self.sent += bytes as u64;
    }

    fn done(&mut self) {
        self.ended(Outcome::Done);
    }

    fn broken(&mut self) {
        self.ended(Outcome::Broken);
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.record.line(Some((self.status, self.by, self.ended)), self.sent, self.received, self.outcome);
    }
}

impl Record {
    fn line(
        &self,
        reply: Option<(StatusCode, &str, Option<&str>)>,
        bytes: u64,
        received: Option<u64>,
        outcome: Outcome,
    ) {
        let outcome = match outcome {
            Outcome::Cancelled if thread::panicking() => Outcome::Panicked,
            Outcome::Cancelled | Outcome::Broken if self.cut.get().is_some_and(Cut::is_cut) => Outcome::Cut,
            outcome => outcome,
        };
        self.lines.line(|line| {
            begin(line);
            field(line, "method", self.method.as_str(), MAX_METHOD);
            field(line, "path", self.path.as_ref().map_or("", PathAndQuery::path), MAX_PATH);
            if let Some((status, by, ended)) = reply {
                let _ = write!(line, " status={} by=\"{by}\"", status.as_u16());
                if let Some(ended) = ended {
                    let _ = write!(line, " ended=\"{ended}\"");
                }
            }
            let _ = write!(line, " bytes={bytes}");
            if let Some(received) = received {
                let _ = write!(line, " received={received}");
            }
            let _ = write!(line, " ms={:.3}", self.began.elapsed().as_secs_f64() * 1_000.0);
            if let Some(user) = self.user.get() {
                field(line, "user", user.name(), MAX_NAME);
            }
            if let Some(id) = &self.id {
                field(line, "id", id.to_str().unwrap_or_default(), MAX_ID);
            }
            let _ = write!(line, " peer={} outcome=\"{}\"", self.peer, outcome.name());
        });
    }
}

fn begin(line: &mut String) {
    let _ = write!(line, "{}  INFO request", humantime::format_rfc3339_micros(SystemTime::now()));
}

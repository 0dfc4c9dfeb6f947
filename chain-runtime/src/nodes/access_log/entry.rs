//! What is known of a request, and the line that is written of it.

use core::fmt::Write as _;
use std::string::String;
use std::sync::OnceLock;
use std::thread;
use std::time::{Instant, SystemTime};

use http::uri::PathAndQuery;
use http::{HeaderValue, Method, StatusCode};
use itoa::Buffer;

use super::lines::Lines;
use super::text::field;
use super::{MAX_NAME, MAX_PATH};
use crate::dotted::write_address;
use crate::nodes::{Peer, User};
use crate::tailed::{Carried, Cut, Tail};

/// The most bytes of a method.
const MAX_METHOD: usize = 32;
/// The most bytes of an id.
const MAX_ID: usize = 64;

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
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
    pub(super) const fn name(self) -> &'static str {
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

/// What is known when the request arrives.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) began: Instant,
    pub(super) method: Method,
    pub(super) path: Option<PathAndQuery>,
    pub(super) id: Option<HeaderValue>,
    pub(super) user: OnceLock<User>,
    pub(super) peer: Peer,
    pub(super) cut: OnceLock<Cut>,
    pub(super) lines: Lines,
}

/// A line that is not written yet: it goes with the reply's body, as its [`Tail`], and is written when it is dropped.
#[derive(Debug)]
pub struct Entry {
    pub(super) record: Record,
    pub(super) by: &'static str,
    /// The node that broke, if a node did.
    pub(super) ended: Option<&'static str>,
    pub(super) status: StatusCode,
    pub(super) sent: u64,
    pub(super) received: Option<u64>,
    pub(super) outcome: Outcome,
}

impl Entry {
    /// The body came to its end, in one way or another. A request that was refused, or became a tunnel, keeps that
    /// outcome.
    fn ended(&mut self, outcome: Outcome) {
        if self.outcome == Outcome::Cancelled {
            self.outcome = outcome;
        }
    }

    /// The request became a tunnel, which has ended. This takes the entry, and so writes its line.
    pub(super) fn carried(mut self, carried: Carried) {
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
    pub(super) fn line(
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
            // Pieces are pushed one by one: the machinery of `write!` takes a third of a line's time.
            if let Some((status, by, ended)) = reply {
                all(line, [" status=", status.as_str(), " by=\"", by, "\""]);
                if let Some(ended) = ended {
                    all(line, [" ended=\"", ended, "\""]);
                }
            }
            all(line, [" bytes=", Buffer::new().format(bytes)]);
            if let Some(received) = received {
                all(line, [" received=", Buffer::new().format(received)]);
            }
            let micros = u64::try_from((self.began.elapsed().as_nanos() + 500) / 1_000).unwrap_or(u64::MAX);
            // The thousand in front keeps the zeros of the fraction.
            let mut fraction = Buffer::new();
            let fraction = &fraction.format(1_000 + micros % 1_000)[1..];
            all(line, [" ms=", Buffer::new().format(micros / 1_000), ".", fraction]);
            if let Some(user) = self.user.get() {
                field(line, "user", user.name(), MAX_NAME);
            }
            if let Some(id) = &self.id {
                field(line, "id", id.to_str().unwrap_or_default(), MAX_ID);
            }
            line.push_str(" peer=");
            let _ = write_address(line, self.peer.ip());
            all(line, [" outcome=\"", outcome.name(), "\""]);
        });
    }
}

fn all<const N: usize>(line: &mut String, pieces: [&str; N]) {
    for piece in pieces {
        line.push_str(piece);
    }
}

pub(super) fn begin(line: &mut String) {
    let _ = write!(line, "{}  INFO request", humantime::format_rfc3339_micros(SystemTime::now()));
}

//! What is known of a request, and the line that is written of it.

use core::cell::RefCell;
use core::fmt::Write as _;
use std::string::String;
use std::sync::OnceLock;
use std::time::{Instant, SystemTime};
use std::{thread, thread_local};

use http::uri::PathAndQuery;
use http::{HeaderValue, Method, StatusCode};
use itoa::Buffer;

use super::lines::Lines;
use super::text::field;
use super::{MAX_NAME, MAX_PATH};
use crate::Reset;
use crate::dotted::write_address;
use crate::nodes::{Peer, User};
use crate::pool::Lease;
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

/// A request, from its arrival to the line.
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
    /// The head of its reply, if there is one.
    pub(super) reply: Option<Replied>,
    pub(super) sent: u64,
    pub(super) received: Option<u64>,
    pub(super) outcome: Outcome,
}

/// What is known of the head of a reply.
#[derive(Clone, Copy, Debug)]
pub(super) struct Replied {
    pub(super) status: StatusCode,
    pub(super) by: &'static str,
    /// The node that broke, if a node did.
    pub(super) ended: Option<&'static str>,
}

/// Memory for a record, which one request after another uses. A reply is moved through each level of a chain: with the
/// record in it, it would be twice as large.
#[derive(Debug, Default)]
pub(super) struct Page(Option<Record>);

impl Page {
    pub(super) fn write(&mut self, record: Record) {
        self.0 = Some(record);
    }

    pub(super) fn record(&self) -> Option<&Record> {
        self.0.as_ref()
    }

    pub(super) fn record_mut(&mut self) -> Option<&mut Record> {
        self.0.as_mut()
    }
}

impl Reset for Page {
    fn reset(&mut self) {
        self.0 = None;
    }
}

/// A line that is not written yet: it goes with the reply's body, as its [`Tail`], and is written when it is dropped.
#[derive(Debug)]
pub struct Entry(pub(super) Lease<'static, Page>);

impl Entry {
    /// The request became a tunnel, which has ended. This takes the entry, and so writes its line.
    pub(super) fn carried(mut self, carried: Carried) {
        let Some(record) = self.0.record_mut() else { return };
        (record.sent, record.received) = (carried.down, Some(carried.up));
        if carried.was_cut {
            record.outcome = Outcome::Cut;
        }
    }
}

impl Tail for Entry {
    fn sent(&mut self, bytes: usize) {
        if let Some(record) = self.0.record_mut() {
            record.sent += bytes as u64;
        }
    }

    fn done(&mut self) {
        if let Some(record) = self.0.record_mut() {
            record.ended(Outcome::Done);
        }
    }

    fn broken(&mut self) {
        if let Some(record) = self.0.record_mut() {
            record.ended(Outcome::Broken);
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if let Some(record) = self.0.record() {
            record.line();
        }
    }
}

impl Record {
    /// The body came to its end, in one way or another. A request that was refused, or became a tunnel, keeps that
    /// outcome.
    fn ended(&mut self, outcome: Outcome) {
        if self.outcome == Outcome::Cancelled {
            self.outcome = outcome;
        }
    }

    /// Writes the line.
    pub(super) fn line(&self) {
        let outcome = match self.outcome {
            Outcome::Cancelled if thread::panicking() => Outcome::Panicked,
            Outcome::Cancelled | Outcome::Broken if self.cut.get().is_some_and(Cut::is_cut) => Outcome::Cut,
            outcome => outcome,
        };
        self.lines.line(|line| {
            begin(line);
            field(line, " method=\"", self.method.as_str(), MAX_METHOD);
            field(line, " path=\"", self.path.as_ref().map_or("", PathAndQuery::path), MAX_PATH);
            // Pieces are pushed one by one: the machinery of `write!` takes a third of a line's time.
            if let Some(Replied { status, by, ended }) = self.reply {
                all(line, [" status=", status.as_str(), " by=\"", by, "\""]);
                if let Some(ended) = ended {
                    all(line, [" ended=\"", ended, "\""]);
                }
            }
            all(line, [" bytes=", Buffer::new().format(self.sent)]);
            if let Some(received) = self.received {
                all(line, [" received=", Buffer::new().format(received)]);
            }
            let micros = u64::try_from((self.began.elapsed().as_nanos() + 500) / 1_000).unwrap_or(u64::MAX);
            // The thousand in front keeps the zeros of the fraction.
            let mut fraction = Buffer::new();
            let fraction = &fraction.format(1_000 + micros % 1_000)[1..];
            all(line, [" ms=", Buffer::new().format(micros / 1_000), ".", fraction]);
            if let Some(user) = self.user.get() {
                field(line, " user=\"", user.name(), MAX_NAME);
            }
            if let Some(id) = &self.id {
                field(line, " id=\"", id.to_str().unwrap_or_default(), MAX_ID);
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
    stamp(line, SystemTime::now());
    line.push_str("  INFO request");
}

/// Writes the time as humantime does, with microseconds. What changes once in a second is kept by each thread: the
/// calendar takes a third of a line's time.
fn stamp(line: &mut String, at: SystemTime) {
    thread_local! {
        static SECOND: RefCell<(u64, String)> = const { RefCell::new((u64::MAX, String::new())) };
    }
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let known = SECOND.try_with(|known| {
        let (second, text) = &mut *known.borrow_mut();
        if *second != since.as_secs() {
            text.clear();
            let _ = write!(text, "{}", humantime::format_rfc3339_seconds(at));
            // The fraction stands before the `Z`.
            text.pop();
            *second = since.as_secs();
        }
        line.push_str(text);
    });
    // The thread may be ending, and its text gone.
    if known.is_err() {
        let _ = write!(line, "{}", humantime::format_rfc3339_micros(at));
        return;
    }
    let mut fraction = Buffer::new();
    all(line, [".", &fraction.format(1_000_000 + since.subsec_micros())[1..], "Z"]);
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    #[test]
    fn a_time_is_written_as_by_humantime() {
        let begins = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000);
        for micros in [0, 1, 999_999, 1_000_000, 1_000_001, 61_020_300, 86_400_000_000, 3] {
            let (at, mut line) = (begins + Duration::from_nanos(micros * 1_000 + 999), String::new());
            stamp(&mut line, at);
            assert_eq!(line, std::format!("{}", humantime::format_rfc3339_micros(at)));
        }
    }
}

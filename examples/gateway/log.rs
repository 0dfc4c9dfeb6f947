//! One line a request, also for those that are refused, cancelled or broken off.
//!
//! A reply's head is known long before its body has been sent, and a line that is written with the head can only guess
//! how much that will be. So the way out of the node hands an [`Entry`] to the reply's body, and the line is written when
//! the body ends or is given up. Its fields:
//!
//! | field | |
//! | --- | --- |
//! | `status` | of the head that was sent; absent where the client left before there was one |
//! | `bytes` | of the body, counted as hyper takes them to send them: not the head, not the framing of chunks; for a request that was broken off, what the kernel had taken may be less |
//! | `ms` | from the request's head to the end of the reply's body |
//! | `by` | whose reply it is: the `upstream`'s or the `gateway`'s own |
//! | `outcome` | `done`, `refused` (before it came to this node), `cancelled` (by the client, or when the gateway stopped), `broken` (by the upstream, in the middle of its reply), `panicked` |

use std::io::IsTerminal as _;

use chain_runtime::{Ending, node};
use http::{Method, Response, StatusCode};
use tracing_subscriber::EnvFilter;

use super::auth::User;
use super::body::Body;
use super::scratch::Scratch;
use super::visit::{REQUEST_ID, Visit};

/// Sends what is traced to stdout; `RUST_LOG` says how much of it.
pub(crate) fn to_stdout() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let ansi = std::io::stdout().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(ansi).with_target(false).init();
}

/// The node that writes the lines.
#[derive(Debug)]
pub(crate) struct AccessLog;

/// What the node keeps between its way in and its way out.
#[derive(Debug)]
pub(crate) struct Started {
    /// `None` once the way out has handed it to the reply's body.
    visit: Option<Visit>,
    user: User,
}

impl Started {
    /// The request, as it came.
    pub(crate) fn visit(&self) -> Option<&Visit> {
        self.visit.as_ref()
    }
}

#[node]
impl AccessLog {
    pub(crate) fn enter(&self, user: &User, scratch: &mut Scratch) -> Started {
        Started { visit: scratch.visit.take(), user: user.clone() }
    }

    pub(crate) fn exit(&self, started: &mut Started, ending: &Ending, reply: &mut Response<Body>) {
        if let Some(visit) = started.visit.take() {
            let by = if ending.is_cut_short() { "gateway" } else { "upstream" };
            Entry::new(visit, Some(started.user.clone()), by, Outcome::Cancelled).go_with(reply);
        }
    }

    pub(crate) fn cancelled(&self, started: &Started) {
        if let Some(visit) = &started.visit {
            let outcome = if std::thread::panicking() { Outcome::Panicked } else { Outcome::Cancelled };
            line(visit, Some(&started.user), None, 0, outcome);
        }
    }
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    Refused,
    Cancelled,
    Broken,
    Panicked,
}

impl Outcome {
    fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Cancelled => "cancelled",
            Self::Broken => "broken",
            Self::Panicked => "panicked",
        }
    }
}

/// A line that is not written yet: it waits for the reply's body to end, and is written when it is dropped.
#[derive(Debug)]
pub(crate) struct Entry {
    visit: Visit,
    user: Option<User>,
    by: &'static str,
    status: StatusCode,
    sent: u64,
    outcome: Outcome,
}

impl Entry {
    fn new(visit: Visit, user: Option<User>, by: &'static str, outcome: Outcome) -> Self {
        Self { visit, user, by, status: StatusCode::OK, sent: 0, outcome }
    }

    /// The entry of a request that was refused before it came to the node `log`; by then its user may be known, or not.
    pub(crate) fn refused(visit: Visit, user: Option<User>) -> Self {
        Self::new(visit, user, "gateway", Outcome::Refused)
    }

    /// Waits in the reply's body for its end, and tells the client the request's id.
    pub(crate) fn go_with(mut self, reply: &mut Response<Body>) {
        self.status = reply.status();
        let bodiless = self.visit.method == Method::HEAD || http_body::Body::is_end_stream(reply.body());
        if self.outcome == Outcome::Cancelled && bodiless {
            // Nobody will ask this body for its end, so nobody can be seen to leave before it.
            self.outcome = Outcome::Done;
        }
        reply.headers_mut().insert(REQUEST_ID, self.visit.id.clone());
        reply.body_mut().carry(self);
    }

    /// So many bytes more were taken to be sent.
    pub(crate) fn sent(&mut self, bytes: usize) {
        self.sent += bytes as u64;
    }

    /// The body came to its end, this way or that. Who was refused stays so.
    pub(crate) fn outcome(&mut self, outcome: Outcome) {
        if self.outcome != Outcome::Refused {
            self.outcome = outcome;
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        line(&self.visit, self.user.as_ref(), Some((self.status, self.by)), self.sent, self.outcome);
    }
}

fn line(visit: &Visit, user: Option<&User>, reply: Option<(StatusCode, &str)>, bytes: u64, outcome: Outcome) {
    tracing::info!(
        method = visit.method.as_str(),
        // Without the query, which is where secrets are sent that do not belong into logs.
        path = visit.uri.path(),
        status = reply.map(|(status, _)| status.as_u16()),
        by = reply.map(|(_, by)| by),
        bytes,
        ms = %format_args!("{:.3}", visit.began.elapsed().as_secs_f64() * 1_000.0),
        user = user.map(|user| &*user.0),
        id = visit.id.to_str().unwrap_or_default(),
        peer = %visit.peer,
        outcome = outcome.name(),
        "request"
    );
}

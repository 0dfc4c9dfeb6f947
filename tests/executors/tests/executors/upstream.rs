//! A chain that waits, with a deadline and retries by smol's timer. That timer has a thread of its own if no executor
//! drives it.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use chain_runtime::around::{Backoff, Deadline, Expired, Retry};
use chain_runtime::{IntoReply, chain, node};

use crate::example::SmolTimer;

/// How often the upstream fails, and how long each call of it takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    /// So many calls fail.
    pub(crate) failures: u32,
    /// Each takes so long.
    pub(crate) takes: Duration,
}

/// A status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reply(pub(crate) u16);

impl IntoReply<Reply> for Expired {
    fn into_reply(self) -> Reply {
        Reply(504)
    }
}

/// How many runs were left, and how many were cancelled.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Ways out with a reply.
    pub(crate) left: AtomicU32,
    /// Ways out without one.
    pub(crate) cancelled: AtomicU32,
}

#[node]
impl Seen {
    fn exit(&self) {
        self.left.fetch_add(1, Relaxed);
    }
    fn cancelled(&self) {
        self.cancelled.fetch_add(1, Relaxed);
    }
}

/// Calls so far, of one run.
#[derive(Debug, Default)]
pub(crate) struct Calls(u32);

/// Counts from nothing.
#[node]
pub(crate) fn begin() -> Calls {
    Calls::default()
}

/// Calls the upstream.
#[node]
pub(crate) async fn call(request: &Request, calls: &mut Calls, seen: &Count) -> Reply {
    calls.0 += 1;
    seen.0.fetch_add(1, Relaxed);
    if !request.takes.is_zero() {
        smol::Timer::after(request.takes).await;
    }
    Reply(if calls.0 > request.failures { 200 } else { 503 })
}

/// How many calls there were, in all runs.
#[derive(Debug, Default)]
pub(crate) struct Count(pub(crate) AtomicU32);

chain! {
    /// Calls an upstream, for a limited time, and again where it fails.
    #[send]
    pub(crate) struct Upstream {
        /// Sees all ways out.
        pub(crate) seen: Seen,
        /// Counts calls.
        pub(crate) count: Count,
        /// For all tries.
        pub(crate) deadline: Deadline<SmolTimer>,
        /// Three tries.
        pub(crate) retry: Retry<fn(&Reply) -> bool, SmolTimer>,
    }

    async fn(request: Request) -> Reply { seen => begin => deadline { retry { call } } }
}

impl Upstream {
    /// One that gives up after `limit`.
    #[must_use]
    pub(crate) fn within(limit: Duration) -> Self {
        let pause = Duration::from_millis(1);
        let retry = Retry::new_on(SmolTimer, (|reply| reply.0 == 503) as fn(&Reply) -> bool);
        Self {
            seen: Seen::default(),
            count: Count::default(),
            deadline: Deadline::within_on(SmolTimer, limit),
            retry: retry.backoff(Backoff::exponential(pause, pause)),
        }
    }
}

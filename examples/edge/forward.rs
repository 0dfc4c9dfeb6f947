//! Passes requests on to the upstream that a group has picked.

use std::time::{Duration, Instant};

use chain_runtime::around::Deadline;
use chain_runtime::proxy::{ByLease, Client, Forward, Limits, Repeatable, Sender, Settings, Statements, Unstatable};
use chain_runtime::{Ending, node};
use http::{HeaderName, HeaderValue};

use super::edge::{Payload, Reply};

/// Which group gave the reply.
const SERVED_BY: HeaderName = HeaderName::from_static("x-served-by");
/// How many milliseconds are left for the reply, for the upstream to know.
const TIME_LEFT: HeaderName = HeaderName::from_static("x-time-left-ms");
/// The bytes of a reply that are read before it is passed on: if it breaks off within them, the request can still be
/// tried again.
const READ_AHEAD: u64 = 1 << 20;

/// Passes requests on, under this name.
pub(crate) fn forward(via: &str, patience: Duration) -> Repeatable<ByLease, Payload, Asker> {
    let mut limits = Limits::default();
    // A deadline of the chain limits a try; this limits the rest of a long reply.
    limits.silence = patience;
    Forward::leased(Settings::default().via(via).limits(limits).reserves([TIME_LEFT])).repeatable(READ_AHEAD)
}

/// The sender of a request, and how long it may take.
pub(crate) struct Asker(Client);

#[node]
pub(crate) fn asker(client: &Client) -> Asker {
    Asker(client.clone())
}

impl Sender for Asker {
    fn client(&self) -> &Client {
        &self.0
    }

    fn state(&self, statements: &mut Statements<'_>) -> Result<(), Unstatable> {
        let Some(by) = Deadline::current() else { return Ok(()) };
        let left = u64::try_from(by.saturating_duration_since(Instant::now()).as_millis()).unwrap_or(u64::MAX);
        statements.value(&TIME_LEFT, HeaderValue::from(left))
    }
}

/// Names the group in the upstream's reply.
pub(crate) struct Served(pub(crate) &'static str);

#[node]
impl Served {
    fn enter(&self) {}

    fn exit(&self, ending: &Ending, reply: &mut Reply) {
        if !ending.is_cut_short() {
            reply.headers_mut().insert(SERVED_BY, HeaderValue::from_static(self.0));
        }
    }
}

//! Groups of upstreams: each is a node that asks one of its own.

use std::time::{Duration, Instant};

use chain_runtime::around::Deadline;
use chain_runtime::node;
use chain_runtime::proxy::{
    Body, Client, Error, Forward, Limits, Repeatable, Rotation, Sender, Settings, Statements, Unstatable, Upstream,
};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Response};

use super::edge::Payload;

/// Which group gave the reply.
const SERVED_BY: HeaderName = HeaderName::from_static("x-served-by");
/// How many milliseconds are left for the reply, for the upstream to know.
const TIME_LEFT: HeaderName = HeaderName::from_static("x-time-left-ms");
/// Bytes of a reply that are read before it is passed on: what breaks off in them can still be tried again.
const READ_AHEAD: u64 = 1 << 20;

/// Upstreams that take turns.
pub(crate) struct Group {
    name: &'static str,
    forward: Repeatable<Rotation, Payload, Asker>,
}

impl Group {
    pub(crate) fn new(name: &'static str, via: &str, upstreams: Vec<Upstream>, patience: Duration) -> Self {
        let mut limits = Limits::default();
        // How long a try may take, a deadline of the chain says; this is for the rest of a long reply.
        limits.silence = patience;
        let settings = Settings::default().via(via).limits(limits).reserves([TIME_LEFT]);
        Self { name, forward: Forward::new(Rotation::new(upstreams), settings).repeatable(READ_AHEAD) }
    }
}

impl std::fmt::Display for Group {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.name, self.forward.upstreams())
    }
}

#[node]
impl Group {
    pub(crate) async fn enter(
        &self,
        request: &Parts,
        body: &Payload,
        client: &Client,
    ) -> Result<Response<Body>, Error> {
        let mut reply = self.forward.enter(request, body, &Asker(client.clone())).await?;
        reply.headers_mut().insert(SERVED_BY, HeaderValue::from_static(self.name));
        Ok(reply)
    }
}

/// For whom a request is passed on, and how long that may take.
struct Asker(Client);

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

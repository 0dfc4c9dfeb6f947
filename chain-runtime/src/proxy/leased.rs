//! Members of a registry as upstreams: each [`Turn`] is a [`Lease`].

use core::borrow::Borrow;
use std::time::Instant;

use http::request::Parts;

use super::pick::{Outcome, Pick, Turn};
use super::streaming::Streaming;
use super::upstream::Upstream;
use crate::around::{Deadline, Timer as _, TokioTimer};
use crate::upstream::{self, Balance, Lease, Tried};

/// To how many members a request is sent at most, while they refuse connections. So many [`Tried`] remembers.
const TRIES: usize = 8;

/// The registry's members, one after another up to eight while they refuse connections, and none twice while there is another.
impl<B: Balance<Upstream>> Pick for upstream::Pick<Upstream, B> {
    type Turn<'a>
        = Leased
    where
        Self: 'a;
    type Tried = Tried;

    fn pick(&self, _: &Parts, tried: &mut Tried) -> Option<Leased> {
        let lease = self.lease_beside(tried).ok()?;
        Some(Leased::new(lease))
    }

    fn tries(&self, _: &Parts) -> usize {
        self.registry().snapshot().members().len().min(TRIES)
    }
}

/// A member's turn: a lease, or the loan of one, which is told how the try ended.
///
/// | the try | the lease |
/// | --- | --- |
/// | [`Outcome::Replied`] | [`replied`](Lease::replied), as the [settings](super::Settings::blames) say |
/// | [`Outcome::Failed`] | [`failed`](Lease::failed) |
/// | [`Outcome::TimedOut`], or given up by a [`Deadline`] around it | [`timed_out`](Lease::timed_out) |
/// | [`Outcome::Client`] | [`cancelled`](Lease::cancelled) |
/// | given up | what the lease says by itself: [`Cancelled`](upstream::Outcome::Cancelled) |
///
/// What a reply took is the time that its head took. A good reply is noted at the end of its body: so one that breaks off midway is noted as failed instead. But it does not wait for
/// that for longer than a second, nor for the end of a tunnel or a stream of events at all; one of these that breaks off is a failure more. A bad reply is noted at once. In each case the
/// request is in flight until the end.
#[derive(Debug)]
pub struct Leased<L: Borrow<Lease<Upstream>> = Lease<Upstream>> {
    /// Until it is told.
    lease: Option<L>,
    /// The deadline that it runs under.
    until: Option<Instant>,
}

impl<L: Borrow<Lease<Upstream>>> Leased<L> {
    pub(super) fn new(lease: L) -> Self {
        Self { lease: Some(lease), until: Deadline::current() }
    }
}

impl<L: Borrow<Lease<Upstream>> + Into<Streaming>> Turn for Leased<L> {
    fn upstream(&self) -> &Upstream {
        self.lease.as_ref().expect("only what takes the turn takes it").borrow().endpoint()
    }

    fn ended(mut self, outcome: Outcome) {
        if let Some(lease) = self.lease.take() {
            tell(lease.borrow(), outcome);
        }
    }

    fn streams(mut self, outcome: Outcome) -> Streaming {
        let Some(lease) = self.lease.take() else { return Streaming::default() };
        tell(lease.borrow(), outcome);
        if matches!(outcome, Outcome::Replied { ok: true, .. }) {
            return lease.into();
        }
        lease.borrow().in_flight().clone().into()
    }
}

impl<L: Borrow<Lease<Upstream>>> Drop for Leased<L> {
    fn drop(&mut self) {
        // The try was given up. Whose doing it was, the deadline that it ran under knows.
        if let Some(lease) = &self.lease
            && self.until.is_some_and(|until| until <= TokioTimer.now())
        {
            lease.borrow().timed_out();
        }
    }
}

fn tell(lease: &Lease<Upstream>, outcome: Outcome) {
    match outcome {
        Outcome::Replied { ok, .. } => lease.replied(ok),
        Outcome::Failed => lease.failed(),
        Outcome::TimedOut => lease.timed_out(),
        Outcome::Client => lease.cancelled(),
    }
}

//! Members of a registry as upstreams: each [`Turn`] is a [`Lease`].

use core::borrow::Borrow;
use std::time::Instant;

use http::request::Parts;

use super::pick::{Outcome, Pick, Turn};
use super::streaming::Streaming;
use super::upstream::Upstream;
use crate::around::{Deadline, Timer as _, TokioTimer};
use crate::upstream::{self, Balance, Lease, Tried};

/// The most members to which a request is sent while they refuse connections. [`Tried`] remembers as many.
const TRIES: usize = 8;

/// Members of the registry, one after another, up to eight while they refuse connections. None is asked twice while
/// there is another one.
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

/// A member's turn: a lease, or a borrowed one, which is told how the try ended.
///
/// | the try | the lease |
/// | --- | --- |
/// | [`Outcome::Replied`] | [`replied`](Lease::replied), as the [settings](super::Settings::blames) say |
/// | [`Outcome::Failed`] | [`failed`](Lease::failed) |
/// | [`Outcome::TimedOut`], or abandoned by a [`Deadline`] around it | [`timed_out`](Lease::timed_out) |
/// | [`Outcome::Client`] | [`cancelled`](Lease::cancelled) |
/// | abandoned in another way | its own outcome: [`Cancelled`](upstream::Outcome::Cancelled) |
///
/// The time of a reply is the time until its head. A good reply is noted at the end of its body, so that a reply that
/// breaks off midway is noted as failed instead. But the note waits no longer than a second, and does not wait at all
/// for the end of a tunnel or a stream of events; if one of these breaks off, that is an additional failure. After a
/// failure, a stream of events counts as any other reply. A bad reply is noted at once. In each case the request is in
/// flight until the end.
#[derive(Debug)]
pub struct Leased<L: Borrow<Lease<Upstream>> = Lease<Upstream>> {
    /// There until it is told.
    lease: Option<L>,
    /// The deadline of the try.
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
        // The try was abandoned. Its deadline tells whose fault that was.
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

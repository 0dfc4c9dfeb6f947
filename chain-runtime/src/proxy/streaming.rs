//! [`Streaming`]: what goes with a reply while it is passed on.

#[cfg(feature = "upstream")]
use core::time::Duration;
#[cfg(feature = "upstream")]
use std::time::Instant;

use super::pick::Outcome;
#[cfg(feature = "upstream")]
use super::upstream::Upstream;
#[cfg(feature = "upstream")]
use crate::around::{Timer as _, TokioTimer};
#[cfg(feature = "upstream")]
use crate::upstream::{self, InFlight, Lease};

/// What goes with the body of a reply, or with a tunnel, to its end: so an upstream is not drained before, and hears where its reply breaks off midway.
///
/// By default it is nothing. With the feature `upstream` it is made of a lease that one of the registry's members was picked by, or of what keeps a request in flight.
#[derive(Debug, Default)]
pub struct Streaming {
    #[cfg(feature = "upstream")]
    kept: Kept,
}

#[cfg(feature = "upstream")]
#[derive(Debug, Default)]
enum Kept {
    #[default]
    Nothing,
    /// It says that a good reply came. Where this breaks off before that is noted, it says that instead.
    Lease { lease: Lease<Upstream>, until: Instant },
    /// Its lease is returned before.
    InFlight { request: InFlight<Upstream>, tells: bool },
}

/// A good reply is noted at its end, but so long after its head at the latest: what takes longer would be missing beside the failures of those that do not.
#[cfg(feature = "upstream")]
const NOTED: Duration = Duration::from_secs(1);

impl Streaming {
    /// Some of the reply came.
    pub(super) fn goes_on(&mut self) {
        #[cfg(feature = "upstream")]
        if let Kept::Lease { until, .. } = &self.kept
            && *until <= TokioTimer.now()
        {
            *self = core::mem::take(self).noted(true);
        }
    }

    /// The reply broke off midway.
    pub(super) fn broke(&mut self, outcome: Outcome) {
        #[cfg(not(feature = "upstream"))]
        let _ = (self, outcome);
        #[cfg(feature = "upstream")]
        match (core::mem::take(&mut self.kept), outcome) {
            (Kept::Lease { lease, .. }, Outcome::Failed) => lease.failed(),
            (Kept::Lease { lease, .. }, Outcome::TimedOut) => lease.timed_out(),
            (Kept::InFlight { request, tells: true }, Outcome::Failed) => note(&request, upstream::Outcome::Failed),
            (Kept::InFlight { request, tells: true }, Outcome::TimedOut) => note(&request, upstream::Outcome::TimedOut),
            _ => {}
        }
    }

    /// Has it noted now that a good reply came, since its end may be far away. `tells` is whether that says something of the upstream, too.
    pub(super) fn noted(self, tells: bool) -> Self {
        #[cfg(not(feature = "upstream"))]
        let _ = tells;
        #[cfg(feature = "upstream")]
        if let Kept::Lease { lease, .. } = &self.kept {
            return Self { kept: Kept::InFlight { request: lease.in_flight().clone(), tells } };
        }
        self
    }
}

/// The reply was noted when its head came. This is one more thing to know of the member.
#[cfg(feature = "upstream")]
fn note(request: &InFlight<Upstream>, outcome: upstream::Outcome) {
    request.seat().note(outcome, Duration::ZERO);
}

/// For a good reply. Where it breaks off within a second of its head, a failure is noted in the place of it, and where it does so later, besides it. A stream of events
/// (`text/event-stream`, gRPC) and a tunnel are noted at once.
#[cfg(feature = "upstream")]
impl From<Lease<Upstream>> for Streaming {
    fn from(mut lease: Lease<Upstream>) -> Self {
        lease.streams();
        Self { kept: Kept::Lease { lease, until: TokioTimer.now() + NOTED } }
    }
}

/// The request is in flight until the end of the reply. Where the reply breaks off, a failure is noted of the member, besides what the lease said.
#[cfg(feature = "upstream")]
impl From<&Lease<Upstream>> for Streaming {
    fn from(lease: &Lease<Upstream>) -> Self {
        Self { kept: Kept::InFlight { request: lease.in_flight().clone(), tells: true } }
    }
}

/// The request is in flight until the end of the reply, and nothing more is noted of the member.
#[cfg(feature = "upstream")]
impl From<InFlight<Upstream>> for Streaming {
    fn from(request: InFlight<Upstream>) -> Self {
        Self { kept: Kept::InFlight { request, tells: false } }
    }
}

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

/// Goes with the body of a reply, or with a tunnel, to its end. So an upstream is not drained before that, and hears if
/// its reply breaks off midway.
///
/// By default it is empty. With the feature `upstream` it is made of the lease by which a registry's member was picked,
/// or of the value that keeps a request in flight.
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
    /// It reports that a good reply came. If the reply breaks off before that is noted, it reports that instead.
    Lease { lease: Lease<Upstream>, until: Instant },
    /// Its lease was returned before.
    InFlight { request: InFlight<Upstream>, tells: bool },
}

/// A good reply is noted at its end, but no later than this after its head: otherwise slow replies would be missing in
/// comparison with the failures of other members.
#[cfg(feature = "upstream")]
const NOTED: Duration = Duration::from_secs(1);

impl Streaming {
    /// A part of the reply came.
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

    /// Its end may be far away, so a good reply is noted now. But this is not done for a member whose last request
    /// failed, because this reply may also break off soon.
    pub(super) fn lasts(self) -> Self {
        #[cfg(feature = "upstream")]
        if let Kept::Lease { lease, .. } = &self.kept
            && !lease.is_heard()
        {
            return self;
        }
        self.noted(true)
    }

    /// Notes now that a good reply came, since its end may be far away. `tells` says whether a later break is reported
    /// as well.
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

/// The reply was noted when its head came. This is an additional note about the member.
#[cfg(feature = "upstream")]
fn note(request: &InFlight<Upstream>, outcome: upstream::Outcome) {
    request.seat().note(outcome, Duration::ZERO);
}

/// For a good reply. If it breaks off within a second of its head, a failure is noted in its place; if it does so
/// later, a failure is noted in addition. A stream of events (`text/event-stream`, gRPC) is noted at once, unless the
/// member's last request failed. A tunnel is always noted at once.
#[cfg(feature = "upstream")]
impl From<Lease<Upstream>> for Streaming {
    fn from(mut lease: Lease<Upstream>) -> Self {
        let now = TokioTimer.now();
        lease.streams_at(now);
        Self { kept: Kept::Lease { lease, until: now + NOTED } }
    }
}

/// The request is in flight until the end of the reply. If the reply breaks off, a failure of the member is noted, in
/// addition to what the lease reported.
#[cfg(feature = "upstream")]
impl From<&Lease<Upstream>> for Streaming {
    fn from(lease: &Lease<Upstream>) -> Self {
        Self { kept: Kept::InFlight { request: lease.in_flight().clone(), tells: true } }
    }
}

/// The request is in flight until the end of the reply, and nothing more is noted about the member.
#[cfg(feature = "upstream")]
impl From<InFlight<Upstream>> for Streaming {
    fn from(request: InFlight<Upstream>) -> Self {
        Self { kept: Kept::InFlight { request, tells: false } }
    }
}

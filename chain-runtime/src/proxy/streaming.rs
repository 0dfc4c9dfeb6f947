//! [`Streaming`]: what goes with a reply while it is passed on.

use super::pick::Outcome;
#[cfg(feature = "upstream")]
use super::upstream::Upstream;
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
    /// It says that a good reply came. Where this breaks off, it says that instead.
    Lease(Lease<Upstream>),
    /// Its lease is returned before.
    InFlight { request: InFlight<Upstream>, tells: bool },
}

impl Streaming {
    /// The reply broke off midway.
    pub(super) fn broke(&mut self, outcome: Outcome) {
        #[cfg(not(feature = "upstream"))]
        let _ = (self, outcome);
        #[cfg(feature = "upstream")]
        match (core::mem::take(&mut self.kept), outcome) {
            (Kept::Lease(lease), Outcome::Failed) => lease.failed(),
            (Kept::Lease(lease), Outcome::TimedOut) => lease.timed_out(),
            (Kept::InFlight { request, tells: true }, Outcome::Failed) => note(&request, upstream::Outcome::Failed),
            (Kept::InFlight { request, tells: true }, Outcome::TimedOut) => note(&request, upstream::Outcome::TimedOut),
            _ => {}
        }
    }

    /// A tunnel begins. How it ends says nothing about the upstream, so what is known is said now.
    pub(super) fn said(self) -> Self {
        #[cfg(feature = "upstream")]
        if let Kept::Lease(lease) = &self.kept {
            return lease.in_flight().clone().into();
        }
        self
    }
}

/// The reply was noted when its head came. This is one more thing to know of the member.
#[cfg(feature = "upstream")]
fn note(request: &InFlight<Upstream>, outcome: upstream::Outcome) {
    request.seat().note(outcome, core::time::Duration::ZERO);
}

/// The lease is returned at the end of the reply, and what was said of it counts from then on. Where the reply breaks off, that counts instead, as a failure of the member.
#[cfg(feature = "upstream")]
impl From<Lease<Upstream>> for Streaming {
    fn from(lease: Lease<Upstream>) -> Self {
        Self { kept: Kept::Lease(lease) }
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

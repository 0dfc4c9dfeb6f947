//! [`WarmCheck`]: checks members over the connections that requests use.

use core::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::vec::Vec;

use ::hyper::body::Incoming;
use http::uri::PathAndQuery;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};

use super::connections::{Asking, Connections};
use super::error::Error;
use super::fault;
use super::hop::Hop;
use super::linked::Link;
use super::present::Present;
use super::ready::address;
use super::slot::Slot;
use super::target::Target;
use super::upload::{Passage, Upload};
use super::upstream::Upstream;
use super::{Forward, Repeatable, Sendable, framing};
use crate::upstream::{Check, Seat};

/// A member is well if it answers with a status of 200 to 299, over the same connections that a [`Forward`]'s requests
/// use. It needs the feature `upstream`.
///
/// So a member that is well has an open connection, verified over TLS, before the first request comes to it. This
/// includes a member that has just joined or is back. The check uses HTTP/1.1, HTTP/2 or TLS as requests do, and the
/// name that requests use.
///
/// - The connection belongs to the runtime on which the check runs. A server's [`Workers`](super::server::Workers) have
///   their own, and make them with their first requests.
/// - Such a connection is kept for at most [so many](Self::keeps) members. If there are more members, the connections
///   are those of members that are likely to be picked: a member that had requests since its last check takes the place
///   of one that had none, and a member that is gone or not well leaves its place. Each other member is checked over a
///   connection of its own, which is closed at once.
/// - A connection is kept between checks only as long as the [limits](super::Limits::idle) say, so the interval of the
///   checks should be shorter.
/// - A check over an open connection does not find out that a member accepts no new connections. The first request that
///   needs a new one does.
/// - At most 64 KiB of the reply's body are read. If the reply goes on after that, its connection is closed.
///
/// ```no_run
/// use std::sync::Arc;
///
/// use chain_runtime::proxy::{Forward, Settings, Upstream};
/// use chain_runtime::upstream::{Checks, PeakEwma, Pick, Registry};
///
/// # async fn example() {
/// let registry: Arc<Registry<Upstream>> = Arc::new(Registry::new());
/// let forward: Forward<_, hyper::body::Incoming> =
///     Forward::new(Pick::new(Arc::clone(&registry), PeakEwma::new()), Settings::default());
/// let check = forward.check("/health".parse().expect("a path")).keeps(16);
/// registry.check(check, Checks::new(), |found| eprintln!("{found}")).await;
/// # }
/// ```
pub struct WarmCheck<B> {
    path: PathAndQuery,
    keeps_host: bool,
    connections: Arc<Connections<B>>,
    limits: super::Limits,
    keeps: usize,
    warm: Mutex<Vec<Warm>>,
}

/// A member for which a connection is kept.
struct Warm {
    slot: Weak<Slot>,
    /// Whether it had requests between its last two checks.
    is_used: bool,
}

impl Warm {
    fn is(&self, slot: &Arc<Slot>) -> bool {
        self.slot.as_ptr() == Arc::as_ptr(slot)
    }
}

/// The most bytes that are read of a reply's body.
const BODY: usize = 64 << 10;

impl<P, B: Sendable, S> Forward<P, B, S> {
    /// Checks members by getting this path, over the connections that this node's requests use.
    #[must_use]
    pub fn check(&self, path: PathAndQuery) -> WarmCheck<B> {
        let Hop { settings, connections, .. } = &self.hop;
        WarmCheck {
            path,
            keeps_host: settings.keeps_host,
            connections: Arc::clone(connections),
            limits: settings.limits,
            keeps: 64,
            warm: Mutex::default(),
        }
    }
}

impl<P, B: Sendable, S> Repeatable<P, B, S> {
    /// Checks members by getting this path, over the connections that this node's requests use.
    #[must_use]
    pub fn check(&self, path: PathAndQuery) -> WarmCheck<B> {
        self.forward.check(path)
    }
}

impl<B: Sendable> WarmCheck<B> {
    /// Sets for how many members a connection is kept. The default is 64.
    #[must_use]
    pub const fn keeps(mut self, members: usize) -> Self {
        self.keeps = members;
        self
    }

    /// Whether a connection to this member is kept.
    fn is_warm(&self, seat: &Seat<Upstream>) -> bool {
        let slot = seat.endpoint().slot();
        let is_used = slot.was_used(seat.totals().all());
        let mut warm = self.warm.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = warm.iter_mut().find(|one| one.is(slot)) {
            known.is_used = is_used;
            return true;
        }
        if warm.len() >= self.keeps {
            warm.retain(|one| one.slot.strong_count() > 0);
        }
        let this = Warm { slot: Arc::downgrade(slot), is_used };
        if warm.len() < self.keeps {
            warm.push(this);
            return true;
        }
        let Some(other) = warm.iter_mut().find(|one| is_used && !one.is_used) else { return false };
        *other = this;
        true
    }

    /// Leaves the member's place to another.
    fn cools(&self, slot: &Arc<Slot>) {
        let mut warm = self.warm.lock().unwrap_or_else(PoisonError::into_inner);
        warm.retain(|one| !one.is(slot));
    }

    async fn ask(&self, upstream: &Upstream, anew: bool) -> Result<(), Asked> {
        let (mut request, ()) = Request::new(()).into_parts();
        let target = Target { path: Some(self.path.clone()), host: None };
        address(&mut request, upstream, &target, self.keeps_host).map_err(|bad| NotWell::Error(bad.into()))?;
        let passage = Arc::new(Passage::empty());
        let upload = Upload::new(&passage, &Arc::default(), &self.limits, None, false);
        let mut asking = Asking::default();
        self.connections.send(upstream, Request::from_parts(request, upload), anew, &mut asking);
        let (reply, link) = asking
            .await
            .map_err(|error| Asked { is_stale: fault::was_kept(&error), why: NotWell::Error(fault::failed(error)) })?;
        hear(reply, link).await.map_err(Asked::from)
    }
}

async fn hear(reply: Response<Incoming>, link: Option<Link>) -> Result<(), NotWell> {
    let (mut head, body) = reply.into_parts();
    let present = Present::of(&head.headers);
    if let Err(bad) = framing::check_reply(&mut head, present, &Method::GET) {
        if let Some(link) = link {
            link.poison();
        }
        return Err(NotWell::Error(bad.into()));
    }
    if let Some(link) = link {
        link.served();
    }
    // A reply that is not read to its end has its connection closed. That says nothing about the member.
    let _ = Limited::new(body, BODY).collect().await;
    if head.status.is_success() { Ok(()) } else { Err(NotWell::Status(head.status)) }
}

/// Why a check failed.
struct Asked {
    why: NotWell,
    /// The connection had been kept from before.
    is_stale: bool,
}

impl From<NotWell> for Asked {
    fn from(why: NotWell) -> Self {
        Self { why, is_stale: false }
    }
}

impl<B: Sendable> Check<Upstream> for WarmCheck<B> {
    type Error = NotWell;

    async fn check(&self, seat: &Seat<Upstream>) -> Result<(), NotWell> {
        let upstream = seat.endpoint();
        let asked = match self.ask(upstream, !self.is_warm(seat)).await {
            // A server may close a connection that was not used for a while.
            Err(Asked { is_stale: true, .. }) => self.ask(upstream, true).await,
            asked => asked,
        };
        asked.map_err(|Asked { why, .. }| {
            self.cools(upstream.slot());
            why
        })
    }
}

impl<B> fmt::Debug for WarmCheck<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WarmCheck").field("path", &self.path).field("keeps", &self.keeps).finish_non_exhaustive()
    }
}

/// Why a member is not well.
#[derive(Debug)]
#[non_exhaustive]
pub enum NotWell {
    /// There was no reply.
    Error(Error),
    /// The member answered with this status.
    Status(StatusCode),
}

impl fmt::Display for NotWell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(error) => error.fmt(f),
            Self::Status(status) => write!(f, "it replies {status}"),
        }
    }
}

impl core::error::Error for NotWell {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Error(error) => Some(error),
            Self::Status(_) => None,
        }
    }
}

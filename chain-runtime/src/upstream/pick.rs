//! [`Pick`]: the node that picks a member and provides a lease on it.

mod by;
mod derived;
mod tries;

use core::error::Error;
use core::fmt;
use core::time::Duration;
use std::sync::Arc;
use std::time::Instant;

use chain_macros::node;

pub use by::PickBy;
use derived::Derived;
pub use tries::Tried;

use super::balance::{Ask, Balance, PeakEwma};
use super::lease::Lease;
use super::registry::{Registry, now};
use super::seat::{InFlight, Seat};
use crate::Ending;

/// The node that picks a member, and provides a [`Lease`] on it. It breaks with [`NoUpstream`].
///
/// A later node borrows the lease, asks its endpoint, and says how that went. The lease is returned on each of the four ways out, exactly once, and what is not said is decided by how the
/// run ended: see [`Lease`].
///
/// ```
/// use std::net::SocketAddr;
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use chain_runtime::upstream::{Lease, Member, NoUpstream, PeakEwma, Pick, Registry};
/// use chain_runtime::{IntoReply, chain, node};
///
/// #[node]
/// async fn ask(request: &String, lease: &Lease<SocketAddr>) -> Reply {
///     // Here a request would go out to `lease.endpoint()`.
///     lease.replied(true);
///     Reply(format!("{request} by {}", lease.endpoint()))
/// }
///
/// chain! {
///     struct Gateway { pick: Pick<SocketAddr> }
///     async fn(request: String) -> Reply { pick => ask }
/// }
///
/// struct Reply(String);
///
/// impl IntoReply<Reply> for NoUpstream {
///     fn into_reply(self) -> Reply {
///         Reply(self.to_string())
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let registry = Arc::new(Registry::new());
/// let gateway = Gateway { pick: Pick::new(Arc::clone(&registry), PeakEwma::new()) };
/// assert_eq!(gateway.run("hello".into()).await.0, "no upstream can be asked");
///
/// registry.register(Member::new("one", "10.0.0.7:8080".parse()?), Duration::MAX)?;
/// assert_eq!(gateway.run("hello".into()).await.0, "hello by 10.0.0.7:8080");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
///
/// # What a pick costs
///
/// It takes no lock, waits for nobody and allocates nothing, but for arc-swap's and fastrand's first use on a thread. What the balancer needs of a snapshot is derived by the first that picks in it,
/// which allocates; until that is done, others pick by what was derived of the one before.
///
/// A member that was drained, removed or evicted is never picked from when the registry's call returns, whatever is derived. Until the next pick, the node keeps the seats of the snapshot
/// in which it picked last.
pub struct Pick<T, B: Balance<T> = PeakEwma> {
    registry: Arc<Registry<T>>,
    balance: B,
    derived: Derived<T, B::Table>,
    timeout: Option<Duration>,
}

/// Times that the balancer is asked before any member will do.
const TRIES: usize = 3;

impl<T, B: Balance<T>> Pick<T, B> {
    /// Picks among the registry's members that are [to be asked](super::Snapshot::share): those that are ready, and in a panic all but those that are drained.
    #[must_use]
    pub fn new(registry: Arc<Registry<T>>, balance: B) -> Self {
        let derived = Derived::new(&registry, &balance);
        Self { registry, balance, derived, timeout: None }
    }

    /// Sets from when on a request that is cancelled, and of which nobody has said anything, counts as [`TimedOut`](super::Outcome::TimedOut): as long as a deadline around the block
    /// gives it, which drops the block and tells nobody in it why. Where nothing is said, none does.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// The registry.
    #[must_use]
    pub const fn registry(&self) -> &Arc<Registry<T>> {
        &self.registry
    }

    /// Picks outside of a chain.
    ///
    /// # Errors
    ///
    /// [`NoUpstream`] where no member is to be asked.
    pub fn lease(&self) -> Result<Lease<T>, NoUpstream> {
        self.lease_for(None)
    }

    /// Picks outside of a chain, somebody who was not tried while there is another.
    ///
    /// # Errors
    ///
    /// [`NoUpstream`] where no member is to be asked.
    pub fn lease_beside(&self, tried: &Tried) -> Result<Lease<T>, NoUpstream> {
        let now = now();
        let ask = Ask { now, key: None };
        let is_new = |seat: &Seat<T>| !tried.contains(seat.generation());
        let mut picked = self.pick(&ask);
        for _ in 0..TRIES {
            if picked.as_ref().is_none_or(|picked| is_new(picked.seat())) {
                break;
            }
            picked = self.pick(&ask);
        }
        let picked = match picked {
            Some(picked) if is_new(picked.seat()) => Some(picked),
            picked => self.any_of(now, is_new).or(picked),
        };
        Ok(Lease::new(picked.ok_or(NoUpstream)?, now, self.timeout))
    }

    fn lease_for(&self, key: Option<u64>) -> Result<Lease<T>, NoUpstream> {
        let now = now();
        let ask = Ask { now, key };
        let picked = self.pick(&ask).or_else(|| self.any(now)).ok_or(NoUpstream)?;
        Ok(Lease::new(picked, now, self.timeout))
    }

    fn pick(&self, ask: &Ask) -> Option<InFlight<T>> {
        for _ in 0..TRIES {
            let of = self.derived.current(&self.registry, &self.balance, ask.now);
            if of.candidates.is_empty() {
                return None;
            }
            let picked = self.balance.pick(&of.candidates, &of.table, ask).seat().begin();
            if picked.is_some() {
                return picked;
            }
        }
        None
    }

    /// Any member that is to be asked: what was derived is old, or the balancer picks what is closed.
    #[cold]
    fn any(&self, now: Instant) -> Option<InFlight<T>> {
        self.any_of(now, |_| true)
    }

    fn any_of(&self, now: Instant, is_wanted: impl Fn(&Seat<T>) -> bool) -> Option<InFlight<T>> {
        let snapshot = self.registry.snapshot();
        let members = snapshot.members();
        let (before, behind) = members.split_at(fastrand::usize(..=members.len()));
        let ready = behind.iter().chain(before).filter(|entry| snapshot.share(entry, now) > 0.0);
        ready.map(|entry| entry.seat()).filter(|seat| is_wanted(seat)).find_map(|seat| seat.begin())
    }
}

#[node(crate = crate)]
impl<T, B: Balance<T>> Pick<T, B> {
    /// Picks.
    ///
    /// # Errors
    ///
    /// [`NoUpstream`] where no member is to be asked.
    pub fn enter(&self) -> Result<Lease<T>, NoUpstream> {
        self.lease()
    }

    /// Decides what nobody has said.
    pub fn exit(&self, lease: &Lease<T>, ending: &Ending) {
        lease.leave(ending.is_cut_short());
    }
}

impl<T: fmt::Debug, B: Balance<T> + fmt::Debug> fmt::Debug for Pick<T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pick").field("registry", &self.registry).field("balance", &self.balance).finish_non_exhaustive()
    }
}

/// No member can be asked: what [`Pick`] breaks with. As an `http::Response`, a 503, `no-upstream`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoUpstream;

impl fmt::Display for NoUpstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no upstream can be asked")
    }
}

impl Error for NoUpstream {}

/// 503 Service Unavailable, `no-upstream`.
#[cfg(feature = "http")]
impl<B: crate::failure::Render> crate::flow::IntoReply<http::Response<B>> for NoUpstream {
    #[inline]
    fn into_reply(self) -> http::Response<B> {
        let status = http::StatusCode::SERVICE_UNAVAILABLE;
        B::render(&crate::failure::Failure::new(status, "no-upstream", "no upstream can be asked").because(&self))
    }
}

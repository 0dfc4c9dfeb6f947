//! [`Pick`]: the node that picks a member and provides a lease on it.

mod by;
mod derived;
mod tries;
mod untried;

use core::error::Error;
use core::fmt;
use core::time::Duration;
use std::sync::Arc;

use chain_macros::node;

pub use by::PickBy;
use derived::{Derived, Of};
pub use tries::{Tried, tried};
pub use untried::Untried;

use super::balance::{Ask, Balance, Candidate, PeakEwma};
use super::clock::now;
use super::lease::Lease;
use super::registry::Registry;
use super::seat::InFlight;
use super::snapshot::{Entry, Snapshot};
use crate::Ending;

/// The node that picks a member, and provides a [`Lease`] on it. It breaks with [`NoUpstream`].
///
/// A later node borrows the lease, asks its endpoint, and reports how that went. The lease is returned on each of the
/// four ways out, exactly once. Without a report, the end of the run decides the outcome: see [`Lease`].
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
/// # In a block that runs again
///
/// If a `Retry` runs the block again, [`untried`](Self::untried) picks another member each time: see [`Tried`].
/// [`by`](Self::by) picks by a key of the request.
///
/// # The cost of a pick
///
/// It takes no lock, does not wait and allocates nothing, except for arc-swap's and fastrand's first use on a thread.
/// Only if there is no member to ask, it looks under the registry's lock whether a member has come that is not
/// published yet. The first pick in a snapshot derives what the balancer needs of it, which allocates. Until that is
/// done, other picks use what was derived from the previous snapshot.
///
/// A member that was drained, removed or evicted is never picked after the registry's call has returned, whatever was
/// derived. Until the next pick, the node keeps the seats of the snapshot in which it picked last.
pub struct Pick<T, B: Balance<T> = PeakEwma> {
    registry: Arc<Registry<T>>,
    balance: B,
    derived: Derived<T, B::Table>,
    timeout: Option<Duration>,
}

/// How often the balancer is asked before any member will do.
const TRIES: usize = 3;

impl<T, B: Balance<T>> Pick<T, B> {
    /// Picks among the registry's members that are [to be asked](super::Snapshot::share): the ready ones, and in a
    /// panic all but the drained ones.
    #[must_use]
    pub fn new(registry: Arc<Registry<T>>, balance: B) -> Self {
        let derived = Derived::new(&registry, &balance);
        Self { registry, balance, derived, timeout: None }
    }

    /// Sets from when on a request that is cancelled without a report counts as [`TimedOut`](super::Outcome::TimedOut).
    /// Set it to the time of a deadline around the block: a deadline drops the block without saying why. By default, no
    /// such request does.
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
    /// [`NoUpstream`] if there is no member to ask.
    pub fn lease(&self) -> Result<Lease<T>, NoUpstream> {
        self.lease_for(None, None)
    }

    fn lease_for(&self, key: Option<u64>, tried: Option<&Tried>) -> Result<Lease<T>, NoUpstream> {
        let now = now();
        let ask = Ask { now, key, tried };
        let picked = self.pick(&ask).or_else(|| self.any(&ask)).ok_or(NoUpstream)?;
        if let Some(tried) = tried {
            tried.add(picked.seat().generation());
        }
        Ok(Lease::new(picked, now, self.timeout))
    }

    fn pick(&self, ask: &Ask<'_>) -> Option<InFlight<T>> {
        for _ in 0..TRIES {
            let of = self.derived.current(&self.registry, &self.balance, ask.now);
            if of.candidates.is_empty() {
                return None;
            }
            let mut picked = self.balance.pick(&of.candidates, &of.table, ask);
            if ask.tried(picked.seat()) {
                picked = self.beside(&of, ask);
            }
            let begun = picked.seat().begin();
            if begun.is_some() {
                return begun;
            }
        }
        None
    }

    /// The balancer has found only tried members: all were tried, or it does not look at that.
    #[cold]
    fn beside<'a>(&'a self, of: &'a Of<T, B::Table>, ask: &Ask<'_>) -> &'a Candidate<T> {
        let as_if_nobody_was = Ask { tried: None, ..*ask };
        ask.any(&of.candidates).unwrap_or_else(|| self.balance.pick(&of.candidates, &of.table, &as_if_nobody_was))
    }

    /// Any member that is to be asked: what was derived is outdated, or the balancer picks closed members.
    #[cold]
    fn any(&self, ask: &Ask<'_>) -> Option<InFlight<T>> {
        any_of(&self.registry.snapshot(), ask).or_else(|| {
            // All members may have been replaced or have registered anew: those in the snapshot take no more requests,
            // and the new ones are not published yet. Members that are looked at under the lock cannot be replaced
            // meanwhile.
            self.registry.settled(ask.now, |snapshot| any_of(snapshot, ask))
        })
    }
}

/// Any member of a snapshot that is to be asked.
fn any_of<T>(snapshot: &Snapshot<T>, ask: &Ask<'_>) -> Option<InFlight<T>> {
    let members = snapshot.members();
    let (before, behind) = members.split_at(fastrand::usize(..=members.len()));
    let ready = behind.iter().chain(before).filter(|entry| snapshot.share(entry, ask.now) > 0.0);
    let mut seats = ready.map(Entry::seat);
    let untried = seats.clone().filter(|seat| !ask.tried(seat)).find_map(|seat| seat.begin());
    untried.or_else(|| seats.find_map(|seat| seat.begin()))
}

#[node(wanted, crate = crate)]
impl<T, B: Balance<T>> Pick<T, B> {
    /// Picks.
    ///
    /// # Errors
    ///
    /// [`NoUpstream`] if there is no member to ask.
    pub fn enter(&self) -> Result<Lease<T>, NoUpstream> {
        self.lease()
    }

    /// Decides the outcome if there was no report.
    pub fn exit(&self, lease: &Lease<T>, ending: &Ending) {
        lease.leave(ending.is_cut_short());
    }
}

impl<T: fmt::Debug, B: Balance<T> + fmt::Debug> fmt::Debug for Pick<T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pick").field("registry", &self.registry).field("balance", &self.balance).finish_non_exhaustive()
    }
}

/// No member can be asked: [`Pick`] breaks with this. As an `http::Response`, a 503, `no-upstream`.
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

//! [`Tried`]: the members that this request was sent to already.

use core::fmt;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use chain_macros::node;

use crate::upstream::member::Generation;

/// The members to which a request was sent already, so that its next try goes to another one (linkerd2#11669).
///
/// The node [`tried()`] provides it. It stands before the block that runs again, and the [`Untried`](super::Untried)
/// pick in the block borrows it:
///
#[cfg_attr(all(feature = "retry", feature = "tokio"), doc = "```")]
#[cfg_attr(not(all(feature = "retry", feature = "tokio")), doc = "```ignore")]
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use chain_runtime::around::Retry;
/// use chain_runtime::upstream::{Lease, Member, NoUpstream, PeakEwma, Pick, Registry, Untried, tried};
/// use chain_runtime::{chain, node};
/// # use chain_runtime::IntoReply;
///
/// /// Port 1 refuses.
/// #[node]
/// async fn ask(lease: &Lease<u16>) -> Reply {
///     let is_ok = *lease.endpoint() != 1;
///     if is_ok { lease.replied(true) } else { lease.failed() }
///     Reply(is_ok)
/// }
///
/// chain! {
///     struct Gateway { again: Retry<fn(&Reply) -> bool>, pick: Untried<Pick<u16>> }
///     async fn() -> Reply { tried => again { pick => ask } }
/// }
/// # struct Reply(bool);
/// # impl IntoReply<Reply> for NoUpstream { fn into_reply(self) -> Reply { Reply(false) } }
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
/// let registry = Arc::new(Registry::new());
/// for port in 1..=3 {
///     registry.register(Member::new(format!("port-{port}"), port), Duration::MAX)?;
/// }
/// let again = Retry::new((|reply: &Reply| !reply.0) as fn(&Reply) -> bool).attempts(2);
/// let gateway = Gateway { again, pick: Pick::new(registry, PeakEwma::new()).untried() };
/// for _ in 0..50 {
///     assert!(gateway.run().await.0, "the second try goes to another port");
/// }
/// # Ok::<(), chain_runtime::upstream::Refused>(())
/// # }).unwrap();
/// ```
///
/// A member counts as tried when it is picked, however that try goes on. The try may still be under way, as the first of
/// two tries that race, or a deadline around it may have given it up without saying why. A member that was tried is picked
/// again only if there is no other member to ask.
///
/// It remembers the last eight generations, and allocates nothing. It belongs to one request, and to one registry.
pub struct Tried {
    /// How many were added. The next one is at `added % PLACES`.
    added: AtomicU32,
    /// Each is one more than a generation; 0 stands for none.
    places: [AtomicU64; PLACES],
}

/// How many members it remembers. More tries than this are no retries any more.
const PLACES: usize = 8;

impl Tried {
    /// Without any member.
    #[must_use]
    pub const fn new() -> Self {
        Self { added: AtomicU32::new(0), places: [const { AtomicU64::new(0) }; PLACES] }
    }

    /// Notes that this member was asked. Picks that borrow it do so by themselves.
    pub fn add(&self, generation: Generation) {
        if self.contains(generation) {
            return;
        }
        let at = self.added.fetch_add(1, Relaxed) as usize % PLACES;
        self.places[at].store(word(generation), Relaxed);
    }

    /// Whether this member was asked.
    #[must_use]
    pub fn contains(&self, generation: Generation) -> bool {
        let added = self.added.load(Relaxed) as usize;
        self.places.iter().take(added).any(|place| place.load(Relaxed) == word(generation))
    }
}

const fn word(generation: Generation) -> u64 {
    generation.get().wrapping_add(1)
}

impl Default for Tried {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let generations = self.places.iter().filter_map(|place| place.load(Relaxed).checked_sub(1));
        f.debug_set().entries(generations).finish()
    }
}

/// Provides a [`Tried`] without any member.
#[node(wanted, once, crate = crate)]
#[must_use]
pub fn tried() -> Tried {
    Tried::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_eight_are_remembered() {
        let tried = Tried::new();
        let holds = |generation| tried.contains(Generation::new(generation));
        assert!(!holds(0));
        for generation in 0..8 {
            tried.add(Generation::new(generation));
            tried.add(Generation::new(generation));
        }
        assert!((0..8).all(holds) && !holds(8));
        tried.add(Generation::new(8));
        assert!((1..9).all(holds) && !holds(0));
    }
}

//! [`Untried`]: a pick in a block that runs again.

use chain_macros::node;

use super::{NoUpstream, Pick, PickBy, Tried};
use crate::Ending;
use crate::nodes::Key;
use crate::upstream::balance::Balance;
use crate::upstream::lease::Lease;

/// A [`Pick`] or [`PickBy`] in a block that runs again. It borrows the request's [`Tried`], and picks no member in it
/// while there is another one to ask.
///
/// The balancer chooses that other member: a [`Ring`](crate::upstream::Ring) takes the next one along the ring,
/// [`PeakEwma`](crate::upstream::PeakEwma) the better of two drawn among the others, and so on. If all members were
/// tried, it picks as if none had been.
#[derive(Debug)]
pub struct Untried<P> {
    pick: P,
}

impl<T, B: Balance<T>> Pick<T, B> {
    /// Picks for a block that runs again.
    #[must_use]
    pub const fn untried(self) -> Untried<Self> {
        Untried { pick: self }
    }

    /// Picks a member that is not in `tried`, if there is one, and adds the picked member. It is for tries outside of a
    /// chain.
    ///
    /// # Errors
    ///
    /// [`NoUpstream`] if there is no member to ask.
    pub fn lease_beside(&self, tried: &Tried) -> Result<Lease<T>, NoUpstream> {
        self.lease_for(None, Some(tried))
    }
}

impl<K: Key, T, B: Balance<T>> PickBy<K, T, B> {
    /// Picks for a block that runs again.
    #[must_use]
    pub const fn untried(self) -> Untried<Self> {
        Untried { pick: self }
    }

    /// Picks a member that is not in `tried`, if there is one, and adds the picked member. It is for tries outside of a
    /// chain.
    ///
    /// # Errors
    ///
    /// [`NoUpstream`] if there is no member to ask.
    pub fn lease_beside(&self, key: &K, tried: &Tried) -> Result<Lease<T>, NoUpstream> {
        self.pick.lease_for(Some(self.hash(key)), Some(tried))
    }
}

impl<P> Untried<P> {
    /// The pick.
    #[must_use]
    pub const fn pick(&self) -> &P {
        &self.pick
    }
}

#[node(wanted, crate = crate)]
impl<T, B: Balance<T>> Untried<Pick<T, B>> {
    /// Picks.
    ///
    /// # Errors
    ///
    /// [`NoUpstream`] if there is no member to ask.
    pub fn enter(&self, tried: &Tried) -> Result<Lease<T>, NoUpstream> {
        self.pick.lease_beside(tried)
    }

    /// Decides the outcome if there was no report.
    pub fn exit(&self, lease: &Lease<T>, ending: &Ending) {
        lease.leave(ending.is_cut_short());
    }
}

#[node(wanted, crate = crate)]
impl<K: Key, T, B: Balance<T>> Untried<PickBy<K, T, B>> {
    /// Picks.
    ///
    /// # Errors
    ///
    /// [`NoUpstream`] if there is no member to ask.
    pub fn enter(&self, key: &K, tried: &Tried) -> Result<Lease<T>, NoUpstream> {
        self.pick.lease_beside(key, tried)
    }

    /// Decides the outcome if there was no report.
    pub fn exit(&self, lease: &Lease<T>, ending: &Ending) {
        lease.leave(ending.is_cut_short());
    }
}

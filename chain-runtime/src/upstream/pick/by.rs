//! [`PickBy`]: a pick by a key of the request.

use core::fmt;
use core::hash::Hasher as _;
use core::marker::PhantomData;

use chain_macros::node;
use siphasher::sip::SipHasher13;

use super::{NoUpstream, Pick};
use crate::Ending;
use crate::nodes::Key;
use crate::upstream::balance::{Balance, Ring};
use crate::upstream::lease::Lease;

/// A [`Pick`] by a key: with a [`Ring`] as the balancer, it picks the member to which the key belongs. It provides a
/// [`Lease`].
///
/// `K` is found in the scope by its type: a [`User`](crate::nodes::User), a [`Peer`](crate::nodes::Peer), or a [`Key`]
/// of your own, which an earlier node provides.
///
/// The key is hashed in the same way in all processes, so that all of them agree. A client that can choose keys and
/// knows the secret can choose keys that all belong to one member; the ring's bound protects that member.
/// [`secret`](Self::secret) makes that harder.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use chain_runtime::nodes::User;
/// use chain_runtime::upstream::{Lease, Member, Pick, PickBy, Registry, Ring};
/// use chain_runtime::{chain, node};
/// # use chain_runtime::{IntoReply, upstream::NoUpstream};
///
/// #[node]
/// fn ask(user: &User, lease: &Lease<u16>) -> Reply {
///     lease.replied(true);
///     Reply(*lease.endpoint())
/// }
///
/// chain! {
///     struct Carts { pick: PickBy<User, u16, Ring> }
///     fn(user: User) -> Reply { pick => ask }
/// }
/// # struct Reply(u16);
/// # impl IntoReply<Reply> for NoUpstream { fn into_reply(self) -> Reply { Reply(0) } }
///
/// let registry = Arc::new(Registry::new());
/// for port in 8000..8010 {
///     registry.register(Member::new(format!("cart-{port}"), port), Duration::MAX)?;
/// }
/// let carts = Carts { pick: Pick::new(registry, Ring::new()).by() };
/// let ada = User::new("ada")?;
/// let first = carts.run(ada.clone()).0;
/// assert!((0..100).all(|_| carts.run(ada.clone()).0 == first));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct PickBy<K, T, B: Balance<T> = Ring> {
    pub(super) pick: Pick<T, B>,
    secret: (u64, u64),
    _key: PhantomData<fn(K)>,
}

impl<T, B: Balance<T>> Pick<T, B> {
    /// Picks by a key of the request.
    #[must_use]
    pub const fn by<K: Key>(self) -> PickBy<K, T, B> {
        PickBy { pick: self, secret: (0, 0), _key: PhantomData }
    }
}

impl<K: Key, T, B: Balance<T>> PickBy<K, T, B> {
    /// Sets the secret with which keys are hashed: it has to be the same in all processes that are to agree.
    #[must_use]
    pub const fn secret(mut self, secret: (u64, u64)) -> Self {
        self.secret = secret;
        self
    }

    /// Picks outside of a chain.
    ///
    /// # Errors
    ///
    /// [`NoUpstream`] if there is no member to ask.
    pub fn lease(&self, key: &K) -> Result<Lease<T>, NoUpstream> {
        self.pick.lease_for(Some(self.hash(key)), None)
    }

    pub(super) fn hash(&self, key: &K) -> u64 {
        let mut hasher = SipHasher13::new_with_keys(self.secret.0, self.secret.1);
        key.feed(&mut hasher);
        hasher.finish()
    }
}

#[node(wanted, crate = crate)]
impl<K: Key, T, B: Balance<T>> PickBy<K, T, B> {
    /// Picks.
    ///
    /// # Errors
    ///
    /// [`NoUpstream`] if there is no member to ask.
    pub fn enter(&self, key: &K) -> Result<Lease<T>, NoUpstream> {
        self.lease(key)
    }

    /// Decides the outcome if there was no report.
    pub fn exit(&self, lease: &Lease<T>, ending: &Ending) {
        lease.leave(ending.is_cut_short());
    }
}

impl<K, T: fmt::Debug, B: Balance<T> + fmt::Debug> fmt::Debug for PickBy<K, T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PickBy").field("pick", &self.pick).finish_non_exhaustive()
    }
}

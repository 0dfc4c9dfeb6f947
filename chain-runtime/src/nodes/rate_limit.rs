//! Limits how often a user, a peer or any other key may ask, by the generic cell rate algorithm (GCRA), on governor.
//!
//! ```
//! use std::net::SocketAddr;
//! use std::num::NonZeroU32;
//!
//! use chain_runtime::nodes::{Peer, rate_limit::RateLimit};
//! use chain_runtime::{chain, node};
//! use http::{Request, Response, request::Parts};
//!
//! #[node]
//! fn answer(_request: &Parts) -> Response<String> {
//!     Response::new("hello".to_owned())
//! }
//!
//! chain! {
//!     struct Site { by_peer: RateLimit<Peer> }
//!     fn(request: Parts, peer: Peer) -> Response<String> { by_peer => answer }
//! }
//!
//! let number = |n| NonZeroU32::new(n).unwrap();
//! let site = Site { by_peer: RateLimit::per_second(number(1)).burst(number(2)) };
//! let peer = Peer::from("192.0.2.1:80".parse::<SocketAddr>().unwrap());
//! let ask = || site.run(Request::new(()).into_parts().0, peer);
//! assert_eq!((ask().status(), ask().status()), (200.try_into().unwrap(), 200.try_into().unwrap()));
//! let reply = ask();
//! assert_eq!(reply.status(), 429);
//! assert_eq!(reply.headers()["retry-after"], "1");
//! ```
//!
//! # In front of authentication
//!
//! `by_peer => auth => by_user` limits what a peer may ask for before anything is known of it, and then what a user may
//! ask for. The first has to be generous, since a peer may be a whole office. To slow down guessing, put a
//! [`FailureLimit`] there, which counts only the requests that failed.

use core::fmt;
use core::hash::{BuildHasher as _, Hasher as _};
use core::marker::PhantomData;
use core::num::NonZeroU32;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use core::time::Duration;
use std::hash::RandomState;
use std::sync::Arc;

use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::{Quota, RateLimiter};
use http::StatusCode;

pub use super::too_many_requests::TooManyRequests;
use super::{Key, Reply};
use crate::node;
use table::{Cell, Table};

mod table;

/// How many keys are remembered by default, in 1.1 MB of memory. [`RateLimit::keys`] changes it.
pub const KEYS: usize = 64 * 1024;

/// The node that breaks with [`TooManyRequests`] when the quota of a key is used up. It provides nothing.
///
/// `K` is found in the scope by its type: a [`User`](super::User), a [`Peer`](super::Peer), or a [`Key`] of your own.
///
/// # Memory
///
/// All of it is allocated at the beginning: 17 bytes for each of the [`keys`](Self::keys). A request allocates nothing,
/// and looks at eight keys at most. A key whose quota is full again counts as forgotten, and makes room. Nothing has to
/// sweep.
///
/// If none of the eight places of a key is free, the key in them is forgotten that has **used the least of its quota**,
/// and [`forgotten`](Self::forgotten) counts it. That key then has its full quota again, like a new key. So a client
/// that makes up keys displaces other made-up keys, and not a key whose quota is used up, unless it spends as many
/// requests for each place as that key did. A new user always finds room.
///
/// Two keys count as one if their 64-bit hashes are the same. Each node draws its hash function anew.
pub struct RateLimit<K, C: Clock = MonotonicClock> {
    quota: Quota,
    keys: usize,
    cells: RateLimiter<Cell, Table, C, NoOpMiddleware<C::Instant>>,
    forgotten: Arc<AtomicU64>,
    hasher: RandomState,
    _key: PhantomData<fn(K)>,
}

impl<K: Key> RateLimit<K> {
    /// This many requests a second in the long run, and as many at once: see [`burst`](Self::burst).
    #[must_use]
    pub fn per_second(rate: NonZeroU32) -> Self {
        Self::new(Quota::per_second(rate))
    }

    /// This many requests a minute.
    #[must_use]
    pub fn per_minute(rate: NonZeroU32) -> Self {
        Self::new(Quota::per_minute(rate))
    }

    /// A quota of governor.
    ///
    /// # Panics
    ///
    /// If the quota takes longer than a hundred years to be full again.
    #[must_use]
    pub fn new(quota: Quota) -> Self {
        Self::with_clock(quota, MonotonicClock)
    }
}

impl<K: Key, C: Clock + Clone> RateLimit<K, C> {
    /// The same as [`new`](Self::new), with another clock.
    ///
    /// # Panics
    ///
    /// The same as [`new`](Self::new).
    #[must_use]
    pub fn with_clock(quota: Quota, clock: C) -> Self {
        Self::build(quota, KEYS, clock)
    }

    /// Sets how many requests may come at once, if that is another number than the rate.
    ///
    /// # Panics
    ///
    /// The same as [`new`](Self::new).
    #[must_use]
    pub fn burst(self, burst: NonZeroU32) -> Self {
        Self::build(self.quota.allow_burst(burst), self.keys, self.cells.clock().clone())
    }

    /// Sets how many keys are remembered at most. It is rounded up to a multiple of eight.
    #[must_use]
    pub fn keys(self, keys: usize) -> Self {
        Self::build(self.quota, keys, self.cells.clock().clone())
    }

    fn build(quota: Quota, keys: usize, clock: C) -> Self {
        let century = Duration::from_secs(100 * 365 * 24 * 3_600);
        let full_in = quota.replenish_interval().checked_mul(quota.burst_size().get());
        assert!(
            full_in.is_some_and(|full_in| full_in <= century),
            "a quota that takes over a hundred years to be full again"
        );
        let forgotten = Arc::default();
        let table = Table::new(keys, quota.replenish_interval(), Arc::clone(&forgotten));
        Self {
            quota,
            keys,
            cells: RateLimiter::new(quota, table, clock),
            forgotten,
            hasher: RandomState::new(),
            _key: PhantomData,
        }
    }

    /// Takes one request from the quota of this key.
    ///
    /// # Errors
    ///
    /// [`TooManyRequests`] if the quota is used up.
    pub fn check(&self, key: &K) -> Result<(), TooManyRequests> {
        self.measure(key, false)
    }

    /// Whether [`check`](Self::check) would fail. It takes nothing from the quota.
    ///
    /// # Errors
    ///
    /// [`TooManyRequests`] if the quota is used up.
    pub fn peek(&self, key: &K) -> Result<(), TooManyRequests> {
        self.measure(key, true)
    }

    fn measure(&self, key: &K, only_looks: bool) -> Result<(), TooManyRequests> {
        let mut hasher = self.hasher.build_hasher();
        key.feed(&mut hasher);
        let cell = Cell { hash: hasher.finish(), only_looks };
        self.cells.check_key(&cell).map_err(|not_until| {
            let wait = not_until.wait_time_from(self.cells.clock().now());
            TooManyRequests::new(wait)
        })
    }

    /// How many keys were forgotten before their quota was full again, for want of room.
    #[must_use]
    pub fn forgotten(&self) -> u64 {
        self.forgotten.load(Relaxed)
    }
}

#[node(crate = crate)]
impl<K: Key, C: Clock + Clone> RateLimit<K, C> {
    /// Takes one request from the quota of this key, or breaks.
    ///
    /// # Errors
    ///
    /// [`TooManyRequests`] if the quota is used up.
    pub fn enter(&self, key: &K) -> Result<(), TooManyRequests> {
        self.check(key)
    }
}

impl<K, C: Clock> fmt::Debug for RateLimit<K, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimit").field("quota", &self.quota).field("keys", &self.keys).finish_non_exhaustive()
    }
}

/// The node that breaks with [`TooManyRequests`] when a key has **failed** too often. It takes a request from the quota
/// only if the reply, on its way out, is a 401.
///
/// `wrong_keys => auth`, with `wrong_keys: FailureLimit<Peer>`, slows down clients that guess, and no others. Requests
/// of a key that are under way at the same time are all let through. A request that is cancelled does not count as
/// failed.
#[derive(Debug)]
pub struct FailureLimit<K, C: Clock = MonotonicClock> {
    limit: RateLimit<K, C>,
    status: StatusCode,
}

impl<K: Key, C: Clock + Clone> FailureLimit<K, C> {
    /// Counts failures by this limit.
    #[must_use]
    pub const fn new(limit: RateLimit<K, C>) -> Self {
        Self { limit, status: StatusCode::UNAUTHORIZED }
    }

    /// Counts a reply with this status as a failure, in place of a 401.
    #[must_use]
    pub const fn on(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The limit.
    #[must_use]
    pub const fn limit(&self) -> &RateLimit<K, C> {
        &self.limit
    }
}

#[node(crate = crate)]
impl<K: Key, C: Clock + Clone> FailureLimit<K, C> {
    /// Breaks if the key has failed too often.
    ///
    /// # Errors
    ///
    /// [`TooManyRequests`] if it has.
    pub fn enter(&self, key: &K) -> Result<(), TooManyRequests> {
        self.limit.peek(key)
    }

    /// Counts a failure.
    pub fn exit<R: Reply>(&self, key: &K, reply: &R) {
        if reply.status() == self.status {
            // There may be none left to take, if requests failed at the same time.
            let _ = self.limit.check(key);
        }
    }
}

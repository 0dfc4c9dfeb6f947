//! Limits how often a user, a peer or any other key may ask on all machines together. It uses the generic cell rate
//! algorithm (GCRA) in Redis, by Redis' clock. Each machine takes permits ahead of need, so that most requests do not
//! ask Redis.
//!
//! ```no_run
//! use std::num::NonZeroU32;
//!
//! use chain_runtime::nodes::User;
//! use chain_runtime::nodes::shared_rate_limit::{Limited, LocalShare, Quota, SharedRateLimit};
//! use chain_runtime::shared::{Redis, Settings};
//! use chain_runtime::{chain, node};
//! use http::{Response, request::Parts};
//!
//! #[node]
//! fn answer(user: &User) -> Response<String> {
//!     Response::new(format!("hello, {user}"))
//! }
//!
//! chain! {
//!     // The type says what happens while Redis is away.
//!     struct Site { by_user: SharedRateLimit<User, LocalShare> }
//!     async fn(request: Parts, user: User) -> Response<String> { by_user => answer }
//! }
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let redis = Redis::start(Settings::at("redis://10.0.0.5:6379/")?);
//! let number = |n| NonZeroU32::new(n).unwrap();
//! let quota = Quota::per_second(number(100), number(3)).burst(number(20));
//! let by_user = SharedRateLimit::new(&redis, "by_user", quota)?;
//! println!("by user: {}", by_user.bound());
//! let site = Site { by_user };
//! # Ok(())
//! # }
//! ```
//!
//! # How it works
//!
//! A key in Redis holds the time at which the quota of the limited key is full again. A script takes permits from it,
//! as one step, so that two machines never have the same permit. A machine asks for one permit. If a grant was used up
//! in half of its life, the machine asks for two the next time, then for four, up to the number that grows for one
//! machine in a grant's life. It asks before all permits are used, and no request waits for that. A request that finds
//! no permit waits for the answer, at most for the [`patience`](crate::shared::Settings::patience). One question for a
//! key is under way at a time, and the questions for up to 128 keys go together. When the quota is used up, a machine
//! refuses requests by itself until there will be permits again.
//!
//! No lock is held across an await, and a request that has a permit allocates nothing. Machines read their own clocks
//! only to measure how long something takes on that machine.
//!
//! # The bound
//!
//! [`Bound`] has the formula, and [`SharedRateLimit::bound`] its result for a limit, with what the limit's type does
//! while Redis is away. Print it when the program starts.
//!
//! # When something goes wrong
//!
//! | event | requests | limits |
//! | --- | --- | --- |
//! | Redis refuses connections, closes them, answers with errors (`LOADING`, `OOM`, ..) or in another shape | are decided by the machine at once | [`LocalShare`], [`Closed`] or [`Open`] |
//! | Redis does not answer | up to [`waiting`](SharedRateLimit::waiting) of them wait for up to 20 ms, once; all others are decided at once | the same |
//! | Redis is up again | ask Redis, within a tenth of a second after it answers | as before, with the quotas that Redis has kept |
//! | Redis was emptied, or started anew without its data | notice nothing | each quota is full again, once |
//! | a key in Redis holds a value of another program | notice nothing | that quota is full again, once |
//! | Redis' clock is set forward | notice nothing | each quota is full again, once |
//! | Redis' clock is set back | notice nothing | each quota that is not full grows from nothing |
//! | a machine's clock jumps | notice nothing | permits that this machine keeps may end |
//! | a reply is lost | are decided by the machine | no request uses the permits that were in it |
//! | more keys at once than the [queue](crate::shared::Settings::queue) holds | those are decided by the machine | as if Redis was away for them |
//!
//! # Sizing
//!
//! - **A grant's life** *E* buys fewer questions with requests over the quota: *rate* · *E* of them. A busy key is
//!   asked for about 1.5 times in *E* by each machine. At 50 ms, a key with 1,000 requests a second on a machine asks
//!   for 3 % of them, and one with 100,000 for 0.04 %. For a key that has less than one request on a machine in *E*,
//!   each request asks.
//! - **burst** should be at least what grows in *E*: a machine cannot keep more than the burst, and with a smaller one
//!   machines ask more often.
//! - **machines** is the largest number of machines. With more, the bound is still *rate* · *E*, but they take less
//!   than they could, and their shares while Redis is away are too large. Two limits of one name in a process count as
//!   two machines, for example while a configuration replaces another one.
//! - Redis has one key for each key whose quota is not full, of some 150 bytes, which expires when the quota is full
//!   again: *burst* / *rate* seconds after the last request at most.
//!
//! # Keys in Redis
//!
//! A [`Key`] becomes the SHA-1 of the bytes that it feeds, so that no text of a client stands in Redis, and a client
//! cannot find a key with another one's hash. All machines have to feed the same bytes for a key. They do if they run
//! one build, or at least builds with one width of `usize` and one byte order.

use core::fmt;
use core::hash::{BuildHasher as _, Hasher};
use core::marker::PhantomData;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use core::time::Duration;
use std::hash::RandomState;
use std::string::String;
use std::sync::Arc;
use std::time::Instant;
use std::vec::Vec;

use sha1_smol::Sha1;

use super::Key;
use super::too_many_requests::TooManyRequests as TooMany;
use crate::node;
use crate::shared::{Ask, BadSettings, Question, Redis, Want, is_word};
use away::Does;
use place::Step;
use table::Table;

mod away;
mod bound;
mod place;
mod quota;
mod table;

pub use super::too_many_requests::TooManyRequests;
pub use away::{Closed, Limited, LocalShare, Open, WhenAway};
pub use bound::{Bound, Trouble};
pub use quota::Quota;

/// How many keys a machine remembers by default.
pub const KEYS: usize = 16 * 1024;

/// How many requests wait for Redis at once by default.
const WAITING: usize = 1_024;

/// The node that breaks with [`Limited`] when the quota of a key is used up, by this machine or others. It provides
/// nothing.
///
/// `K` is found in the scope by its type: a [`User`](super::User), a [`Peer`](super::Peer), or a [`Key`] of your own.
/// `A` says what it does while Redis is away:
/// [`LocalShare`], [`Closed`] or [`Open`].
///
/// # Memory
///
/// All of it is allocated at the beginning, for the number of [`keys`](Self::keys). If there is no room, the key of the
/// least worth is forgotten, and [`forgotten`](Self::forgotten) counts it. That key asks Redis again, or, while Redis
/// is away, has its whole local share again.
pub struct SharedRateLimit<K, A, C: Fn() -> Instant = fn() -> Instant> {
    redis: Redis,
    quota: Quota,
    table: Arc<Table<C>>,
    /// The beginning of its keys in Redis.
    name: String,
    hasher: RandomState,
    waiting: AtomicUsize,
    limit: usize,
    counts: Counts,
    _types: PhantomData<fn(K, A)>,
}

#[derive(Debug, Default)]
struct Counts {
    asked: AtomicU64,
    waited: AtomicU64,
    admitted_alone: AtomicU64,
    refused_alone: AtomicU64,
}

impl<K: Key, A: WhenAway> SharedRateLimit<K, A> {
    /// A limit of this name. On all machines on which a limit has this name, its keys have one quota.
    ///
    /// # Errors
    ///
    /// If the name is not 1 to 64 letters, digits, `.`, `_` and `-`.
    ///
    /// # Panics
    ///
    /// If the quota takes longer than thirty days to be full again.
    pub fn new(redis: &Redis, name: &str, quota: Quota) -> Result<Self, BadSettings> {
        Self::with_clock(redis, name, quota, Instant::now)
    }
}

impl<K: Key, A: WhenAway, C: Fn() -> Instant + Clone + Send + Sync + 'static> SharedRateLimit<K, A, C> {
    /// The same as [`new`](SharedRateLimit::new), with another clock for the permits that this machine keeps. Only the
    /// server's clock decides how much of a quota there is.
    ///
    /// # Errors
    ///
    /// The same as `new`.
    ///
    /// # Panics
    ///
    /// The same as `new`.
    pub fn with_clock(redis: &Redis, name: &str, quota: Quota, clock: C) -> Result<Self, BadSettings> {
        if !is_word(name) {
            return Err(BadSettings::no_name(name));
        }
        let quota = quota.grants_live(quota.lives.max(redis.patience()));
        Ok(Self {
            redis: redis.clone(),
            quota,
            table: Arc::new(Table::new(KEYS, quota.terms(), clock)),
            name: std::format!("{}:limit:{name}:", redis.prefix()),
            hasher: RandomState::new(),
            waiting: AtomicUsize::new(0),
            limit: WAITING,
            counts: Counts::default(),
            _types: PhantomData,
        })
    }

    /// Sets how many keys this machine remembers at most. The default is 16,384, with 120 bytes each. It is rounded up
    /// to a multiple of eight.
    #[must_use]
    pub fn keys(mut self, keys: usize) -> Self {
        self.table = Arc::new(self.table.resized(keys));
        self
    }

    /// Sets how many requests may wait for Redis at once. The default is 1,024. Further requests are decided as if
    /// Redis was away.
    #[must_use]
    pub const fn waiting(mut self, requests: usize) -> Self {
        self.limit = requests;
        self
    }

    /// The most that all machines together let through.
    #[must_use]
    pub fn bound(&self) -> Bound {
        self.quota.bound()
    }

    /// How often Redis was asked.
    #[must_use]
    pub fn asked(&self) -> u64 {
        self.counts.asked.load(Relaxed)
    }

    /// How many requests have waited for Redis.
    #[must_use]
    pub fn waited(&self) -> u64 {
        self.counts.waited.load(Relaxed)
    }

    /// How many requests this machine has let through without Redis.
    #[must_use]
    pub fn admitted_alone(&self) -> u64 {
        self.counts.admitted_alone.load(Relaxed)
    }

    /// How many requests this machine has refused without Redis.
    #[must_use]
    pub fn refused_alone(&self) -> u64 {
        self.counts.refused_alone.load(Relaxed)
    }

    /// How many keys this machine has forgotten while it still knew something of them, for want of room.
    #[must_use]
    pub fn forgotten(&self) -> u64 {
        self.table.forgotten.load(Relaxed)
    }

    /// Takes one request from the quota of this key.
    ///
    /// It can be dropped at any time: a permit is taken in the last step, and permits that were asked for stay with
    /// this machine.
    ///
    /// # Errors
    ///
    /// [`Limited`] if the quota is used up, or, depending on the type of the limit, if Redis is away.
    pub async fn check(&self, key: &K) -> Result<(), Limited> {
        let mut hasher = self.hasher.build_hasher();
        key.feed(&mut hasher);
        let hash = hasher.finish();
        match self.step(hash, key, false) {
            Step::Taken(_) => Ok(()),
            Step::Denied(wait) => Err(denied(wait)),
            Step::Failed => self.alone(hash),
            Step::Ask(_) | Step::Wait => self.wait(hash, key).await,
        }
    }

    /// Makes one step, and sends the ask that the step needs.
    fn step(&self, hash: u64, key: &K, has_waited: bool) -> Step {
        let now = self.table.now();
        let is_up = self.redis.is_up();
        let step = self.table.with(hash, now, |place, terms| match is_up {
            true => place.take(now, terms, has_waited),
            false if place.take_granted(now) => Step::Taken(None),
            false => Step::Failed,
        });
        if let Step::Taken(Some(permits)) | Step::Ask(permits) = step {
            self.ask(Question { hash, at: now }, key, permits);
        }
        step
    }

    #[cold]
    fn ask(&self, question: Question, key: &K, permits: u32) {
        self.counts.asked.fetch_add(1, Relaxed);
        let mut digest = Digest(Sha1::new());
        key.feed(&mut digest);
        let mut name = Vec::with_capacity(self.name.len() + 40);
        name.extend_from_slice(self.name.as_bytes());
        name.extend_from_slice(std::format!("{}", digest.0.digest()).as_bytes());
        let terms = &self.table.terms;
        let want = Want { step: terms.step, burst: terms.burst, permits };
        self.redis.ask(Ask::new(Arc::clone(&self.table) as _, question, name, want));
    }

    /// Waits for an answer.
    #[cold]
    async fn wait(&self, hash: u64, key: &K) -> Result<(), Limited> {
        let Some(_seat) = Seat::take(&self.waiting, self.limit) else {
            return self.alone(hash);
        };
        self.counts.waited.fetch_add(1, Relaxed);
        let _waiting = self.table.wait(hash);
        let until = tokio::time::Instant::now() + self.redis.patience();
        loop {
            let mut told = core::pin::pin!(self.table.set(hash).told.notified());
            told.as_mut().enable();
            match self.step(hash, key, true) {
                Step::Taken(_) => return Ok(()),
                Step::Denied(wait) => return Err(denied(wait)),
                Step::Failed => return self.alone(hash),
                Step::Ask(_) | Step::Wait => {}
            }
            if tokio::time::timeout_at(until, told).await.is_err() {
                return self.alone(hash);
            }
        }
    }

    /// Decides without Redis.
    #[cold]
    fn alone(&self, hash: u64) -> Result<(), Limited> {
        let decided = match A::KIND {
            Does::Open => Ok(()),
            Does::Closed => Err(Limited::Away),
            Does::LocalShare => {
                let now = self.table.now();
                self.table.with(hash, now, |place, terms| place.take_share(now, terms)).map_err(denied)
            }
        };
        let count = if decided.is_ok() { &self.counts.admitted_alone } else { &self.counts.refused_alone };
        count.fetch_add(1, Relaxed);
        decided
    }
}

fn denied(wait: u64) -> Limited {
    Limited::TooMany(TooMany::new(Duration::from_nanos(wait)))
}

/// A place among those that wait.
struct Seat<'a>(&'a AtomicUsize);

impl<'a> Seat<'a> {
    fn take(waiting: &'a AtomicUsize, limit: usize) -> Option<Self> {
        let seat = Self(waiting);
        // Dropping the seat gives the place back, even if the condition fails here.
        (waiting.fetch_add(1, Relaxed) < limit).then_some(seat)
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// Makes the name of a key in Redis.
struct Digest(Sha1);

impl Hasher for Digest {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}

#[node(crate = crate)]
impl<K: Key, A: WhenAway, C: Fn() -> Instant + Clone + Send + Sync + 'static> SharedRateLimit<K, A, C> {
    /// Takes one request from the quota of this key, or breaks.
    ///
    /// # Errors
    ///
    /// [`Limited`] if the quota is used up, or, depending on the type of the limit, if Redis is away.
    pub async fn enter(&self, key: &K) -> Result<(), Limited> {
        self.check(key).await
    }
}

impl<K, A, C: Fn() -> Instant> fmt::Debug for SharedRateLimit<K, A, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedRateLimit")
            .field("name", &self.name)
            .field("quota", &self.quota)
            .field("redis", &self.redis)
            .finish_non_exhaustive()
    }
}

//! How often one user, one peer or one of anything may ask, on all machines together: the generic cell rate algorithm (GCRA) in Redis, by
//! Redis' clock, and permits that each machine takes ahead of need, so that most requests ask nobody.
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
//!     // What happens while Redis is away is in the type.
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
//! A key in Redis says when the key's quota is full again. A script takes permits from it, as one step, so that no two machines have the same permit. A machine asks for one, and, where
//! that was used up in half of its life, for two, for four, up to what grows for one machine in a grant's life. It asks before they are all used, and nobody waits for that. A request that finds none waits
//! for the answer, in [`patience`](crate::shared::Settings::patience); one question is on its way for a key at a time, and those of up to 128 keys go together.
//! Once the quota is used up, a machine refuses for itself until there will be permits.
//!
//! No lock is held across an await, and a request that has a permit allocates nothing. Machines' clocks are not read but for how long something takes on one of them.
//!
//! # How much is let through
//!
//! [`Bound`] has the formula, and [`SharedRateLimit::bound`] what it gives for a limit, with what its type does while Redis is away. Print it when the program starts.
//!
//! # When something goes wrong
//!
//! | what | requests | limits |
//! | --- | --- | --- |
//! | Redis refuses connections, closes them, answers with errors (`LOADING`, `OOM`, ..) or in another shape | are decided by the machine at once | [`LocalShare`], [`Closed`] or [`Open`] |
//! | Redis answers nothing | up to [`waiting`](SharedRateLimit::waiting) of them wait for up to 20 ms, once; all others are decided at once | the same |
//! | Redis is up again | ask it, within a tenth of a second after it answers | as before, with the quotas that Redis has kept |
//! | Redis was emptied, or started anew without its data | notice nothing | each quota is full again, once |
//! | what is under a key is none of ours | notice nothing | that quota is full again, once |
//! | Redis' clock is set forward | notice nothing | each quota is full again, once |
//! | Redis' clock is set back | notice nothing | each quota that is not full grows from nothing |
//! | a machine's clock jumps | notice nothing | permits that this machine keeps may end |
//! | a reply is lost | are decided by the machine | permits that were in it are used by nobody |
//! | more keys at once than the [queue](crate::shared::Settings::queue) holds | those are decided by the machine | as if it was away for them |
//!
//! # How to size it
//!
//! - **A grant's life** *E* is what is bought: requests over the quota, *rate* · *E* of them, for questions saved. A busy key is asked for about 1.5 times in *E* by each machine. At 50 ms, a
//!   key with 1,000 requests a second on a machine asks for 3 % of them, and one with 100,000 for 0.04 %. A key that has less than one request on a machine in *E* asks each time.
//! - **burst** is at least what grows in *E*: less than that cannot be kept by anybody, and machines then ask more often.
//! - **machines** is how many there are at most. With more, the bound is still *rate* · *E*, but they take less than they could; their shares while Redis is away are too large then.
//!   Two limits of one name in a process count as two machines: while a configuration is exchanged for another one, for example.
//! - Redis has one key for each key whose quota is not full, of some 150 bytes, which expires when the quota is full again: *burst* / *rate* seconds after the last request at most.
//!
//! # What is a key
//!
//! A [`Key`] becomes the SHA-1 of what it feeds, so that no text of a client stands in Redis, and nobody can find a key that has another one's hash. Machines have to run programs for which a key
//! feeds the same: of one build, or at least of one width of `usize` and one order of bytes.

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

/// How many keys a machine remembers, unless it is said otherwise.
pub const KEYS: usize = 16 * 1024;

/// How many requests wait for Redis at once, unless it is said otherwise.
const WAITING: usize = 1_024;

/// The node that breaks with [`Limited`] once the quota of a key is used up, by this machine or others. Provides nothing.
///
/// `K` is found in the scope by its type: a [`User`](super::User), a [`Peer`](super::Peer), or a [`Key`] of your own. `A` says what it does while Redis is away:
/// [`LocalShare`], [`Closed`] or [`Open`].
///
/// # Memory
///
/// All of it is there from the beginning, for as many keys as [`keys`](Self::keys) says. Where there is no room, the key is forgotten that is worth the least, and
/// [`forgotten`](Self::forgotten) counts it: it asks Redis again, or, while that is away, has its whole local share again.
pub struct SharedRateLimit<K, A, C: Fn() -> Instant = fn() -> Instant> {
    redis: Redis,
    quota: Quota,
    table: Arc<Table<C>>,
    /// What its keys in Redis begin with.
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
    /// A limit of this name: on all machines where it has the same name, its keys have one quota.
    ///
    /// # Errors
    ///
    /// It is no name: 1 to 64 letters, digits, `.`, `_` and `-` are.
    ///
    /// # Panics
    ///
    /// Where the quota takes longer than thirty days to be full again.
    pub fn new(redis: &Redis, name: &str, quota: Quota) -> Result<Self, BadSettings> {
        Self::with_clock(redis, name, quota, Instant::now)
    }
}

impl<K: Key, A: WhenAway, C: Fn() -> Instant + Clone + Send + Sync + 'static> SharedRateLimit<K, A, C> {
    /// [`new`](SharedRateLimit::new), by another clock for what this machine keeps. How much there is of a quota, the server's clock says alone.
    ///
    /// # Errors
    ///
    /// As `new`.
    ///
    /// # Panics
    ///
    /// As `new`.
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

    /// How many keys this machine remembers at most: 16,384 where nothing is said, 120 bytes each. It is rounded up to a multiple of eight.
    #[must_use]
    pub fn keys(mut self, keys: usize) -> Self {
        self.table = Arc::new(self.table.resized(keys));
        self
    }

    /// How many requests wait for Redis at once, at most: 1,024 where nothing is said. For others it is as if it was away.
    #[must_use]
    pub const fn waiting(mut self, requests: usize) -> Self {
        self.limit = requests;
        self
    }

    /// What all machines together let through, at most.
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

    /// How many requests this machine has let through on its own.
    #[must_use]
    pub fn admitted_alone(&self) -> u64 {
        self.counts.admitted_alone.load(Relaxed)
    }

    /// How many requests this machine has refused on its own.
    #[must_use]
    pub fn refused_alone(&self) -> u64 {
        self.counts.refused_alone.load(Relaxed)
    }

    /// How many keys this machine has forgotten while it still knew something of them, since there was no room.
    #[must_use]
    pub fn forgotten(&self) -> u64 {
        self.table.forgotten.load(Relaxed)
    }

    /// Takes one request from the quota of this key.
    ///
    /// It can be dropped at any time: a permit is taken in the last step, and permits that were asked for stay with this machine.
    ///
    /// # Errors
    ///
    /// [`Limited`] where the quota is used up; or where Redis is away, as the type of the limit says.
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

    /// One step, and the ask that it calls for.
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
        // It is given back where it is dropped, also here.
        (waiting.fetch_add(1, Relaxed) < limit).then_some(seat)
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// Makes of a key what stands in Redis.
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
    /// [`Limited`] where the quota is used up; or where Redis is away, as the type of the limit says.
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

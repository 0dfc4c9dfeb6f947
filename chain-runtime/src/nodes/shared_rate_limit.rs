//! How often one user, one peer or one of anything may ask, on all machines together.

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

    /// How many keys this machine remembers at most: 16,384 where nothing is said, 160 bytes each. It is rounded up to a multiple of eight.
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

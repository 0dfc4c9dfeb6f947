//! [`Registry`]: the write side behind one lock, and the snapshot that it publishes.

use core::fmt;
use core::num::NonZeroU32;
use core::time::Duration;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::Notify;

use super::book::Book;
use super::health::{Care, Health};
use super::listed::Listed;
use super::member::{Generation, Gone, Member, Refused, Registration};
use super::pace::{Pace, Then};
use super::snapshot::{Counts, Snapshot, State};
use super::swap::{Current, Swap};
use super::totals::Cause;
use crate::sync::Mutex;

/// Who can be asked. See [the module](super).
pub struct Registry<T> {
    pub(super) shared: Arc<Shared<T>>,
}

/// What a registry is. Its seats know it as well, so that whoever notes a failure can have the member ejected.
pub(super) struct Shared<T> {
    inner: Mutex<Inner<T>>,
    /// Held by whoever publishes, so that snapshots are stored in the order in which they were made. It is taken before `inner`.
    publishing: Mutex<()>,
    current: Swap<T>,
    /// Wakes a keeper.
    wake: Notify,
    /// Tells of each new snapshot.
    news: Notify,
    /// Tells the versions of this registry from those of others, and of those before the process was started anew.
    #[cfg(feature = "upstream-http")]
    pub(super) tag: u64,
}

pub(super) struct Inner<T> {
    pub(super) book: Book<T>,
    pub(super) pace: Pace,
}

/// Members, at most, unless it is said otherwise.
const LIMIT: usize = 65_536;

/// The least time between two snapshots that a keeper publishes, unless it is said otherwise.
const SPACING: Duration = Duration::from_millis(1);

impl<T> Registry<T> {
    /// A registry without members.
    #[must_use]
    pub fn new() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let book = Book::new(Generation::new(u64::try_from(since.as_micros()).unwrap_or(0)), LIMIT);
        Self::of(Arc::new(Shared {
            current: Swap::new(book.snapshot()),
            inner: Mutex::new(Inner { book, pace: Pace::new(SPACING) }),
            publishing: Mutex::new(()),
            wake: Notify::new(),
            news: Notify::new(),
            #[cfg(feature = "upstream-http")]
            tag: fastrand::u64(..),
        }))
    }

    pub(super) const fn of(shared: Arc<Shared<T>>) -> Self {
        Self { shared }
    }

    /// Sets how many members there may be. 65,536 where nothing is said.
    #[must_use]
    pub fn with_limit(self, members: usize) -> Self {
        self.lock().book.limit = members;
        self
    }

    /// Sets how far apart snapshots are while somebody [keeps](Self::keep) the registry. 1 ms where nothing is said, and the precision is that of tokio's timers.
    #[must_use]
    pub fn with_spacing(self, spacing: Duration) -> Self {
        self.lock().pace.spacing = spacing;
        self
    }

    /// Sets the first [`Generation`].
    ///
    /// # Panics
    ///
    /// If somebody was registered already.
    #[must_use]
    pub fn starting_at(self, first: Generation) -> Self {
        self.lock().book.starts_at(first);
        self
    }

    /// Ejects members for how their requests end, and says who is asked when many are not well. Without it, outcomes change nothing.
    ///
    /// # Panics
    ///
    /// If somebody was registered already.
    #[must_use]
    pub fn with_health(self, health: Health) -> Self {
        self.lock().book.cares(Care { settings: Arc::new(health), owner: Arc::downgrade(&self.shared) });
        self
    }

    /// How many members there may be.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.lock().book.limit
    }

    /// All members as they were when a snapshot was published last. It takes no lock, waits for nobody and allocates nothing, but for arc-swap's first load on a thread.
    ///
    /// While nobody [keeps](Self::keep) the registry, that is after each change. While somebody does, a change may be missing from it until a [spacing](Self::with_spacing)
    /// later, also for who has made it: whoever is to find its own changes calls [`publish`](Self::publish) before.
    #[must_use]
    pub fn snapshot(&self) -> Current<T> {
        self.shared.current.load()
    }

    /// Publishes all changes so far, unless they are published already: [`snapshot`](Self::snapshot) shows them from when this returns.
    ///
    /// It is for who looks at its own change at once: at the start, in a reply, in a test. It takes the registry's lock and copies the list of members, which a
    /// [keeper](Self::keep) does once for many changes, so do not call it after each change of a flood.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use std::time::Duration;
    /// # use chain_runtime::upstream::{Member, Registry};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), chain_runtime::upstream::Refused> {
    /// let registry = Arc::new(Registry::new());
    /// let kept = Arc::clone(&registry);
    /// tokio::spawn(async move { kept.keep().await });
    /// tokio::task::yield_now().await;
    ///
    /// for name in ["a", "b"] {
    ///     registry.register(Member::new(name, 80), Duration::MAX)?;
    /// }
    /// registry.publish();
    /// assert_eq!(registry.snapshot().members().len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn publish(&self) {
        self.publish_at(now());
    }

    /// Registers a member until `lease` has passed without a [`heartbeat`](Self::heartbeat). A lease that reaches further than the clock,
    /// [`Duration::MAX`], does not end.
    ///
    /// It is [`Ready`](State::Ready). Whoever had its name before is gone: a registration is always of a new generation.
    ///
    /// While somebody [keeps](Self::keep) the registry, [`snapshot`](Self::snapshot) shows it only up to a spacing later; [`publish`](Self::publish) shows it at once.
    ///
    /// # Errors
    ///
    /// The name is none, or there are too many members.
    pub fn register(&self, member: Member<T>, lease: Duration) -> Result<Registration, Refused> {
        let mut member = Some(member);
        self.change(|book, now| book.register(&mut member, lease, now))
    }

    /// Renews the lease: it ends when its whole length has passed from now. No snapshot is changed by it.
    ///
    /// # Errors
    ///
    /// The registration is gone. If its lease ended just now, or a moment ago, it is gone as well: nothing brings it back but to register anew.
    pub fn heartbeat(&self, registration: &Registration) -> Result<(), Gone> {
        self.change(|book, now| book.heartbeat(registration, now))
    }

    /// How long the lease goes on if nobody renews it. `None` where it does not end.
    ///
    /// # Errors
    ///
    /// The registration is gone.
    pub fn lease_left(&self, registration: &Registration) -> Result<Option<Duration>, Gone> {
        let ends = self.lock().book.ends(registration)?;
        let left = ends.map(|ends| ends.saturating_duration_since(now()));
        if left == Some(Duration::ZERO) { Err(Gone) } else { Ok(left) }
    }

    /// Lets nothing new begin. What is in flight goes on, and [`drained`](Self::drained) tells of its end. The member stays while it is renewed, and is
    /// [`Draining`](State::Draining) for good.
    ///
    /// From when this returns, [`begin`](super::Seat::begin) says no, also to who found the seat in an older snapshot. That goes also for the snapshot that is current then: while somebody [keeps](Self::keep) the registry,
    /// [`snapshot`](Self::snapshot) shows the member as it was up to a spacing longer, unless [`publish`](Self::publish) is called.
    ///
    /// # Errors
    ///
    /// The registration is gone.
    pub fn drain(&self, registration: &Registration) -> Result<(), Gone> {
        self.change_state(registration, |_, _| State::Draining).map(drop)
    }

    /// Takes the member out. Nothing new begins there from when this returns; what is in flight goes on.
    ///
    /// While somebody [keeps](Self::keep) the registry, [`snapshot`](Self::snapshot) has the member up to a spacing longer, unless [`publish`](Self::publish) is called.
    ///
    /// # Errors
    ///
    /// The registration is gone already.
    pub fn remove(&self, registration: &Registration) -> Result<(), Gone> {
        self.change(|book, _| book.remove(registration))
    }

    /// Changes the state of this generation, by what it is and how many members are in which state. `change` runs under the registry's lock, so
    /// nothing comes between what it is told and what it says: let it be short, and do not call the registry from it. Returns the state that the
    /// member is in then: what `change` said, but [`Ready`](State::Ready) for an ejection that would have ended already.
    ///
    /// A member that is [`Draining`](State::Draining) stays so, and `change` is not asked.
    ///
    /// While somebody [keeps](Self::keep) the registry, [`snapshot`](Self::snapshot) shows it only up to a spacing later; [`publish`](Self::publish) shows it at once.
    ///
    /// # Errors
    ///
    /// The registration is gone.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use chain_runtime::upstream::{Member, Registry, State};
    /// let registry = Registry::new();
    /// let [a, b] = ["a", "b"].map(|name| registry.register(Member::new(name, 80), Duration::MAX).unwrap());
    ///
    /// // At most half of all are not ready.
    /// for registration in [a, b] {
    ///     registry.change_state(&registration, |state, counts| {
    ///         if 2 * (counts.ready - 1) >= counts.all() { State::Unhealthy } else { state }
    ///     })?;
    /// }
    /// assert_eq!(registry.snapshot().counts().ready, 1);
    /// # Ok::<(), chain_runtime::upstream::Gone>(())
    /// ```
    pub fn change_state(
        &self,
        registration: &Registration,
        change: impl FnOnce(State, Counts) -> State,
    ) -> Result<State, Gone> {
        self.change(|book, now| book.change_state(registration, now, change))
    }

    /// Ejects this generation for how its requests ended, unless it is not ready, or too many are out already.
    pub(super) fn eject(&self, registration: &Registration, cause: Cause, now: Instant) -> Result<(), Gone> {
        let chance = fastrand::f64();
        self.change_at(now, |book, _| book.eject(registration, cause, now, chance))
    }

    /// Wakes a keeper, if there is one.
    pub(super) fn wake(&self) -> &Notify {
        &self.shared.wake
    }

    /// Changes the weight of this generation. Its seat stays as it is.
    ///
    /// While somebody [keeps](Self::keep) the registry, [`snapshot`](Self::snapshot) shows it only up to a spacing later; [`publish`](Self::publish) shows it at once.
    ///
    /// # Errors
    ///
    /// The registration is gone.
    pub fn weigh(&self, registration: &Registration, weight: NonZeroU32) -> Result<(), Gone> {
        self.change(|book, _| book.weigh(registration, weight))
    }

    /// Takes out those whose leases have ended by `now`, and says how many they were. [`keep`](Self::keep) does it by the clock.
    pub fn evict(&self, now: Instant) -> usize {
        self.change_at(now, |_, evicted| evicted)
    }

    /// Completes when nothing is in flight for this registration, and nothing will be: when it was drained, or is gone, and what had begun has ended.
    pub async fn drained(&self, registration: &Registration) {
        let seat = self.lock().book.seat(registration);
        if let Some(seat) = seat {
            seat.drained().await;
        }
    }

    /// Completes when there is a snapshot of a greater [version](Snapshot::version) than this, and returns it.
    pub async fn changed(&self, seen: u64) -> Arc<Snapshot<T>> {
        loop {
            let mut told = core::pin::pin!(self.shared.news.notified());
            told.as_mut().enable();
            let now = self.snapshot();
            if now.version() > seen {
                return now.keep();
            }
            drop(now);
            told.await;
        }
    }

    /// Members that come as a list.
    #[must_use]
    pub fn listed(&self) -> Listed<T> {
        Listed::new(Self::of(Arc::clone(&self.shared)))
    }

    pub(super) fn lock(&self) -> impl core::ops::DerefMut<Target = Inner<T>> {
        // Whoever panics under the lock does so before it changes anything (`Book::change_state`), or between two changes that are whole.
        self.shared.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the book, at this moment.
    pub(super) fn change<R>(&self, change: impl FnOnce(&mut Book<T>, Instant) -> R) -> R {
        let now = now();
        self.change_at(now, |book, _| change(book, now))
    }

    /// Changes the book, after what has ended by `now` was taken out of it, and publishes what has changed.
    pub(super) fn change_at<R>(&self, now: Instant, change: impl FnOnce(&mut Book<T>, usize) -> R) -> R {
        let mut inner = self.lock();
        let evicted = inner.book.expire(now);
        // It may be the user's, and panic. What has changed before is published all the same, or readers would go on to find seats that are closed.
        let result = catch_unwind(AssertUnwindSafe(|| change(&mut inner.book, evicted)));
        let Inner { book, pace } = &mut *inner;
        let Then { publish, wake } = pace.then(book.version(), book.next_end(), now);
        let dropped = core::mem::take(&mut book.dropped);
        drop(inner);
        if wake {
            self.shared.wake.notify_one();
        }
        if publish {
            self.publish_at(now);
        }
        drop(dropped);
        result.unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// Publishes all changes so far, unless another thread has.
    ///
    /// While one thread publishes, others change the book and then wait here; the first of them publishes for all.
    pub(super) fn publish_at(&self, now: Instant) {
        let turn = self.shared.publishing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut inner = self.lock();
        let Inner { book, pace } = &mut *inner;
        let next = pace.published(book.version(), now).then(|| book.snapshot());
        drop(inner);
        let before = next.map(|next| self.shared.current.swap(next));
        drop(turn);
        // Whoever holds the last reference to a snapshot drops its members with it, so not under a lock.
        if before.is_some() {
            self.shared.news.notify_waiters();
        }
    }

    /// Publishes all changes so far, and looks into the snapshot before there is another change: whatever is closed in it is drained. `look` is short, and
    /// does not call the registry.
    pub(super) fn settled<R>(&self, now: Instant, look: impl FnOnce(&Snapshot<T>) -> R) -> R {
        let turn = self.shared.publishing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut inner = self.lock();
        let Inner { book, pace } = &mut *inner;
        let before = pace.published(book.version(), now).then(|| self.shared.current.swap(book.snapshot()));
        let current = self.snapshot();
        let result = look(&current);
        drop(inner);
        drop(turn);
        if before.is_some() {
            self.shared.news.notify_waiters();
        }
        result
    }
}

/// The time by tokio's clock, which tests can pause. Outside of a runtime it is the system's.
pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

impl<T> Default for Registry<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for Registry<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("current", &self.snapshot()).finish_non_exhaustive()
    }
}

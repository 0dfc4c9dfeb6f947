//! [`Registry`]: the write side behind one lock, and the snapshot that it publishes.

use core::fmt;
use core::time::Duration;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::Notify;

mod members;

use super::book::Book;
use super::clock::now;
use super::health::{Care, Health};
use super::member::Generation;
use super::pace::{Pace, Then};
use super::snapshot::Snapshot;
use super::swap::{Current, Swap};
use super::totals::RegistryTotals;
use crate::sync::Mutex;

/// The members that can be asked. See [the module](super).
pub struct Registry<T> {
    pub(super) shared: Arc<Shared<T>>,
}

/// The state of a registry. Its seats hold it as well, so that the call that notes a failure can have the member
/// ejected.
pub(super) struct Shared<T> {
    inner: Mutex<Inner<T>>,
    /// The publishing thread holds it, so that snapshots are stored in the order in which they were made. It is taken
    /// before `inner`.
    publishing: Mutex<()>,
    current: Swap<T>,
    /// Wakes a keeper.
    wake: Notify,
    /// Notified of each new snapshot.
    news: Notify,
    /// Tells the versions of this registry from those of others, and from those before a restart.
    #[cfg(feature = "upstream-http")]
    pub(super) tag: u64,
}

pub(super) struct Inner<T> {
    pub(super) book: Book<T>,
    pub(super) pace: Pace,
}

/// The most members by default.
const LIMIT: usize = 65_536;

/// The least time between two snapshots of a keeper, by default.
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

    /// Sets the most members. The default is 65,536.
    #[must_use]
    pub fn with_limit(self, members: usize) -> Self {
        self.lock().book.limit = members;
        self
    }

    /// Sets the least time between snapshots while a task [keeps](Self::keep) the registry. The default is 1 ms. The
    /// precision is that of tokio's timers.
    #[must_use]
    pub fn with_spacing(self, spacing: Duration) -> Self {
        self.lock().pace.spacing = spacing;
        self
    }

    /// Sets the first [`Generation`].
    ///
    /// # Panics
    ///
    /// If a member was registered already.
    #[must_use]
    pub fn starting_at(self, first: Generation) -> Self {
        self.lock().book.starts_at(first);
        self
    }

    /// Ejects members for how their requests end, and decides which are asked when many are not well. Without it,
    /// outcomes change nothing.
    ///
    /// # Panics
    ///
    /// If a member was registered already.
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

    /// All members as of the last published snapshot. It takes no lock, does not wait and allocates nothing, except for
    /// arc-swap's first load on a thread.
    ///
    /// If no task [keeps](Self::keep) the registry, each change is published at once. If one does, a change may be
    /// missing until a [spacing](Self::with_spacing) later, even for the thread that made it. To find your own changes,
    /// call [`publish`](Self::publish) before.
    #[must_use]
    pub fn snapshot(&self) -> Current<T> {
        self.shared.current.load()
    }

    /// Publishes all changes so far, unless they are published already: [`snapshot`](Self::snapshot) shows them when
    /// this has returned.
    ///
    /// It is for code that looks at its own change at once: at the start, in a reply, in a test. It takes the
    /// registry's lock and copies the list of members. A [keeper](Self::keep) does that once for many changes, so do
    /// not call this after each change of a flood.
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

    /// Wakes a keeper, if there is one.
    pub(super) fn wake(&self) -> &Notify {
        &self.shared.wake
    }

    /// Completes when there is a snapshot with a greater [version](Snapshot::version) than this, and returns it.
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

    /// What has happened so far.
    #[must_use]
    pub fn totals(&self) -> RegistryTotals {
        self.lock().book.totals
    }

    pub(super) fn lock(&self) -> impl core::ops::DerefMut<Target = Inner<T>> {
        // Code that panics under the lock does so before it changes anything (`Book::change_state`), or between two
        // complete changes.
        self.shared.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the book, now.
    pub(super) fn change<R>(&self, change: impl FnOnce(&mut Book<T>, Instant) -> R) -> R {
        let now = now();
        self.change_at(now, |book, _| change(book, now))
    }

    /// Changes the book, after members whose time has ended by `now` were taken out, and publishes what has changed.
    pub(super) fn change_at<R>(&self, now: Instant, change: impl FnOnce(&mut Book<T>, usize) -> R) -> R {
        let mut inner = self.lock();
        let evicted = inner.book.expire(now);
        // It may be the user's function, and panic. Earlier changes are published all the same. Otherwise readers would
        // continue to find closed seats.
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

    /// Publishes all changes so far, unless another thread has done so.
    ///
    /// While one thread publishes, others change the book and then wait here. The first of these publishes for all of
    /// them.
    pub(super) fn publish_at(&self, now: Instant) {
        let turn = self.shared.publishing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut inner = self.lock();
        let Inner { book, pace } = &mut *inner;
        let next = pace.published(book.version(), now).then(|| book.snapshot());
        drop(inner);
        let before = next.map(|next| self.shared.current.swap(next));
        drop(turn);
        // The holder of the last reference to a snapshot drops the snapshot's members with it, so this is not done
        // under a lock.
        if before.is_some() {
            self.shared.news.notify_waiters();
        }
    }

    /// Publishes all changes so far, and looks at the snapshot before there is another change: a closed seat in it is a
    /// drained one. `look` should be short, and must not call the registry.
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

//! When what has changed is published, and who does it: [`Pace`]; and the [keeper](Registry::keep).

use core::time::Duration;
use std::time::Instant;

use super::registry::{Registry, now};

/// When the last snapshot was published, and when the next may be.
pub(super) struct Pace {
    /// The version of the snapshot that was made last.
    published: u64,
    at: Option<Instant>,
    pub(super) spacing: Duration,
    keepers: usize,
    /// Until when the keepers sleep; `None` is until they are woken.
    asleep_until: Option<Instant>,
}

/// What is to be done after a change. Both may be: a lease that is shorter than all others ends before the keeper would look, also where the
/// change is published at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Then {
    /// Whether whoever made the change publishes it, before the call returns.
    pub(super) publish: bool,
    /// Whether the keeper has to be woken to look at the time.
    pub(super) wake: bool,
}

impl Pace {
    pub(super) const fn new(spacing: Duration) -> Self {
        Self { published: 0, at: None, spacing, keepers: 0, asleep_until: None }
    }

    /// Decides, after a change at `now` that left the book at this version with this end of a lease as the next.
    pub(super) fn then(&mut self, version: u64, next_end: Option<Instant>, now: Instant) -> Then {
        let changed = version != self.published;
        let publish = changed && (self.keepers == 0 || self.next().is_none_or(|next| next <= now));
        let due = if publish { next_end } else { self.due(version, next_end) };
        let is_earlier = |due| self.asleep_until.is_none_or(|until| due < until);
        let wake = self.keepers > 0 && due.is_some_and(is_earlier);
        if wake {
            // Until it sleeps again, nobody else has to wake it for anything that is not earlier.
            self.asleep_until = due;
        }
        Then { publish, wake }
    }

    /// Whether there is something to publish. Then it counts as published.
    pub(super) fn published(&mut self, version: u64, now: Instant) -> bool {
        let is_new = version != self.published;
        if is_new {
            self.published = version;
            self.at = Some(now);
        }
        is_new
    }

    /// From when on a snapshot may be published, while there is a keeper. `None` is at once.
    fn next(&self) -> Option<Instant> {
        self.at?.checked_add(self.spacing)
    }

    /// When a keeper has something to do.
    fn due(&self, version: u64, next_end: Option<Instant>) -> Option<Instant> {
        let publish = if version == self.published { None } else { self.next() };
        publish.into_iter().chain(next_end).min()
    }
}

impl<T> Registry<T> {
    /// Keeps the registry, for as long as it is polled: a task for the life of the process.
    ///
    /// - Those whose leases end are taken out when they end.
    /// - Snapshots are a [spacing](Self::with_spacing) apart. A change is published at once if the last snapshot is older than that, and otherwise together
    ///   with all others that come until then. So a flood of registrations costs a copy of the members each millisecond, and not each time. [`publish`](Self::publish) does not wait for that.
    ///
    /// While nobody keeps it, each change is published before the call returns, and leases end where somebody calls [`evict`](Self::evict), or any method that changes
    /// something. Where this future is dropped, it publishes what has waited.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with its timer.
    pub async fn keep(&self) -> ! {
        let _kept = Kept::new(self);
        loop {
            let due = {
                let mut inner = self.lock();
                let due = inner.pace.due(inner.book.version(), inner.book.next_end());
                inner.pace.asleep_until = due;
                due
            };
            let woken = self.wake().notified();
            match due {
                // Which of the two it was does not matter: what is to be done is in the book.
                Some(due) => drop(tokio::time::timeout_at(due.into(), woken).await),
                None => woken.await,
            }
            self.evict(now());
        }
    }
}

/// While it is there, changes may be left to the keeper.
pub(super) struct Kept<'a, T> {
    registry: &'a Registry<T>,
}

impl<'a, T> Kept<'a, T> {
    pub(super) fn new(registry: &'a Registry<T>) -> Self {
        registry.lock().pace.keepers += 1;
        Self { registry }
    }
}

impl<T> Drop for Kept<'_, T> {
    fn drop(&mut self) {
        self.registry.lock().pace.keepers -= 1;
        self.registry.publish();
        // If there is another one, it may have relied on this one to wake earlier.
        self.registry.wake().notify_one();
    }
}

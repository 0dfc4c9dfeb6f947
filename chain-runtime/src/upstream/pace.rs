//! [`Pace`]: when changes are published, and by which thread.

use core::time::Duration;
use std::time::Instant;

/// When the last snapshot was published, and when the next one may be.
pub(super) struct Pace {
    /// The version of the last snapshot.
    published: u64,
    at: Option<Instant>,
    pub(super) spacing: Duration,
    pub(super) keepers: usize,
    /// Until when the keepers sleep; `None` means until they are woken.
    pub(super) asleep_until: Option<Instant>,
}

/// What has to be done after a change. Both may be needed: a lease that is shorter than all others ends before the
/// keeper would look, even if the change is published at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Then {
    /// Whether the thread that made the change publishes it, before the call returns.
    pub(super) publish: bool,
    /// Whether the keeper has to be woken to look at the time.
    pub(super) wake: bool,
}

impl Pace {
    pub(super) const fn new(spacing: Duration) -> Self {
        Self { published: 0, at: None, spacing, keepers: 0, asleep_until: None }
    }

    /// Decides this, after a change at `now` that left the book at this version, with this as the next end of a lease.
    pub(super) fn then(&mut self, version: u64, next_end: Option<Instant>, now: Instant) -> Then {
        let changed = version != self.published;
        let publish = changed && (self.keepers == 0 || self.next().is_none_or(|next| next <= now));
        let due = if publish { next_end } else { self.due(version, next_end) };
        let is_earlier = |due| self.asleep_until.is_none_or(|until| due < until);
        let wake = self.keepers > 0 && due.is_some_and(is_earlier);
        if wake {
            // Until the keeper sleeps again, no other thread has to wake it for anything that is not earlier.
            self.asleep_until = due;
        }
        Then { publish, wake }
    }

    /// Whether there is something to publish. It counts as published from then on.
    pub(super) fn published(&mut self, version: u64, now: Instant) -> bool {
        let is_new = version != self.published;
        if is_new {
            self.published = version;
            self.at = Some(now);
        }
        is_new
    }

    /// From when on a snapshot may be published, while there is a keeper. `None` means at once.
    fn next(&self) -> Option<Instant> {
        self.at?.checked_add(self.spacing)
    }

    /// When a keeper has something to do.
    pub(super) fn due(&self, version: u64, next_end: Option<Instant>) -> Option<Instant> {
        let publish = if version == self.published { None } else { self.next() };
        publish.into_iter().chain(next_end).min()
    }
}

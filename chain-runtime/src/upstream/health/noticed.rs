//! [`Noticed`]: what is known of a member from the ends of its requests.

use core::fmt;
use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::Relaxed;
use core::time::Duration;
use std::sync::{Arc, Weak};
use std::time::Instant;

use super::settings::{Health, milliseconds};
use super::window::Window;
use crate::upstream::member::Registration;
use crate::upstream::outcome::Outcome;
use crate::upstream::registry::{Registry, Shared};
use crate::upstream::snapshot::State;
use crate::upstream::totals::Cause;

/// How a registry watches its members: when they are ejected, and from which registry.
pub(in crate::upstream) struct Care<T> {
    pub(in crate::upstream) settings: Arc<Health>,
    pub(in crate::upstream) owner: Weak<Shared<T>>,
}

/// What is known of a member by its requests. It counts time in milliseconds, from its registration.
///
/// The code that changes the member's state, under the registry's lock, sets from when on outcomes count. Outcomes are
/// counted without a lock, and order nothing: an outcome that is noted while the state changes may count as before or
/// after the change.
pub(in crate::upstream) struct Noticed<T> {
    care: Care<T>,
    born: Instant,
    window: Window,
    /// The failures in a row: their number in the lower bits, and above it the time of the first.
    run: AtomicU64,
    /// Requests that began before this time do not count.
    counts_from: AtomicU64,
    /// Before this time the registry is not asked, since it has just refused.
    asks_at: AtomicU64,
}

/// The bits of the number of failures in a row.
const COUNT: u32 = 16;

/// The milliseconds after a refusal in which the registry is not asked again whether a member may be ejected.
const REFUSED: u64 = 50;

impl<T> Noticed<T> {
    pub(in crate::upstream) fn new(care: &Care<T>, born: Instant) -> Self {
        let care = Care { settings: Arc::clone(&care.settings), owner: Weak::clone(&care.owner) };
        let [run, counts_from, asks_at] = [const { AtomicU64::new(0) }; 3];
        Self { care, born, window: Window::new(), run, counts_from, asks_at }
    }

    /// Counts an outcome, and ejects the member if there are too many failures now.
    pub(in crate::upstream) fn note(&self, member: &Registration, outcome: Outcome, took: Duration, now: Instant) {
        let failed = match outcome {
            Outcome::Replied { ok } => !ok && self.care.settings.replies,
            Outcome::Failed | Outcome::TimedOut => true,
            Outcome::Cancelled | Outcome::Panicked => return,
        };
        let at = self.at(now);
        if at.saturating_sub(milliseconds(took)) < self.counts_from.load(Relaxed) {
            return;
        }
        self.window.count(at / self.care.settings.bucket(), failed);
        if !failed {
            // The word is written only if that changes something, so that it stays in the caches of all processors that
            // read it.
            if self.run.load(Relaxed) != 0 {
                self.run.store(0, Relaxed);
            }
        } else if let Some(cause) = self.is_one_too_many(at)
            && self.may_ask(at)
            && let Some(shared) = self.care.owner.upgrade()
        {
            // If the registry is gone, its members are not asked any more.
            let _ = Registry::of(shared).eject(member, cause, now);
        }
    }

    /// Counts a failure in a row, and returns whether there are too many now, and why.
    fn is_one_too_many(&self, at: u64) -> Option<Cause> {
        let Health { failures, lasting, samples, success, .. } = *self.care.settings;
        let longer = |run| match count(run) {
            0 => begin(at, 1),
            count if count == (1 << COUNT) - 1 => run,
            _ => run + 1,
        };
        let before = self.run.fetch_update(Relaxed, Relaxed, |run| Some(longer(run))).unwrap_or_else(|run| run);
        let run = longer(before);
        if count(run) >= u64::from(failures) {
            return Some(Cause::InARow);
        }
        if count(run) >= 2 && at.saturating_sub(since(run)) >= milliseconds(lasting) {
            return Some(Cause::Lasting);
        }
        let bucket = self.care.settings.bucket();
        let ended = self.window.newest(at / bucket, self.counts_from.load(Relaxed) / bucket, u64::from(samples));
        let is_too_seldom = ended.is_some_and(|ended| ((ended.all - ended.failed) as f64) < success * ended.all as f64);
        is_too_seldom.then_some(Cause::Rate)
    }

    /// Whether this thread is the one to ask the registry, for a while.
    fn may_ask(&self, at: u64) -> bool {
        let asks_at = self.asks_at.load(Relaxed);
        asks_at <= at && self.asks_at.compare_exchange(asks_at, at + REFUSED, Relaxed, Relaxed).is_ok()
    }

    /// The member's state is this one from now on. Requests count that begin after it is ready again, and the first of
    /// them decides.
    pub(in crate::upstream) fn is(&self, state: State, now: Instant) {
        let back = match state {
            State::Ready => self.at(now),
            State::Ejected { until } => self.at(until),
            State::Unhealthy | State::Draining => u64::MAX,
        };
        // For an ejection that is over, this was already set at its beginning, and outcomes may have counted since.
        if self.counts_from.swap(back, Relaxed) == back {
            return;
        }
        self.run.store(begin(back, u64::from(self.care.settings.failures) - 1), Relaxed);
        self.asks_at.store(0, Relaxed);
    }

    fn at(&self, now: Instant) -> u64 {
        milliseconds(now.saturating_duration_since(self.born))
    }
}

const fn begin(at: u64, count: u64) -> u64 {
    (at << COUNT) | count
}

const fn count(run: u64) -> u64 {
    run & ((1 << COUNT) - 1)
}

/// The time of the first of these failures.
const fn since(run: u64) -> u64 {
    run >> COUNT
}

impl<T> fmt::Debug for Noticed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let run = count(self.run.load(Relaxed));
        f.debug_struct("Noticed").field("failures_in_a_row", &run).finish_non_exhaustive()
    }
}

//! Divides a block's time: what the block took itself, and what it waited for elsewhere.

use core::future::{Future, poll_fn};
use core::pin::Pin;
use std::cell::Cell;
use std::ptr;
use std::thread_local;
use std::time::{Duration, Instant};

use crate::around::Deadline;

thread_local! {
    /// The state of the innermost limit whose block this thread is polling.
    static CURRENT: Cell<Option<Current>> = const { Cell::new(None) };
}

#[derive(Clone, Copy)]
struct Current {
    /// The address of the [`Told`], which does not move while its block runs: it tells one run from another.
    whose: usize,
    told: Told,
}

/// What a block reports to the limit around it while it is polled.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told {
    /// How long it waited for something that is not this limit's. It is in nanoseconds, since each future of an
    /// `Adaptive` has this.
    elsewhere: u64,
    /// The time up to which that is counted. If two parts wait at once, the time counts once.
    counted: Option<Instant>,
    /// Since when it waits so, if it waited when it was last polled.
    pub(super) since: Option<Instant>,
    /// The time by which it has to be done, by a deadline around the limit.
    pub(super) deadline: Option<Instant>,
    pub(super) verdict: Option<Verdict>,
}

/// What a reply means for a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A reply like any other: its time counts.
    Replied,
    /// It counts as timed out: a sign of overload, whatever time it took.
    Lost,
    /// It says nothing: the request was turned away further in, or failed at once.
    Ignored,
    /// A deadline inside of the block expired. It counts as lost, unless most of the time went by elsewhere.
    TimedOut,
}

/// Tells the innermost limit around the code that is being polled how to count this run. The last call counts.
pub(crate) fn tell(verdict: Verdict) {
    if let Some(mut current) = CURRENT.get() {
        current.told.verdict = Some(verdict);
        CURRENT.set(Some(current));
    }
}

/// Polls the block, and puts its reports into `told`.
pub(super) async fn watched<B: Future>(mut block: Pin<&mut B>, told: &mut Told) -> B::Output {
    poll_fn(|context| {
        let whose = ptr::from_ref(told).addr();
        (told.since, told.deadline) = (None, Deadline::current());
        let watch = Watch { before: CURRENT.replace(Some(Current { whose, told: *told })), told };
        let polled = block.as_mut().poll(context);
        drop(watch);
        polled
    })
    .await
}

/// Restores the previous limit as the current one after the poll, even if the poll panics.
struct Watch<'a> {
    before: Option<Current>,
    told: &'a mut Told,
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        let mut before = self.before;
        if let Some(current) = CURRENT.get() {
            // Time that was elsewhere for this limit was also elsewhere for the one around it. The ending is this
            // limit's own.
            if let Some(before) = &mut before {
                let time = current.told.elsewhere().saturating_sub(self.told.elsewhere());
                if let Some(until) = current.told.counted.filter(|_| !time.is_zero()) {
                    before.told.add(until.checked_sub(time).unwrap_or(until), until);
                }
                before.told.since = before.told.since.or(current.told.since);
            }
            *self.told = current.told;
        }
        CURRENT.set(before);
    }
}

/// The run that this thread polls for a limit, if there is one.
pub(super) fn whose() -> Option<usize> {
    CURRENT.get().map(|current| current.whose)
}

impl Told {
    /// How long it waited for something that is not this limit's.
    pub(super) const fn elsewhere(&self) -> Duration {
        Duration::from_nanos(self.elsewhere)
    }

    /// It waited elsewhere in this period.
    fn add(&mut self, since: Instant, until: Instant) {
        let since = self.counted.map_or(since, |counted| counted.max(since));
        let time = until.saturating_duration_since(since).as_nanos();
        self.elsewhere = self.elsewhere.saturating_add(u64::try_from(time).unwrap_or(u64::MAX));
        self.counted = Some(self.counted.map_or(until, |counted| counted.max(until)));
    }
}

/// Adds time that the run waited elsewhere, if it is the run that is polled.
pub(super) fn add_elsewhere(whose: usize, since: Instant, until: Instant) {
    if let Some(mut current) = CURRENT.get().filter(|current| current.whose == whose) {
        current.told.add(since, until);
        // Another part may still be elsewhere, since this poll.
        current.told.since = current.told.since.filter(|other| *other != since);
        CURRENT.set(Some(current));
    }
}

/// The run that is polled waits elsewhere from now on.
pub(super) fn waits_elsewhere(now: Instant) {
    if let Some(mut current) = CURRENT.get() {
        current.told.since = Some(now);
        CURRENT.set(Some(current));
    }
}

/// Polls without reports to any limit.
pub(super) fn hidden<R>(poll: impl FnOnce() -> R) -> R {
    struct Restored(Option<Current>);
    impl Drop for Restored {
        fn drop(&mut self) {
            CURRENT.set(self.0);
        }
    }
    let restored = Restored(CURRENT.take());
    let polled = poll();
    drop(restored);
    polled
}

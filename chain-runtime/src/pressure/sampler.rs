//! Reads the sources, a few times a second.

mod tracked;

use core::convert::Infallible;
use core::fmt;
use std::boxed::Box;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::string::String;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::vec::Vec;

use tokio::sync::Notify;

pub(super) use tracked::Tracked;

use super::level::Shared;
use super::policy::{Highest, Judgement, Policy};
#[cfg(target_os = "linux")]
use super::source::Triggers;
use super::{Because, Change, Level, Seen};

/// The longest time until a thread notices that it is no longer needed.
const SLICE: Duration = Duration::from_millis(200);

/// Reads the sources of a [`Pressure`](super::Pressure) and sets its level. There is one for each pressure.
///
/// A program runs it with [`run`](Self::run) as a task, or [on a thread](Self::on_thread) of its own. A test calls
/// [`sample`](Self::sample) with a clock of its own. A sample allocates nothing.
///
/// When it is dropped, the level becomes calm: otherwise a level that is no longer measured would stay for ever.
pub struct Sampler {
    shared: Arc<Shared>,
    tracked: Vec<Tracked>,
    /// What the policy is given.
    seen: Vec<Seen>,
    policy: Box<dyn Policy>,
    every: Duration,
    dwell: Duration,
    hold: Duration,
    level: Level,
    /// Since when the level has been this.
    since: Option<Instant>,
    /// The source that the level comes from.
    by: Option<usize>,
    last: Option<Instant>,
}

impl Sampler {
    pub(super) fn new(
        shared: Arc<Shared>,
        tracked: Vec<Tracked>,
        policy: Box<dyn Policy>,
        every: Duration,
        dwell: Duration,
        hold: Duration,
    ) -> Self {
        let seen = tracked.iter().map(|one| one.seen).collect();
        let (level, since, by, last) = (Level::Calm, None, None, None);
        Self { shared, tracked, seen, policy, every, dwell, hold, level, since, by, last }
    }

    /// Reads all sources at `now` and sets the level. Returns the change of the level, if there is one. While a level
    /// is forced, there is none.
    ///
    /// A `now` that is not after the previous one is counted ([`Report::still`](super::Report::still)): then levels
    /// rise, and none falls.
    pub fn sample(&mut self, now: Instant) -> Option<Change> {
        let is_still = self.last.is_some_and(|last| now <= last);
        let now = self.last.map_or(now, |last| last.max(now));
        self.last = Some(now);
        for (one, seen) in self.tracked.iter_mut().zip(&mut self.seen) {
            one.read(now, self.hold);
            *seen = one.seen;
        }
        // The policy is code of others. If it panics, the levels of the sources are still there.
        let judged = catch_unwind(AssertUnwindSafe(|| self.policy.judge(now, &self.seen)));
        let is_panic = judged.is_err();
        let judgement = judged.unwrap_or_else(|_| Highest.judge(now, &self.seen));
        let because = self.settle(now, judgement);
        let (level, seen) = (self.level, &self.seen);
        self.shared.change(now, because, |state| {
            state.measured = level;
            state.seen.copy_from_slice(seen);
            state.samples += 1;
            state.still += u64::from(is_still);
            state.policy_panics += u64::from(is_panic);
            state.sampled = Some(now);
        })
    }

    /// Takes over the judgement if it is higher, or if the level has held for the dwell. Returns the reason for the
    /// level.
    fn settle(&mut self, now: Instant, judgement: Judgement) -> Because {
        let has_held = self.since.is_none_or(|since| now.saturating_duration_since(since) >= self.dwell);
        let before = self.level;
        if judgement.level > before || (judgement.level < before && has_held) {
            self.level = judgement.level;
            self.since = Some(now);
        }
        // If it fell, the cause is the source that kept it up before.
        let fell = self.level < before;
        let cause = if fell { self.fallen(before).or(self.by) } else { judgement.by };
        if self.level != before {
            self.by = judgement.by;
        }
        match cause.and_then(|place| self.tracked.get(place)) {
            Some(one) => Because::Source(one.cause()),
            None => Because::Policy,
        }
    }

    /// The source that has just fallen from that level.
    fn fallen(&self, from: Level) -> Option<usize> {
        self.tracked.iter().position(|one| one.before >= from && one.seen.level < from)
    }

    /// Samples for ever, by tokio's clock: every 200 ms or as the builder was told, and at once if the kernel wakes for
    /// a source. It ends when it is dropped.
    ///
    /// If the runtime polls late, so does this. A sampler [on a thread](Self::on_thread) of its own notices that at
    /// once.
    pub async fn run(mut self) -> Infallible {
        let wakes = Wakes::of(&mut self);
        loop {
            self.sample(tokio::time::Instant::now().into_std());
            // A timeout is no error: it is time for the next sample.
            let _ = tokio::time::timeout(self.every, wakes.notify.notified()).await;
        }
    }

    /// Samples on a thread of its own, as [`run`](Self::run) does, until the guard is dropped.
    ///
    /// # Errors
    ///
    /// The thread cannot be started. The level then stays calm.
    pub fn on_thread(mut self) -> io::Result<Sampling> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = thread::Builder::new().name(String::from("chain-pressure")).spawn(move || {
            let mut triggers = self.triggers();
            while !stopped.load(Relaxed) {
                let now = Instant::now();
                self.sample(now);
                let left = || self.every.saturating_sub(now.elapsed());
                while !left().is_zero() && !stopped.load(Relaxed) && !triggers.wait(left().min(SLICE)) {}
            }
        })?;
        Ok(Sampling { stop, thread: Some(thread) })
    }

    /// Asks the kernel to wake for the sources that can be woken for.
    #[cfg(target_os = "linux")]
    fn triggers(&mut self) -> Triggers {
        let mut triggers = Triggers::default();
        for one in &mut self.tracked {
            if let Some(Ok(file)) = one.trigger() {
                triggers.push(file);
                one.seen.is_woken = true;
            }
        }
        triggers
    }

    #[cfg(not(target_os = "linux"))]
    fn triggers(&mut self) -> Triggers {
        Triggers
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        let at = self.last.unwrap_or_else(Instant::now);
        self.shared.change(at, Because::Stopped, |state| {
            state.measured = Level::Calm;
            state.is_sampled = false;
        });
    }
}

impl fmt::Debug for Sampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sampler").field("level", &self.level).field("seen", &self.seen).finish_non_exhaustive()
    }
}

/// A sampler on a thread. Dropping it waits for the thread: up to 200 ms and a sample. After that, the level is calm.
#[derive(Debug)]
#[must_use = "the level is measured until this is dropped"]
pub struct Sampling {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Sampling {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A thread that panicked has reported that.
            let _ = thread.join();
        }
    }
}

/// The wakes of the kernel, for a task: a thread waits for them. The thread is there if there are triggers, and ends
/// some time after this is dropped.
struct Wakes {
    notify: Arc<Notify>,
    stop: Arc<AtomicBool>,
}

impl Wakes {
    fn of(sampler: &mut Sampler) -> Self {
        let wakes = Self { notify: Arc::default(), stop: Arc::default() };
        let mut triggers = sampler.triggers();
        if !triggers.is_empty() {
            let (notify, stop) = (wakes.notify.clone(), wakes.stop.clone());
            let waits = move || {
                while !stop.load(Relaxed) && !triggers.is_empty() {
                    if triggers.wait(SLICE) {
                        notify.notify_one();
                    }
                }
            };
            // Without the thread, samples come at their time.
            let _ = thread::Builder::new().name(String::from("chain-pressure")).spawn(waits);
        }
        wakes
    }
}

impl Drop for Wakes {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
    }
}

/// Stands in where the kernel does not wake.
#[cfg(not(target_os = "linux"))]
#[derive(Debug)]
struct Triggers;

#[cfg(not(target_os = "linux"))]
impl Triggers {
    fn is_empty(&self) -> bool {
        true
    }

    fn wait(&mut self, at_most: Duration) -> bool {
        thread::park_timeout(at_most);
        false
    }
}

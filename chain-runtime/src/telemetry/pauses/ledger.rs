//! The ledger, and a thread's watch.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use thread_local::ThreadLocal;

use super::ring::Ring;
use super::sample::{Sample, Source};
use super::verdict::{Part, verdict};
use super::{Cause, Counts, Evidence, Pause};
use crate::telemetry::Clock;

/// What a [`Ledger`] looks for, and how much it keeps.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// A stretch that is shorter is not looked into. 1 ms by default.
    pub threshold: Duration,
    /// How old a thread's baseline may be where a poll begins. 10 ms by default.
    pub baseline: Duration,
    /// A thread on which no poll has begun for so long has a new baseline with the next one. 1 ms by default.
    pub away: Duration,
    /// How many pauses a thread keeps, and each resource of the machine. 64 by default.
    pub kept: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            threshold: Duration::from_millis(1),
            baseline: Duration::from_millis(10),
            away: Duration::from_millis(1),
            kept: 64,
        }
    }
}

/// The pauses of all threads and of the machine.
///
/// ```
/// use std::thread::sleep;
/// use std::time::Duration;
///
/// use chain_runtime::telemetry::pauses::{Cause, Ledger};
/// use chain_runtime::telemetry::{Clock, Tsc};
///
/// let clock = Tsc::new();
/// let ledger = Ledger::new(clock.clone());
///
/// let began = clock.now();
/// ledger.began(began);
/// sleep(Duration::from_millis(20)); // in a node
/// let now = clock.now();
/// let pause = ledger.ended(began, now).expect("over a millisecond");
/// # if cfg!(target_os = "linux") {
/// assert_eq!(pause.cause, Cause::Blocked);
/// # }
///
/// let mut found = 0;
/// ledger.during(ledger.watch().number(), began, now, |_| found += 1);
/// assert!(found >= 1);
/// ```
#[derive(Debug)]
pub struct Ledger<C: Clock> {
    clock: C,
    settings: Settings,
    /// In ticks.
    threshold: u64,
    watches: ThreadLocal<Watch<C>>,
    numbers: AtomicU32,
    machine: [Mutex<Ring>; 3],
    /// When a thread last took a baseline, for those who need not look while nothing runs.
    active: Arc<AtomicU64>,
}

impl<C: Clock> Ledger<C> {
    /// With the default [`Settings`].
    pub fn new(clock: C) -> Self {
        Self::with(clock, Settings::default())
    }

    /// With settings.
    pub fn with(clock: C, settings: Settings) -> Self {
        Self {
            settings,
            threshold: clock.ticks(settings.threshold),
            watches: ThreadLocal::new(),
            numbers: AtomicU32::new(0),
            machine: core::array::from_fn(|_| Mutex::new(Ring::new(settings.kept))),
            active: Arc::new(AtomicU64::new(clock.now())),
            clock,
        }
    }

    /// The clock whose ticks all times are in.
    pub fn clock(&self) -> &C {
        &self.clock
    }

    /// How long a stretch has to be to be looked into.
    pub fn threshold(&self) -> Duration {
        self.settings.threshold
    }

    /// The watch of this thread, to be used on this thread alone. The first call on a thread allocates it.
    #[inline]
    pub fn watch(&self) -> &Watch<C> {
        self.watches.get_or(|| Watch::new(self))
    }

    /// [`Watch::began`] of this thread's watch.
    #[inline]
    pub fn began(&self, now: u64) {
        self.watch().began(now);
    }

    /// [`Watch::ended`] of this thread's watch, which is looked up only over the threshold.
    #[inline]
    pub fn ended(&self, began: u64, now: u64) -> Option<Pause> {
        if now.saturating_sub(began) < self.threshold { None } else { self.watch().ended(began, now) }
    }

    /// [`Watch::late`] of this thread's watch, which is looked up only over the threshold.
    #[inline]
    pub fn late(&self, woken: u64, now: u64) -> Option<Pause> {
        if now.saturating_sub(woken) < self.threshold { None } else { self.watch().late(woken, now) }
    }

    /// Tells each pause of the thread with this [number](Watch::number) that touches the time from `start` to `end`, in ticks, oldest
    /// first. The thread's lock is held meanwhile: `told` copies, and does not come back here.
    pub fn during(&self, thread: u32, start: u64, end: u64, mut told: impl FnMut(&Pause)) {
        if let Some(watch) = self.watches.iter().find(|watch| watch.number == thread) {
            lock(&watch.state).ring.during(start, end, &mut told);
        }
    }

    /// As [`during`](Self::during), of the whole machine: its times are exact to the interval at which pressure is read.
    pub fn machine(&self, start: u64, end: u64, mut told: impl FnMut(&Pause)) {
        for ring in &self.machine {
            lock(ring).during(start, end, &mut told);
        }
    }

    #[cfg(target_os = "linux")]
    pub(super) fn ring_of(&self, resource: super::Resource) -> MutexGuard<'_, Ring> {
        lock(&self.machine[resource as usize])
    }

    #[cfg(target_os = "linux")]
    pub(super) fn active(&self) -> u64 {
        self.active.load(Relaxed)
    }
}

/// Nothing panics under these locks; what a panic of a caller's `told` leaves is still right.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a thread knows of itself: its baseline and its pauses.
///
/// It belongs to the thread that asked the [`Ledger`] for it.
#[derive(Debug)]
pub struct Watch<C> {
    number: u32,
    clock: C,
    /// In ticks.
    threshold: u64,
    baseline: u64,
    away: u64,
    /// When the next baseline is due, and when a poll last began. Written by the thread alone.
    due: AtomicU64,
    last: AtomicU64,
    active: Arc<AtomicU64>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    known: Option<Known>,
    ring: Ring,
}

/// The last baselines, the newest last, and at least one. The place of a thread that ended is the next thread's, so it says whose they are.
///
/// One is enough but for a run in a node of another run: it begins, and so takes a baseline, in the middle of that one's stretch.
#[derive(Debug)]
struct Known {
    thread: ThreadId,
    source: Source,
    baselines: VecDeque<(u64, Sample)>,
}

/// So many are kept. Of a stretch in which more runs began, the end is looked into.
const BASELINES: usize = 8;

impl<C: Clock> Watch<C> {
    fn new(ledger: &Ledger<C>) -> Self {
        let Settings { baseline, away, kept, .. } = ledger.settings;
        Self {
            number: ledger.numbers.fetch_add(1, Relaxed),
            threshold: ledger.threshold,
            baseline: ledger.clock.ticks(baseline),
            away: ledger.clock.ticks(away),
            clock: ledger.clock.clone(),
            due: AtomicU64::new(0),
            last: AtomicU64::new(0),
            active: ledger.active.clone(),
            state: Mutex::new(State { known: None, ring: Ring::new(kept) }),
        }
    }

    /// The thread's number in its ledger, for [`Ledger::during`]. A thread that begins may have that of one that ended.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// A poll begins on this thread at `now`, in ticks. Asks the kernel at most once in [`Settings::baseline`] on a thread that works,
    /// and once in [`Settings::away`] on one that idles; else it is two comparisons and a store.
    #[inline]
    pub fn began(&self, now: u64) {
        let last = self.last.load(Relaxed);
        self.last.store(now, Relaxed);
        if now >= self.due.load(Relaxed) || now.saturating_sub(last) >= self.away {
            self.renew(now);
        }
    }

    /// A stretch that ran on this thread since `began` ends at `now`, both in ticks. Over the threshold the kernel is asked what it
    /// was, and all that is found is kept; the main cause is returned. Under it, this is one comparison.
    #[inline]
    pub fn ended(&self, began: u64, now: u64) -> Option<Pause> {
        if now.saturating_sub(began) < self.threshold { None } else { self.explain(began, now) }
    }

    /// A poll came late: the task was woken at `woken`, and polled on this thread at `now`, both in ticks. Kept if it is over the
    /// threshold.
    #[inline]
    pub fn late(&self, woken: u64, now: u64) -> Option<Pause> {
        if now.saturating_sub(woken) < self.threshold { None } else { Some(self.keep_late(woken, now, Evidence::Seen)) }
    }

    /// The same, found by another task on the thread.
    pub(super) fn late_by_probe(&self, due: u64, now: u64) {
        if now.saturating_sub(due) >= self.threshold {
            self.keep_late(due, now, Evidence::Inferred);
        }
    }

    #[cold]
    fn keep_late(&self, woken: u64, now: u64, evidence: Evidence) -> Pause {
        let took = self.clock.nanos(now.saturating_sub(woken));
        let counts = Counts::default();
        let thread = Some(self.number);
        let pause = Pause {
            thread,
            start: woken,
            end: now,
            cause: Cause::Late,
            least: took,
            most: took,
            likely: took,
            evidence,
            counts,
        };
        lock(&self.state).ring.push(pause);
        pause
    }

    #[cold]
    fn renew(&self, now: u64) {
        self.sample(&mut lock(&self.state), now, now);
    }

    /// Takes a new baseline; gives what was counted since the last one up to `began`, or else since the oldest, if they are this thread's, and when that was.
    fn sample(&self, state: &mut State, now: u64, began: u64) -> Option<(u64, Sample)> {
        let thread = thread::current().id();
        self.due.store(now.saturating_add(self.baseline), Relaxed);
        self.active.store(now, Relaxed);
        if let Some(known) = state.known.as_mut().filter(|known| known.thread == thread) {
            let sample = known.source.sample();
            let before = known.baselines.iter().rfind(|(at, _)| *at <= began).or(known.baselines.front()).copied();
            if known.baselines.len() == BASELINES {
                known.baselines.pop_front();
            }
            known.baselines.push_back((now, sample));
            return before.map(|(at, before)| (at, sample.since(&before)));
        }
        let source = Source::of_this_thread();
        let mut baselines = VecDeque::with_capacity(BASELINES);
        baselines.push_back((now, source.sample()));
        state.known = Some(Known { thread, source, baselines });
        None
    }

    #[cold]
    fn explain(&self, began: u64, now: u64) -> Option<Pause> {
        let mut state = lock(&self.state);
        let Some((at, since)) = self.sample(&mut state, now, began) else {
            let took = self.clock.nanos(now.saturating_sub(began));
            let unknown =
                Part { cause: Cause::Unexplained, least: 0, most: took, likely: took, evidence: Evidence::Inferred };
            let pause = self.pause(began, now, unknown, Counts::default());
            state.ring.push(pause);
            return Some(pause);
        };
        // What was before the oldest baseline has been told: with a chain inside of a chain, the inner one's stretch.
        let start = began.max(at);
        // Another core's counter may be ahead a little.
        let took = now.saturating_sub(start);
        if took < self.threshold {
            return None;
        }
        if let Some(Known { baselines, .. }) = &mut state.known {
            baselines.drain(..baselines.len().saturating_sub(1));
        }
        let parts = verdict(self.clock.nanos(start - at), self.clock.nanos(took), &since);
        let main = parts.iter().max_by_key(|part| part.likely)?;
        let threshold = self.clock.nanos(self.threshold);
        for part in parts.iter().filter(|part| part.likely >= threshold || core::ptr::eq(*part, main)) {
            state.ring.push(self.pause(start, now, *part, since.counts));
        }
        Some(self.pause(start, now, *main, since.counts))
    }

    fn pause(&self, start: u64, end: u64, part: Part, counts: Counts) -> Pause {
        let Part { cause, least, most, likely, evidence } = part;
        Pause { thread: Some(self.number), start, end, cause, least, most, likely, evidence, counts }
    }
}

//! The ledger, and the watch of a thread.

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
    /// Shorter stretches are not examined. 1 ms by default.
    pub threshold: Duration,
    /// How old a thread's baseline may be when a poll begins. 10 ms by default.
    pub baseline: Duration,
    /// If no poll has begun on a thread for this long, the next poll takes a new baseline. 1 ms by default.
    pub away: Duration,
    /// How many pauses are kept for each thread and each resource of the machine. 64 by default.
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
    /// When a thread last took a baseline, for code that need not look while nothing runs.
    active: Arc<AtomicU64>,
}

impl<C: Clock> Ledger<C> {
    /// With the default [`Settings`].
    pub fn new(clock: C) -> Self {
        Self::with(clock, Settings::default())
    }

    /// With these settings.
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

    /// The clock of the ledger. All times are in its ticks.
    pub fn clock(&self) -> &C {
        &self.clock
    }

    /// A stretch of at least this length is examined.
    pub fn threshold(&self) -> Duration {
        self.settings.threshold
    }

    /// The watch of this thread. Only this thread may use it. The first call on a thread allocates it.
    #[inline]
    pub fn watch(&self) -> &Watch<C> {
        self.watches.get_or(|| Watch::new(self))
    }

    /// Calls [`Watch::began`] of this thread's watch.
    #[inline]
    pub fn began(&self, now: u64) {
        self.watch().began(now);
    }

    /// Calls [`Watch::ended`] of this thread's watch, which is looked up only over the threshold.
    #[inline]
    pub fn ended(&self, began: u64, now: u64) -> Option<Pause> {
        if now.saturating_sub(began) < self.threshold { None } else { self.watch().ended(began, now) }
    }

    /// Calls [`Watch::late`] of this thread's watch, which is looked up only over the threshold.
    #[inline]
    pub fn late(&self, woken: u64, now: u64) -> Option<Pause> {
        if now.saturating_sub(woken) < self.threshold { None } else { self.watch().late(woken, now) }
    }

    /// Calls `told` for each pause of the thread with this [number](Watch::number) that touches the time from `start`
    /// to `end`, in ticks, the oldest first. The thread's lock is held meanwhile: `told` should only copy, and must not
    /// call the ledger.
    pub fn during(&self, thread: u32, start: u64, end: u64, mut told: impl FnMut(&Pause)) {
        if let Some(watch) = self.watches.iter().find(|watch| watch.number == thread) {
            lock(&watch.state).ring.during(start, end, &mut told);
        }
    }

    /// The same as [`during`](Self::during), for the whole machine: its times are exact to the interval at which
    /// pressure is read.
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

/// Nothing panics under these locks. If a caller's `told` panics, the data is still right.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is known of a thread: its baseline and its pauses.
///
/// It belongs to the thread that got it from the [`Ledger`].
#[derive(Debug)]
pub struct Watch<C> {
    number: u32,
    clock: C,
    /// In ticks.
    threshold: u64,
    baseline: u64,
    away: u64,
    /// When the next baseline is due, and when a poll last began. Only the thread writes it.
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

/// The last baselines, at least one, the newest last. The next thread takes over the place of one that ended, so this
/// says to which thread they belong.
///
/// One would be enough, except for a run in a node of another run: it begins, and so takes a baseline, in the middle of
/// the outer run's stretch.
#[derive(Debug)]
struct Known {
    thread: ThreadId,
    source: Source,
    baselines: VecDeque<(u64, Sample)>,
}

/// How many baselines are kept. If more runs began in a stretch, only its end is examined.
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

    /// The thread's number in its ledger, for [`Ledger::during`]. A new thread may have the number of one that ended.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// A poll begins on this thread at `now`, in ticks. The kernel is asked at most once in [`Settings::baseline`] on a
    /// thread that works, and once in [`Settings::away`] on one that idles. Otherwise this is two comparisons and a
    /// store.
    #[inline]
    pub fn began(&self, now: u64) {
        let last = self.last.load(Relaxed);
        self.last.store(now, Relaxed);
        if now >= self.due.load(Relaxed) || now.saturating_sub(last) >= self.away {
            self.renew(now);
        }
    }

    /// A stretch that ran on this thread since `began` ends at `now`, both in ticks. Over the threshold, the kernel is
    /// asked for the causes. All of the pauses are kept, and the main one is returned. Under the threshold, this is one
    /// comparison.
    #[inline]
    pub fn ended(&self, began: u64, now: u64) -> Option<Pause> {
        if now.saturating_sub(began) < self.threshold { None } else { self.explain(began, now) }
    }

    /// A poll came late: the task was woken at `woken`, and polled on this thread at `now`, both in ticks. The pause is
    /// kept if it is over the threshold.
    #[inline]
    pub fn late(&self, woken: u64, now: u64) -> Option<Pause> {
        if now.saturating_sub(woken) < self.threshold { None } else { Some(self.keep_late(woken, now, Evidence::Seen)) }
    }

    /// The same, if another task on the thread found it.
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

    /// Takes a new baseline. Returns what was counted since the last baseline before `began`, or, without one, since
    /// the oldest, and the time of that baseline, if it is this thread's.
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
        // The time before the oldest baseline was already reported: in a chain inside of a chain, it is the inner one's
        // stretch.
        let start = began.max(at);
        // Another core's counter may be slightly ahead.
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

//! [`Keeper`]: the slowest runs and the last that failed, as they are in their records.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::boxed::Box;
use std::mem;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use std::vec::Vec;

use super::record::{PAUSES, Place, Record, unpacked};
use crate::describe::ChainInfo;
use crate::observe::Way;
use crate::telemetry::pauses::{Ledger, Pause};
use crate::telemetry::trace_context::Handed;
use crate::telemetry::{Clock, Keeps, Kept, KeptPause, KeptStretch, Outcome, Whose};

/// Two bounded lists, whose memory is allocated at the beginning. Many runs may fail, so keeping a failed one exchanges
/// lists: nothing is copied, and nothing allocated.
#[derive(Debug)]
pub(super) struct Keeper {
    /// A run that took no longer than this is not among the slowest. `u64::MAX` if none are kept.
    faster: AtomicU64,
    keeps_failed: bool,
    missed: AtomicU64,
    lists: Mutex<Lists>,
}

#[derive(Debug)]
struct Lists {
    number: u64,
    slowest: Box<[Slot]>,
    failed: Box<[Slot]>,
    /// The place of the next run that fails.
    next: usize,
}

#[derive(Debug)]
struct Slot {
    /// `None` if no run is kept here.
    run: Option<Run>,
    list: Box<[AtomicU64]>,
    pauses: Vec<(Place, Pause)>,
}

/// A run that is over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) outcome: Outcome,
    pub(super) took: u64,
    began: u64,
    number: u64,
    ended: SystemTime,
    boundaries: u32,
    handed: Option<Handed>,
}

impl Run {
    /// It is over now.
    fn of(record: &Record, outcome: Outcome, took: u64, number: u64) -> Self {
        let (began, boundaries) = (record.began.load(Relaxed), record.boundaries.load(Relaxed));
        Self { outcome, took, began, number, ended: SystemTime::now(), boundaries, handed: record.handed.get() }
    }
}

impl Keeper {
    /// Makes room for so many of the slowest and of the failed runs, whose records list so many boundaries.
    pub(super) fn new(slowest: usize, failed: usize, boundaries: usize) -> Self {
        let slots = |count| (0..count).map(|_| Slot::new(boundaries)).collect::<Box<[_]>>();
        Self {
            faster: AtomicU64::new(if slowest == 0 { u64::MAX } else { 0 }),
            keeps_failed: failed > 0,
            missed: AtomicU64::new(0),
            lists: Mutex::new(Lists { number: 0, slowest: slots(slowest), failed: slots(failed), next: 0 }),
        }
    }

    /// Whether a run of so many ticks is to be kept.
    #[inline(always)]
    pub(super) fn wants(&self, took: u64, failed: bool) -> bool {
        took > self.faster.load(Relaxed) || failed && self.keeps_failed
    }

    /// Keeps the run, unless another thread is keeping one at this moment.
    #[cold]
    pub(super) fn keep(&self, record: &mut Record, outcome: Outcome, took: u64) {
        let Ok(mut lists) = self.lists.try_lock() else {
            self.missed.fetch_add(1, Relaxed);
            return;
        };
        let run = Run::of(record, outcome, took, lists.number);
        let Lists { slowest, failed, next, number } = &mut *lists;
        if took > self.faster.load(Relaxed)
            && let Some(slot) = slowest.iter_mut().min_by_key(|slot| slot.took())
        {
            slot.takes(run, record.paused());
            // The run may be needed once more, so it is copied.
            slot.list.iter().zip(&record.list).for_each(|(to, from)| to.store(from.load(Relaxed), Relaxed));
        }
        if !outcome.is_replied()
            && let Some(slot) = failed.get_mut(*next)
        {
            slot.takes(run, record.paused());
            mem::swap(&mut slot.list, &mut record.list);
            *next = (*next + 1) % failed.len();
        }
        *number += 1;
        if let Some(fastest) = slowest.iter().map(Slot::took).min() {
            self.faster.store(fastest, Relaxed);
        }
    }

    pub(super) fn read<C: Clock>(&self, chain: &'static ChainInfo, clock: &C, ledger: Option<&Ledger<C>>) -> Keeps {
        let lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        let copies = |slots: &[Slot]| slots.iter().filter_map(Slot::copied).collect::<Vec<_>>();
        let (mut slowest, mut failed) = (copies(&lists.slowest), copies(&lists.failed));
        drop(lists);
        slowest.sort_by_key(|copied| core::cmp::Reverse(copied.run.took));
        failed.sort_by_key(|copied| core::cmp::Reverse(copied.run.number));
        let kept = |all: Vec<Copied>| all.iter().map(|copied| copied.kept(chain, clock, ledger)).collect();
        Keeps { slowest: kept(slowest), failed: kept(failed), missed: self.missed.load(Relaxed) }
    }

    /// Drops all kept runs.
    pub(super) fn clear(&self) {
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        let Lists { slowest, failed, next, .. } = &mut *lists;
        slowest.iter_mut().chain(failed).for_each(|slot| slot.run = None);
        *next = 0;
        self.faster.store(if slowest.is_empty() { u64::MAX } else { 0 }, Relaxed);
    }
}

impl Slot {
    fn new(boundaries: usize) -> Self {
        let list = (0..boundaries).map(|_| AtomicU64::new(0)).collect();
        Self { run: None, list, pauses: Vec::with_capacity(PAUSES) }
    }

    fn takes(&mut self, run: Run, pauses: &[(Place, Pause)]) {
        self.run = Some(run);
        self.pauses.clear();
        self.pauses.extend(pauses.iter().take(PAUSES));
    }

    /// 0 if no run is kept here: every run is slower.
    fn took(&self) -> u64 {
        self.run.map_or(0, |run| run.took)
    }

    fn copied(&self) -> Option<Copied> {
        let run = self.run?;
        let list = self.list.iter().take(run.boundaries as usize).map(|boundary| boundary.load(Relaxed));
        Some(Copied { run, list: list.collect(), pauses: self.pauses.clone() })
    }
}

/// The contents of a slot, copied so that its lock is held only shortly.
pub(super) struct Copied {
    run: Run,
    list: Vec<u64>,
    pauses: Vec<(Place, Pause)>,
}

impl Copied {
    /// A run that was not kept yet.
    pub(super) fn of(record: &mut Record, outcome: Outcome, took: u64) -> Self {
        let run = Run::of(record, outcome, took, 0);
        let list = record.list.iter().take(run.boundaries as usize).map(|boundary| boundary.load(Relaxed)).collect();
        Self { run, list, pauses: record.paused().to_vec() }
    }

    pub(super) fn kept<C: Clock>(&self, chain: &'static ChainInfo, clock: &C, ledger: Option<&Ledger<C>>) -> Kept {
        let Self { run, list, .. } = self;
        let nanos = |ticks| Duration::from_nanos(clock.nanos(ticks));
        let took = nanos(run.took);
        let starts = core::iter::once((super::record::CHAIN, 0)).chain(list.iter().map(|boundary| unpacked(*boundary)));
        let ends = list.iter().map(|boundary| unpacked(*boundary).1).chain(core::iter::once(run.took));
        let is_truncated = run.boundaries as usize > list.len();
        // If there were more stretches, the length of the last one is unknown. Empty stretches are left out, such as
        // the first one of a run whose first node begins at once.
        let known = list.len() + usize::from(!is_truncated);
        let stretches =
            starts.zip(ends).take(known).filter(|((_, start), end)| start < end).map(|((place, start), end)| {
                let (start, end) = (nanos(start), nanos(end));
                KeptStretch { whose: whose(place), start, length: end.saturating_sub(start) }
            });
        Kept {
            chain,
            number: run.number,
            began: run.ended.checked_sub(took).unwrap_or(SystemTime::UNIX_EPOCH),
            took,
            outcome: run.outcome,
            trace: run.handed.map(|handed| handed.context),
            method: run.handed.and_then(|handed| handed.method),
            status: run.handed.and_then(|handed| handed.status),
            stretches: stretches.collect(),
            is_truncated,
            pauses: self.pauses(clock, ledger),
        }
    }

    /// Its own pauses, and what the machine was short of meanwhile. The latter is known only after a while, so it is
    /// asked for now.
    fn pauses<C: Clock>(&self, clock: &C, ledger: Option<&Ledger<C>>) -> Vec<KeptPause> {
        let Run { began, took, .. } = self.run;
        let since = |ticks: u64| Duration::from_nanos(clock.nanos(ticks.saturating_sub(began).min(took)));
        let kept = |whose, pause: &Pause| {
            let (start, end) = (since(pause.start), since(pause.end));
            let [least, most, likely] = within(pause, clock.nanos(pause.end.saturating_sub(pause.start)), end - start);
            KeptPause { whose, start, end, cause: pause.cause, least, most, likely, evidence: pause.evidence }
        };
        let mut all: Vec<_> = self.pauses.iter().map(|(place, pause)| kept(Some(whose(*place)), pause)).collect();
        if let Some(ledger) = ledger {
            ledger.machine(began, began + took, |pause| all.push(kept(None, pause)));
        }
        all
    }
}

/// How much of a pause, which lies somewhere in so many nanoseconds, is in a part of these. A pause of the machine may
/// be longer than a run. It is assumed to be spread evenly.
fn within(pause: &Pause, all: u64, part: Duration) -> [Duration; 3] {
    let part = u64::try_from(part.as_nanos()).unwrap_or(u64::MAX).min(all);
    let (least, most) = (pause.least.saturating_sub(all - part), pause.most.min(part));
    let likely = u128::from(pause.likely) * u128::from(part) / u128::from(all.max(1));
    let likely =
        if part == all { pause.likely } else { u64::try_from(likely).unwrap_or(u64::MAX).clamp(least.min(most), most) };
    [least, most, likely].map(Duration::from_nanos)
}

fn whose(place: Place) -> Whose {
    let Some(position) = (place as usize / 4).checked_sub(1) else { return Whose::Chain };
    let way = if place & 1 == 0 { Way::In } else { Way::Out };
    if super::record::waits(place) { Whose::Waiting(position, way) } else { Whose::Running(position, way) }
}

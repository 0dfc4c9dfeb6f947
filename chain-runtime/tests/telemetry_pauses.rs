//! Each cause of a pause is provoked by itself, and found.
//!
//! Other work on the machine adds pauses of its own, so a test asks that its cause was found with the length that it was given, and
//! not that nothing else was.

#![cfg(all(feature = "telemetry", target_os = "linux"))]

use std::collections::HashSet;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use chain_runtime::telemetry::pauses::{Cause, Evidence, Ledger, Pause, Settings, Watch};
use chain_runtime::telemetry::{Clock, Manual, Tsc};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;

const MS: u64 = 1_000_000;

/// What this thread has computed since it began.
fn cpu() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap().into()
}

/// Computes until the thread had this much of a core.
fn spin(time: Duration) {
    let end = cpu() + time;
    while cpu() < end {
        for round in 0..1_000_u32 {
            black_box(round);
        }
    }
}

/// A stretch of `work` on this thread: all that is in the ledger of it, and what it took in nanoseconds.
fn stretch(ledger: &Ledger<Tsc>, work: impl FnOnce()) -> (Option<Pause>, Vec<Pause>, u64) {
    let (watch, clock) = (ledger.watch(), ledger.clock());
    let began = clock.now();
    watch.began(began);
    work();
    let now = clock.now();
    let main = watch.ended(began, now);
    let mut all = Vec::new();
    ledger.during(watch.number(), began, now, |pause| all.push(*pause));
    let took = clock.nanos(now - began);
    let likely: u64 = all.iter().map(|pause| pause.likely).sum();
    assert!(likely <= took + MS / 10, "{likely} ns in {took} ns: {all:#?}");
    for pause in &all {
        assert!(pause.start >= began && pause.end == now && pause.least <= pause.likely && pause.likely <= pause.most);
    }
    (main, all, took)
}

fn likely(pauses: &[Pause], cause: Cause) -> u64 {
    pauses.iter().filter(|pause| pause.cause == cause).map(|pause| pause.likely).sum()
}

/// The pause of this cause. Where the machine has other work, it need not be the longest.
#[track_caller]
fn of(all: &[Pause], cause: Cause) -> Pause {
    *all.iter().find(|pause| pause.cause == cause).unwrap_or_else(|| panic!("{all:#?}"))
}

#[test]
fn a_node_that_spins_is_busy() {
    let (main, all, _) = stretch(&Ledger::new(Tsc::new()), || spin(Duration::from_millis(60)));
    assert!(main.is_some());
    let busy = of(&all, Cause::Busy);
    assert!(busy.most >= 55 * MS && busy.evidence == Evidence::Seen, "{all:#?}");
    assert_eq!(likely(&all, Cause::Blocked) + likely(&all, Cause::Faults), 0, "{all:#?}");
}

#[test]
fn a_node_that_sleeps_is_blocked() {
    let before = cpu();
    let (main, all, took) = stretch(&Ledger::new(Tsc::new()), || thread::sleep(Duration::from_millis(200)));
    let computed = cpu() - before;
    assert!(main.is_some());
    let blocked = of(&all, Cause::Blocked);
    assert_eq!(blocked.evidence, Evidence::Seen, "{all:#?}");
    assert!(blocked.least >= 195 * MS && blocked.most <= took && blocked.counts.voluntary >= 1, "{all:#?}");
    // Falling asleep and waking up are work. A virtual machine that is stopped meanwhile has the kernel count the stop as work of this
    // thread, which can be milliseconds: the ledger says what the kernel says, and nothing beyond it.
    assert!(u128::from(likely(&all, Cause::Busy)) <= computed.as_nanos(), "{computed:?}: {all:#?}");
    assert_eq!(likely(&all, Cause::Faults), 0, "{all:#?}");
}

#[test]
fn a_node_that_waits_for_a_lock_is_blocked() {
    let lock = std::sync::Mutex::new(());
    thread::scope(|scope| {
        let (taken, is_taken) = std::sync::mpsc::channel();
        let lock = &lock;
        scope.spawn(move || {
            let _held = lock.lock().unwrap();
            taken.send(()).unwrap();
            thread::sleep(Duration::from_millis(200));
        });
        is_taken.recv().unwrap();
        let (main, all, _) = stretch(&Ledger::new(Tsc::new()), || drop(lock.lock().unwrap()));
        assert!(main.is_some() && of(&all, Cause::Blocked).evidence == Evidence::Seen, "{all:#?}");
    });
}

/// Memory that is fresh from the system: more than an allocator keeps, so that it is mapped, and its pages are brought when touched.
#[test]
fn a_node_that_touches_fresh_memory_faults() {
    const BYTES: usize = 256 << 20;
    // Of huge pages, there would be few faults.
    nix::sys::prctl::set_thp_disable(true).unwrap();
    let (_, all, _) = stretch(&Ledger::new(Tsc::new()), || {
        let mut memory = Vec::<u8>::with_capacity(BYTES);
        let space = memory.spare_capacity_mut();
        for page in (0..BYTES).step_by(4096) {
            space[page].write(1);
        }
        black_box(&mut memory);
    });
    let faults = of(&all, Cause::Faults);
    assert!(faults.counts.minor_faults >= 1_000 && faults.evidence == Evidence::Inferred, "{all:#?}");
    assert!(faults.likely >= likely(&all, Cause::Busy), "{all:#?}");
    // The same again in memory that is there already has no faults.
    let mut memory = vec![1_u8; 16 << 20];
    let (_, all, _) = stretch(&Ledger::new(Tsc::new()), || {
        for _ in 0..20 {
            memory.iter_mut().step_by(64).for_each(|byte| *byte = black_box(*byte).wrapping_add(1));
        }
    });
    assert_eq!(likely(&all, Cause::Faults), 0, "{all:#?}");
}

/// Three threads that compute have one core between them.
#[test]
fn a_node_whose_thread_shares_its_core_is_preempted() {
    let allowed = sched_getaffinity(Pid::from_raw(0)).unwrap();
    let core = (0..CpuSet::count()).find(|core| allowed.is_set(*core).unwrap()).unwrap();
    let mut alone = CpuSet::new();
    alone.set(core).unwrap();
    let done = &AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(move || {
                sched_setaffinity(Pid::from_raw(0), &alone).unwrap();
                while !done.load(Relaxed) {
                    spin(Duration::from_micros(100));
                }
            });
        }
        let found = scope
            .spawn(move || {
                sched_setaffinity(Pid::from_raw(0), &alone).unwrap();
                stretch(&Ledger::new(Tsc::new()), || spin(Duration::from_millis(100)))
            })
            .join();
        done.store(true, Relaxed);
        let (_, all, took) = found.unwrap();
        let preempted = of(&all, Cause::Preempted);
        assert!(preempted.likely >= 30 * MS && preempted.evidence == Evidence::Seen, "{took} ns: {all:#?}");
        assert!(preempted.counts.involuntary >= 1, "{all:#?}");
        assert_eq!(likely(&all, Cause::Blocked), 0, "{all:#?}");
    });
}

#[test]
fn a_short_stretch_is_not_looked_into() {
    let clock = Manual::new();
    let ledger = Ledger::new(clock.clone());
    let watch = ledger.watch();
    watch.began(0);
    clock.advance(Duration::from_nanos(999_999));
    assert_eq!((watch.ended(0, clock.now()), ledger.ended(0, clock.now())), (None, None));
    assert_eq!((watch.late(0, clock.now()), ledger.late(0, clock.now())), (None, None));
    clock.advance(Duration::from_nanos(1));
    assert!(watch.late(0, clock.now()).is_some() && ledger.late(0, clock.now()).is_some());
    assert!(watch.ended(0, clock.now()).is_some());
}

/// The thread was idle in between: that is not the stretch's.
#[test]
fn what_a_thread_slept_before_a_stretch_is_not_the_stretch_s() {
    let ledger = Ledger::new(Tsc::new());
    ledger.watch().began(ledger.clock().now());
    thread::sleep(Duration::from_millis(8));
    let (_, all, _) = stretch(&ledger, || spin(Duration::from_millis(20)));
    assert!(likely(&all, Cause::Busy) >= 15 * MS, "{all:#?}");
    assert_eq!(likely(&all, Cause::Blocked), 0, "{all:#?}");
}

/// A baseline that is older than the stretch leaves a doubt, and the bounds say how much.
#[test]
fn an_old_baseline_widens_the_bounds() {
    let mut settings = Settings::default();
    settings.baseline = Duration::from_secs(60);
    settings.away = Duration::from_secs(60);
    let ledger = Ledger::with(Tsc::new(), settings);
    ledger.watch().began(ledger.clock().now());
    spin(Duration::from_millis(50));
    let (_, all, _) = stretch(&ledger, || thread::sleep(Duration::from_millis(300)));
    let blocked = of(&all, Cause::Blocked);
    // It may have slept up to 50 ms before, or more where the thread had to wait for its core.
    assert!(blocked.most >= 295 * MS && blocked.least + 45 * MS <= blocked.most, "{all:#?}");
}

/// Of a chain inside of a chain, the inner stretch is told first.
#[test]
fn a_pause_is_told_once() {
    let ledger = Ledger::new(Tsc::new());
    let (watch, clock) = (ledger.watch(), ledger.clock());
    let outer = clock.now();
    watch.began(outer);
    let inner = clock.now();
    thread::sleep(Duration::from_millis(100));
    let inner_now = clock.now();
    watch.ended(inner, inner_now).unwrap();
    let now = clock.now();
    let again = watch.ended(outer, now);
    assert!(again.is_none_or(|pause| pause.start >= inner_now), "{again:?}");
}

/// Of a chain inside of a chain, the inner run takes a baseline in the middle of the outer stretch.
#[test]
fn a_pause_is_found_where_a_run_of_another_chain_begins_behind_it() {
    let ledger = Ledger::new(Tsc::new());
    for runs in [1, 3] {
        let (main, all, _) = stretch(&ledger, || {
            thread::sleep(Duration::from_millis(100));
            for _ in 0..runs {
                ledger.began(ledger.clock().now());
                thread::sleep(Duration::from_millis(2));
            }
        });
        assert!(main.is_some() && of(&all, Cause::Blocked).least >= 95 * MS, "{runs}: {all:#?}");
    }
}

#[test]
fn a_thread_keeps_as_many_as_it_was_told_and_the_oldest_go() {
    let clock = Manual::new();
    let mut settings = Settings::default();
    settings.kept = 3;
    let ledger = Ledger::with(clock.clone(), settings);
    let watch = ledger.watch();
    for _ in 0..10 {
        let woken = clock.now();
        clock.advance(Duration::from_millis(2));
        watch.late(woken, clock.now()).unwrap();
    }
    let mut starts = Vec::new();
    ledger.during(watch.number(), 0, u64::MAX, |pause| starts.push(pause.start / MS));
    assert_eq!(starts, [14, 16, 18]);
    starts.clear();
    ledger.during(watch.number(), 17 * MS, 17 * MS, |pause| starts.push(pause.start / MS));
    assert_eq!(starts, [16]);
    ledger.during(watch.number() + 1, 0, u64::MAX, |_| panic!("nobody has that number"));
}

/// A thread that begins may take the place of one that ended, with its watch. What the other one had is not its baseline.
///
/// It does so unless a thread of another test takes the place first.
#[test]
fn a_thread_is_not_measured_from_another_one_s_baseline() {
    let ledger = Ledger::new(Tsc::new());
    let mut settings = Settings::default();
    (settings.baseline, settings.away) = (Duration::from_secs(60), Duration::from_secs(60));
    let old = Ledger::with(Tsc::new(), settings);
    let (mut known, mut taken_over) = (HashSet::new(), 0);
    for _ in 0..100 {
        let number = thread::scope(|scope| {
            let ended = scope.spawn(|| {
                let (main, all, _) = stretch(&ledger, || thread::sleep(Duration::from_millis(50)));
                assert!(main.is_some());
                let (blocked, own) = (of(&all, Cause::Blocked), ledger.watch().number());
                assert_eq!((blocked.thread, blocked.evidence), (Some(own), Evidence::Seen), "{all:#?}");
                // A baseline that lasts is the first thread's alone: of the others nothing is known.
                let is_known = known.contains(&old.watch().number());
                let (main, all, took) = stretch(&old, || spin(Duration::from_millis(10)));
                let main = main.unwrap();
                if is_known {
                    assert_eq!((main.cause, main.least, main.most), (Cause::Unexplained, 0, took), "{all:#?}");
                } else {
                    assert!(likely(&all, Cause::Busy) > 0, "{all:#?}");
                }
                old.watch().number()
            });
            // Joined, and not only done: by then it has left its place.
            ended.join().unwrap()
        });
        taken_over += usize::from(!known.insert(number));
        if taken_over == 2 {
            return;
        }
    }
    panic!("no thread took a place over");
}

#[test]
fn a_watch_can_be_kept_where_threads_share_it() {
    fn shared<T: Send + Sync>() {}
    shared::<Watch<Tsc>>();
    shared::<Ledger<Tsc>>();
}

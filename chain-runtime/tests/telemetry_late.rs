//! Polls that come late are found: between a wake and its poll, and by a probe that sleeps.

#![cfg(feature = "telemetry")]

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use chain_runtime::around::Timer;
use chain_runtime::telemetry::pauses::{Cause, Evidence, Ledger, Pause, Settings, Woken, lag};
use chain_runtime::telemetry::{Clock, Manual};

const MS: u64 = 1_000_000;

/// The runtime's waker: counts.
#[derive(Default)]
struct Runtime(AtomicUsize);

impl Wake for Runtime {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

fn here(ledger: &Ledger<Manual>) -> Vec<Pause> {
    let mut all = Vec::new();
    ledger.during(ledger.watch().number(), 0, u64::MAX, |pause| all.push(*pause));
    all
}

#[test]
fn the_time_between_a_wake_and_its_poll_is_a_pause() {
    let clock = Manual::new();
    clock.advance(Duration::from_millis(1));
    let ledger = Arc::new(Ledger::new(clock.clone()));
    let runtime = Arc::new(Runtime::default());
    let (waker, other) = (Waker::from(runtime.clone()), Waker::from(Arc::new(Runtime::default())));
    let inner = Cell::new(None::<Waker>);
    let mut task = pin!(Woken::new(
        poll_fn(|context| {
            inner.set(Some(context.waker().clone()));
            Poll::<()>::Pending
        }),
        ledger.clone()
    ));

    // The first poll answers no wake, however long ago it was made. The last waker is the one that is told.
    clock.advance(Duration::from_millis(50));
    assert!(task.as_mut().poll(&mut Context::from_waker(&other)).is_pending());
    assert!(task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    assert_eq!(here(&ledger), []);

    // Nobody waits before a wake, and the first of two counts.
    clock.advance(Duration::from_millis(100));
    let woken = clock.now();
    let wakes = inner.take().unwrap();
    wakes.wake_by_ref();
    clock.advance(Duration::from_millis(3));
    wakes.wake();
    assert_eq!(runtime.0.load(Relaxed), 2);
    clock.advance(Duration::from_millis(4));
    assert!(task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    let found = here(&ledger);
    assert_eq!(found.len(), 1, "{found:#?}");
    let late = found[0];
    assert_eq!((late.cause, late.evidence, late.thread), (Cause::Late, Evidence::Seen, Some(ledger.watch().number())));
    assert_eq!((late.start, late.end, late.least, late.most), (woken, clock.now(), 7 * MS, 7 * MS));

    // One that is answered in time is none, and neither is a poll without a wake.
    clock.advance(Duration::from_millis(50));
    inner.take().unwrap().wake();
    clock.advance(Duration::from_micros(999));
    assert!(task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    clock.advance(Duration::from_millis(50));
    assert!(task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    assert_eq!(here(&ledger).len(), 1);
}

/// A task that wakes itself and then computes is not polled late.
#[test]
fn what_the_task_itself_runs_after_a_wake_is_not_late() {
    let clock = Manual::new();
    clock.advance(Duration::from_millis(1));
    let ledger = Arc::new(Ledger::new(clock.clone()));
    let mut task = pin!(Woken::new(
        poll_fn(|context| {
            context.waker().wake_by_ref();
            clock.advance(Duration::from_millis(20));
            Poll::<()>::Pending
        }),
        ledger.clone()
    ));
    for _ in 0..3 {
        assert!(task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    assert_eq!(here(&ledger), []);
    clock.advance(Duration::from_millis(5));
    assert!(task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert_eq!(here(&ledger).iter().map(|pause| pause.likely / MS).collect::<Vec<_>>(), [5]);
}

#[test]
fn a_probe_that_oversleeps_finds_the_thread_late() {
    /// Each sleep takes as long as the next of these.
    struct Sleeps<'a>(&'a Manual, Cell<&'a [u64]>);
    impl Timer for Sleeps<'_> {
        type Sleep = std::future::Ready<()>;
        fn sleep_until(&self, _: Instant) -> Self::Sleep {
            let Some((first, rest)) = self.1.get().split_first() else { std::panic::panic_any("over") };
            self.1.set(rest);
            self.0.advance(Duration::from_millis(*first));
            std::future::ready(())
        }
    }
    let clock = Manual::new();
    let ledger = Arc::new(Ledger::new(clock.clone()));
    let probe = lag(ledger.clone(), Sleeps(&clock, Cell::new(&[10, 11, 31, 10])), Duration::from_millis(10));
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| pollster::block_on(probe)));
    assert_eq!(ended.unwrap_err().downcast_ref(), Some(&"over"));
    let found = here(&ledger);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!((found[0].cause, found[0].evidence), (Cause::Late, Evidence::Inferred));
    assert_eq!((found[0].start, found[0].end, found[0].likely), (32 * MS, 52 * MS, 20 * MS));
}

/// On tokio: a neighbour blocks the only thread.
#[test]
fn a_task_whose_neighbour_blocks_is_polled_late() {
    use chain_runtime::telemetry::Tsc;
    let ledger = Arc::new(Ledger::new(Tsc::new()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let (wake, woken) = tokio::sync::oneshot::channel::<()>();
    let local = tokio::task::LocalSet::new();
    let task = local.spawn_local(Woken::new(
        async move {
            woken.await.unwrap();
        },
        ledger.clone(),
    ));
    local.spawn_local(async move {
        wake.send(()).unwrap();
        std::thread::sleep(Duration::from_millis(100));
    });
    runtime.block_on(local.run_until(task)).unwrap();
    let mut found = Vec::new();
    ledger.during(ledger.watch().number(), 0, u64::MAX, |pause| found.push(*pause));
    assert!(found.iter().any(|pause| pause.cause == Cause::Late && pause.least >= 95 * MS), "{found:#?}");
    assert!(ledger.clock().now() > 0);
}

#[test]
fn where_everything_is_looked_into_a_wake_on_a_core_whose_counter_is_ahead_is_no_pause_of_centuries() {
    let mut settings = Settings::default();
    settings.threshold = Duration::ZERO;
    let ledger = Ledger::with(Manual::new(), settings);
    let pause = ledger.late(10, 7).expect("all are kept");
    assert_eq!((pause.least, pause.most), (0, 0));
    assert!([ledger.ended(20, 17), ledger.ended(30, 27)].iter().flatten().all(|pause| pause.likely == 0));
}

//! Ticks have the length that a clock says, on all threads.

#![cfg(feature = "telemetry")]

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use chain_runtime::telemetry::{Clock, Manual, NoClock, Tsc};

#[test]
fn ticks_pass_as_the_system_s_clock_does() {
    let clock = Tsc::new();
    let (began, ticks) = (Instant::now(), clock.now());
    thread::sleep(Duration::from_millis(50));
    let inside = began.elapsed();
    let nanos = Duration::from_nanos(clock.nanos(clock.now() - ticks));
    let around = began.elapsed();
    // The counter is measured against the clock, so they differ by less than a thousandth.
    assert!(nanos >= inside * 99 / 100 && nanos <= around * 101 / 100, "{inside:?} <= {nanos:?} <= {around:?}");
}

#[test]
fn ticks_and_nanos_are_each_other_s_reverse() {
    let clock = Tsc::new();
    for duration in [1, 1_000, 1_000_000, 10_000_000, 3_600_000_000_000].map(Duration::from_nanos) {
        let nanos = clock.nanos(clock.ticks(duration));
        let off = nanos.abs_diff(duration.as_nanos() as u64);
        assert!(off <= 1 + nanos / 100_000, "{duration:?} became {nanos} ns");
    }
    assert_eq!(clock.ticks(Duration::ZERO), 0);
    assert!(clock.ticks(Duration::MAX) >= clock.ticks(Duration::from_secs(3600)));
}

/// A reading that happens after another one, on another thread, is not before it.
#[test]
fn threads_read_the_same_time() {
    let clock = Tsc::new();
    let latest = AtomicU64::new(0);
    let slack = clock.ticks(Duration::from_micros(1));
    thread::scope(|scope| {
        for _ in 0..4 {
            let (clock, latest) = (clock.clone(), &latest);
            scope.spawn(move || {
                for _ in 0..100_000 {
                    let before = latest.load(SeqCst);
                    // A processor may read its counter before an earlier load is done, which is no earlier reading. It reads
                    // nothing ahead of a call of the system.
                    thread::yield_now();
                    let now = clock.now();
                    assert!(now + slack >= before, "{now} after {before}");
                    latest.fetch_max(now, SeqCst);
                }
            });
        }
    });
}

#[test]
fn a_clock_that_stands_still_reaches_no_threshold() {
    assert_eq!(NoClock.now(), NoClock.now());
    assert_eq!(NoClock.ticks(Duration::ZERO), u64::MAX);
    let clock = Manual::new();
    clock.clone().advance(Duration::from_nanos(7));
    assert_eq!((clock.now(), clock.nanos(7), clock.ticks(Duration::from_nanos(7))), (7, 7, 7));
}

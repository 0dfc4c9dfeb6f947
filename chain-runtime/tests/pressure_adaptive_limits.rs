//! The limits by themselves: the cases of Netflix's tests, and known faults of Netflix's limits.
#![cfg(feature = "pressure")]

use std::time::Duration;

use chain_runtime::pressure::{Aimd, Fixed, Gradient2, Limit, Sample, Vegas};

const MS: Duration = Duration::from_millis(1);

/// A reply after so many milliseconds, with so many in flight.
fn replied(ms: u32, in_flight: usize) -> Sample {
    Sample::replied(ms * MS, in_flight)
}

// AIMDLimitTest

#[test]
fn aimd_begins_with_what_it_is_told() {
    assert_eq!(Aimd::new().initial(10).limit(), 10);
}

#[test]
fn aimd_goes_up_by_one_where_half_is_in_use() {
    assert_eq!(Aimd::new().initial(20).update(&replied(1, 10)), 21);
    assert_eq!(Aimd::new().initial(20).update(&replied(1, 9)), 20);
}

#[test]
fn aimd_goes_down_to_nine_tenths_where_something_is_lost() {
    assert_eq!(Aimd::new().initial(30).update(&Sample::lost(1)), 27);
}

#[test]
fn aimd_goes_down_where_it_takes_too_long() {
    assert_eq!(Aimd::new().initial(30).timeout(Duration::from_secs(1)).update(&replied(1001, 30)), 27);
}

#[test]
fn aimd_stays_between_its_bounds() {
    assert_eq!(Aimd::new().initial(21).max(21).update(&replied(1, 10)), 21);
    let mut aimd = Aimd::new().initial(30).min(25);
    (0..10).for_each(|_| _ = aimd.update(&Sample::lost(1)));
    assert_eq!(aimd.limit(), 25);
    // Nine tenths of one would be one again, and of a few no less.
    let mut aimd = Aimd::new().initial(5);
    let down: Vec<_> = (0..6).map(|_| aimd.update(&Sample::lost(1))).collect();
    assert_eq!(down, [4, 3, 2, 1, 1, 1]);
}

#[test]
fn one_in_a_thousand_lost_is_no_overload() {
    assert_eq!(Aimd::new().initial(20).update(&replied(1, 20).times(999).and_lost(1)), 21);
}

// VegasLimitTest

fn vegas() -> Vegas {
    Vegas::new().alpha(|_| 3).beta(|_| 6).smoothing(1.0).initial(10).max(20)
}

#[test]
fn vegas_grows_with_the_logarithm_of_a_large_limit() {
    let mut limit = Vegas::new().initial(10_000).max(20_000);
    assert_eq!(limit.update(&replied(10_000, 5000)), 10_000);
    assert_eq!(limit.update(&replied(10_000, 6000)), 10_024);
}

#[test]
fn vegas_goes_up_by_beta_where_nothing_waits() {
    let mut limit = vegas();
    assert_eq!(limit.update(&replied(10, 10)), 10);
    assert_eq!(limit.update(&replied(10, 11)), 16);
}

#[test]
fn vegas_goes_down_where_more_wait_than_beta() {
    let mut limit = vegas();
    assert_eq!(limit.update(&replied(10, 10)), 10);
    assert_eq!(limit.update(&replied(50, 11)), 9);
}

#[test]
fn vegas_stays_within_its_thresholds() {
    let mut limit = vegas();
    assert_eq!(limit.update(&replied(10, 10)), 10);
    assert_eq!(limit.update(&replied(14, 14)), 10);
}

#[test]
fn vegas_goes_down_as_it_is_told_with_and_without_smoothing() {
    for (smoothing, expected) in [(0.5, [100, 75, 56]), (1.0, [100, 50, 25])] {
        let mut limit = Vegas::new().decrease(|limit| limit / 2.0).smoothing(smoothing).initial(100).max(200);
        let limits = [replied(10, 100), replied(20, 100), replied(20, 100)].map(|sample| limit.update(&sample));
        assert_eq!(limits, expected);
    }
}

#[test]
fn vegas_goes_down_where_something_is_lost() {
    let mut limit = vegas();
    limit.update(&replied(10, 10));
    assert_eq!(limit.update(&Sample::lost(10)), 9);
}

// Gradient2Limit, which has no tests there.

fn gradient() -> Gradient2 {
    Gradient2::new().initial(20).max(200).headroom(|_| 4).seed(1)
}

#[test]
fn gradient_grows_by_its_headroom_where_nothing_waits() {
    // 20 * 0.8 + (20 + 4) * 0.2
    let mut limit = gradient();
    let limits: Vec<_> = (0..5).map(|_| limit.update(&replied(10, 20))).collect();
    assert_eq!(limits, [20, 21, 22, 23, 24]);
}

#[test]
fn gradient_shrinks_by_the_round_trip() {
    let mut limit = gradient().initial(100);
    (0..12).for_each(|_| _ = limit.update(&replied(10, 10)));
    assert_eq!(limit.limit(), 100, "less than half in use says nothing");
    // 1.5 * 10 / 20 = 0.75: 100 * 0.8 + 75 * 0.2
    assert_eq!(limit.update(&replied(20, 100)), 95);
    // 0.5 at the least: 95 * 0.8 + 47.5 * 0.2
    assert_eq!(limit.update(&replied(1000, 100)), 85);
}

#[test]
fn gradient_tolerates_half_as_much_again() {
    let mut limit = gradient();
    (0..12).for_each(|_| _ = limit.update(&replied(10, 5)));
    limit.update(&replied(15, 20));
    limit.update(&replied(15, 20));
    assert!(limit.limit() > 20);
}

#[test]
fn gradient_stays_between_its_bounds() {
    let mut limit = gradient().min(5).max(30).probe_every(1_000_000);
    (0..100).for_each(|_| _ = limit.update(&replied(10, 30)));
    assert_eq!(limit.limit(), 30);
    (0..100).for_each(|_| _ = limit.update(&replied(1000, 30)));
    assert_eq!(limit.limit(), 5);
}

// All of them

/// A limit of none lets none pass, and so would never learn.
#[test]
fn what_a_limit_begins_with_is_within_its_bounds() {
    let none: [Box<dyn Limit>; 3] =
        [Box::new(Aimd::new().initial(0)), Box::new(Gradient2::new().initial(0)), Box::new(Vegas::new().initial(0))];
    assert_eq!(none.map(|limit| limit.limit()), [1; 3]);
    let many: [Box<dyn Limit>; 3] = [
        Box::new(Aimd::new().initial(usize::MAX).max(50)),
        Box::new(Gradient2::new().initial(usize::MAX).max(50)),
        Box::new(Vegas::new().initial(usize::MAX).max(50)),
    ];
    assert_eq!(many.map(|limit| limit.limit()), [50; 3]);
}

#[test]
fn no_sample_and_no_setting_is_too_large() {
    let all: [Box<dyn Limit>; 3] = [
        Box::new(Aimd::new().initial(usize::MAX).max(usize::MAX).backoff(f64::NAN)),
        Box::new(Gradient2::new().initial(usize::MAX).max(usize::MAX).smoothing(f64::NAN).headroom(|_| usize::MAX)),
        Box::new(Vegas::new().initial(usize::MAX).max(usize::MAX).smoothing(f64::NAN).decrease(|_| f64::NAN)),
    ];
    for mut limit in all {
        for round_trip in [Duration::ZERO, Duration::MAX, Duration::from_nanos(1)] {
            let most = Sample::replied(round_trip, usize::MAX).times(u64::MAX);
            for sample in [most, most.and_lost(u64::MAX), Sample::lost(usize::MAX).and_lost(u64::MAX)] {
                assert!(limit.update(&sample) >= 1);
            }
        }
    }
}

// Known faults

/// concurrency-limits#134: with its headroom always added, the original climbs while the gradient says 0.8.
#[test]
fn a_constant_gradient_of_eight_tenths_lets_no_limit_climb() {
    let mut limit = Gradient2::new().initial(5).max(1000).tolerance(1.0).probe_every(1_000_000);
    (0..20).for_each(|_| _ = limit.update(&replied(100, 1)));
    let mut before = limit.limit();
    for _ in 0..1000 {
        let usual = limit.baseline().unwrap();
        let now = limit.update(&Sample::replied(usual.mul_f64(1.0 / 0.8), 1000));
        assert!(now <= before, "from {before} to {now}");
        before = now;
    }
    assert_eq!(before, 1);
}

/// A system that is kept full answers by Little's law: whatever is let in beyond its capacity waits.
fn full(limit: usize, capacity: usize) -> Sample {
    Sample::replied(Duration::from_micros(10_000 * limit.max(capacity) as u64 / capacity as u64), limit)
}

/// The same fault in a closed loop: a mean that learns from a full house follows the queue that the limit itself lets in.
#[test]
fn a_system_that_is_kept_full_does_not_let_the_limit_climb_after_its_own_queue() {
    let mut limits: [(&str, Box<dyn Limit>); 2] = [
        ("gradient", Box::new(Gradient2::new().max(100_000).seed(7))),
        ("vegas", Box::new(Vegas::new().max(100_000).seed(7))),
    ];
    for (name, limit) in &mut limits {
        for window in 0..100_000 {
            let now = limit.update(&full(limit.limit(), 100));
            assert!(now < 170, "{name}: {now} in window {window}");
        }
        assert!(limit.limit() > 50, "{name}: {}", limit.limit());
    }
}

/// concurrency-limits#137: what times out at a constant time looks like a steady round trip.
#[test]
fn constant_time_outs_are_no_health() {
    let limits: [(&str, Box<dyn Limit>); 3] = [
        ("gradient", Box::new(Gradient2::new().initial(100))),
        ("vegas", Box::new(Vegas::new().initial(100))),
        ("aimd", Box::new(Aimd::new().initial(100))),
    ];
    for (name, mut limit) in limits {
        (0..5).for_each(|_| _ = limit.update(&replied(10, 100)));
        (0..300).for_each(|_| _ = limit.update(&Sample::lost(100).and_lost(99)));
        assert_eq!(limit.limit(), 1, "{name}");
        // One that replies among many that do not is no new baseline.
        (0..300).for_each(|_| _ = limit.update(&replied(5_000, 1).and_lost(9)));
        assert_eq!(limit.limit(), 1, "{name}");
        assert!(limit.baseline().is_none_or(|baseline| baseline <= 10 * MS), "{name}: {:?}", limit.baseline());
    }
}

/// envoy#9007 pinned the limit to one while it measured, and turned away nearly all that came meanwhile.
#[test]
fn a_probe_never_lets_fewer_than_half_run_and_comes_at_times_of_its_own() {
    let limits: [fn(u64) -> Box<dyn Limit>; 2] = [
        |seed| Box::new(Gradient2::new().initial(100).max(100).seed(seed)),
        |seed| Box::new(Vegas::new().initial(100).max(100).seed(seed)),
    ];
    for limit in limits {
        let probes = |seed| -> Vec<usize> {
            let mut limit = limit(seed);
            let limits = (0..2000).map(|_| limit.update(&replied(10, 100)));
            let lowered = limits.enumerate().filter(|(_, limit)| *limit < 100);
            lowered
                .map(|(at, limit)| {
                    assert_eq!(limit, 50);
                    at
                })
                .collect()
        };
        let (one, other) = (probes(1), probes(2));
        assert_ne!(one, other, "two processes would probe at once");
        // Two windows for each, every 50 to 100 windows.
        assert!((40..=84).contains(&one.len()), "{}", one.len());
        let pauses: Vec<_> = one.windows(2).map(|pair| pair[1] - pair[0]).filter(|pause| *pause > 1).collect();
        assert!(pauses.iter().all(|pause| (50..=102).contains(pause)), "{pauses:?}");
        assert!(pauses.iter().any(|pause| pause != &pauses[0]), "drawn once only");
    }
}

/// The least round trip of old samples pins a limit for good where nothing measures it anew.
#[test]
fn a_service_that_became_slower_for_good_gets_its_limit_back() {
    let limits: [(&str, Box<dyn Limit>); 2] = [
        ("gradient", Box::new(Gradient2::new().initial(50).max(50).seed(3))),
        ("vegas", Box::new(Vegas::new().initial(50).max(50).seed(3))),
    ];
    for (name, mut limit) in limits {
        (0..500).for_each(|_| _ = limit.update(&replied(10, 50)));
        assert_eq!(limit.limit(), 50, "{name}");
        // Four times as slow, with any number at once: in use is what the limit gives.
        for _ in 0..1500 {
            let in_flight = limit.limit();
            limit.update(&replied(40, in_flight));
        }
        assert_eq!(limit.baseline(), Some(40 * MS), "{name}");
        assert!(limit.limit() >= 30, "{name}: {}", limit.limit());
    }
}

#[test]
fn a_fixed_limit_stays() {
    let mut limit = Fixed(7);
    assert_eq!((limit.update(&Sample::lost(7)), limit.update(&replied(1, 7))), (7, 7));
}

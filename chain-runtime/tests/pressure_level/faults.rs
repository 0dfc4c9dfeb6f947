//! Faults that do not stop the sampler.

use super::*;

#[test]
fn a_source_that_fails_keeps_its_level_for_a_time_and_then_counts_no_more() {
    let dial = Dial::default();
    let mut it =
        Driven::new(Pressure::builder().source(dial.source("dial")).hold(Duration::from_secs(2)).build().unwrap());
    dial.set(0.95);
    it.after(200 * MS);
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
        dial.set(bad);
        assert_eq!(it.after(500 * MS), Level::High);
    }
    let seen = it.source("dial");
    assert_eq!((seen.fault, seen.faults, seen.given_up), (Some(Fault::NotANumber), 4, false));
    assert_eq!(seen.reading.unwrap().value, 0.95, "the last good one is still shown");
    assert_eq!(it.after(500 * MS), Level::Calm);
    let status = it.pressure.status();
    assert!(status.sources[0].given_up);
    assert_eq!(status.last.unwrap().to_string(), "high -> calm: dial cannot be read, and counts no more");
    assert!(status.to_string().contains("not a finite number (5 times): counts no more"), "{status}");
    // It comes back.
    dial.set(0.91);
    assert_eq!(it.after(200 * MS), Level::High);
    let seen = it.source("dial");
    assert_eq!((seen.fault, seen.faults, seen.given_up), (None, 5, false));
}

#[test]
fn after_a_gap_a_level_falls_only_when_it_was_low_for_a_dwell() {
    let dial = Dial::default();
    let mut it = one(&dial);
    dial.set(0.95);
    it.after(200 * MS);
    dial.set(f64::NAN);
    it.after(2_000 * MS);
    dial.set(0.1);
    assert_eq!(it.after(200 * MS), Level::High, "nobody knows whether it was low");
    assert_eq!(it.after(400 * MS), Level::Elevated);
}

#[test]
fn sources_and_policies_and_listeners_that_panic_do_not_stop_the_sampler() {
    let dial = Dial::default();
    let broken = own("broken", THRESHOLDS, |_| panic!("the source's own fault"));
    let policy = |_: Instant, _: &[Seen]| -> Judgement { panic!("the policy's own fault") };
    let mut it = Driven::new(
        Pressure::builder()
            .source(broken)
            .source(dial.source("dial"))
            .policy(policy)
            .on_change(|_| panic!("the listener's own fault"))
            .build()
            .unwrap(),
    );
    dial.set(0.95);
    assert_eq!(it.after(200 * MS), Level::High);
    let status = it.pressure.status();
    assert_eq!((status.sources[0].fault, status.sources[0].faults), (Some(Fault::Panicked), 1));
    assert_eq!((status.policy_panics, status.samples), (1, 1));
}

#[test]
fn with_a_clock_that_stands_still_levels_rise_and_none_falls() {
    let dial = Dial::default();
    let mut it = one(&dial);
    dial.set(0.85);
    it.after(Duration::ZERO);
    dial.set(0.98);
    assert_eq!(it.after(Duration::ZERO), Level::Critical);
    dial.set(0.0);
    for _ in 0..1_000 {
        assert_eq!(it.after(Duration::ZERO), Level::Critical);
    }
    // Nor with one that goes back.
    it.sampler.sample(it.now - Duration::from_secs(1));
    assert_eq!((it.pressure.level(), it.pressure.status().still), (Level::Critical, 1_002));
    assert_eq!(it.after(500 * MS), Level::High);
}

//! Snapshots merge and subtract as plain numbers do.

use std::time::Duration;

use chain_runtime::telemetry::{Manual, Meter, Snapshot};
use chain_runtime::{chain, node};
use proptest::prelude::*;

#[node]
fn waits(clock: &Manual, nanos: &u64) -> Result<(), u64> {
    clock.advance(Duration::from_nanos(*nanos));
    if nanos.is_multiple_of(3) { Err(0) } else { Ok(()) }
}
#[node]
fn gives(nanos: u64) -> u64 {
    nanos
}

chain! {
    #[observe(meter)]
    struct Waits { meter: Meter<Manual>, clock: Manual }
    fn(nanos: u64) -> u64 { waits => gives }
}

fn made() -> Waits {
    let clock = Manual::new();
    Waits { meter: Meter::builder(Waits::CHAIN).clock(clock.clone()).build(), clock }
}

/// How many runs there were, how many broke, how long all took, and how many took no longer than each power of two.
#[derive(Debug, PartialEq)]
struct Model(u64, u64, u64, Vec<u64>);

const POWERS: std::ops::Range<u32> = 0..44;

fn model(runs: &[u64]) -> Model {
    let within = |power| runs.iter().filter(|nanos| **nanos < 1u64 << power).count() as u64;
    let broke = runs.iter().filter(|nanos| nanos.is_multiple_of(3)).count() as u64;
    Model(runs.len() as u64, broke, runs.iter().sum(), POWERS.map(within).collect())
}

fn shown(snapshot: &Snapshot) -> Model {
    let (waits, gives) = (&snapshot.nodes[0], &snapshot.nodes[1]);
    assert_eq!(
        (snapshot.started, waits.entered, snapshot.took.count()),
        (snapshot.ended, snapshot.ended, snapshot.ended)
    );
    assert_eq!((gives.replied, waits.cut_short), (gives.entered, waits.broke));
    assert_eq!(waits.way_in.running, snapshot.took, "nobody else took anything");
    let within = POWERS.map(|power| snapshot.took.within((1 << power) - 1)).collect();
    Model(snapshot.ended, waits.broke, snapshot.took.sum(), within)
}

fn runs() -> impl Strategy<Value = Vec<u64>> {
    let nanos = prop_oneof![0..200u64, 0..100_000u64, 0..(1u64 << 42)];
    prop::collection::vec(nanos, 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn snapshots_merge_and_subtract_as_numbers_do(first in runs(), second in runs(), other in runs()) {
        let (one, two) = (made(), made());
        first.iter().for_each(|nanos| _ = one.run(*nanos));
        let before = one.meter.snapshot();
        second.iter().for_each(|nanos| _ = one.run(*nanos));
        other.iter().for_each(|nanos| _ = two.run(*nanos));
        let (after, elsewhere) = (one.meter.snapshot(), two.meter.snapshot());

        prop_assert_eq!(shown(&before), model(&first));
        prop_assert_eq!(shown(&after), model(&[first.clone(), second.clone()].concat()));

        let mut interval = after.clone();
        interval.subtract(&before).unwrap();
        prop_assert_eq!(shown(&interval), model(&second));

        let mut both = after.clone();
        both.merge(&elsewhere).unwrap();
        prop_assert_eq!(shown(&both), model(&[first, second, other].concat()));
        both.subtract(&elsewhere).unwrap();
        prop_assert_eq!(shown(&both), shown(&after));
    }
}

#[test]
fn snapshots_of_different_chains_do_not_merge() {
    chain! {
        #[observe(meter)]
        struct Gives { meter: Meter }
        fn(nanos: u64) -> u64 { gives }
    }
    let mut snapshot = made().meter.snapshot();
    let other = Gives { meter: Meter::of(Gives::CHAIN) };
    assert_eq!(other.run(1), 1);
    let before = snapshot.clone();
    assert!(snapshot.merge(&other.meter.snapshot()).is_err());
    assert!(snapshot.subtract(&other.meter.snapshot()).is_err());
    assert_eq!(snapshot, before);
}

//! The level against a model of it, for any readings at any times.
#![cfg(feature = "pressure")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use chain_runtime::pressure::source::own;
use chain_runtime::pressure::{Level, Pressure, Thresholds};
use proptest::collection::vec;
use proptest::prelude::*;

const ENTER: [f64; 3] = [10.0, 20.0, 30.0];
const LEAVE: [f64; 3] = [6.0, 15.0, 28.0];
const DWELL: u64 = 500;
const HOLD: u64 = 2_000;

/// A source by the book: a level and the time since it was needed. No code is shared with what is tested.
#[derive(Clone, Copy, Default)]
struct Model {
    level: usize,
    low_for: u64,
    failing_for: Option<u64>,
}

impl Model {
    fn step(&mut self, passed: u64, value: f64) {
        if !value.is_finite() {
            self.failing_for = Some(self.failing_for.map_or(0, |so_far| so_far + passed));
            self.low_for = 0;
            if self.failing_for >= Some(HOLD) {
                self.level = 0;
            }
            return;
        }
        self.failing_for = None;
        // Up to where the reading is at or above.
        while self.level < 3 && (self.level..3).any(|above| value >= ENTER[above]) {
            self.level += 1;
            self.low_for = 0;
            if !(self.level..3).any(|above| value >= ENTER[above]) {
                return;
            }
        }
        if self.level > 0 && value >= LEAVE[self.level - 1] {
            self.low_for = 0;
            return;
        }
        self.low_for += passed;
        if self.level > 0 && self.low_for >= DWELL {
            self.level -= 1;
            self.low_for = 0;
        }
    }
}

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        8 => 0.0..40.0_f64,
        4 => prop::sample::select(vec![6.0, 10.0, 15.0, 20.0, 28.0, 30.0, 5.9, 9.9, 14.9]),
        1 => Just(f64::NAN),
        1 => Just(f64::INFINITY),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_is_the_highest_of_its_sources_and_each_is_as_in_the_model(
        steps in vec((0_u64..900, value(), value()), 1..120)
    ) {
        let dials: [Arc<AtomicU64>; 2] = Default::default();
        let source = |name, place: usize| {
            let dial = dials[place].clone();
            own(name, Thresholds::new(ENTER, LEAVE), move |_| Ok(f64::from_bits(dial.load(Relaxed))))
        };
        let (pressure, mut sampler) = Pressure::builder()
            .source(source("one", 0))
            .source(source("other", 1))
            .dwell(Duration::from_millis(DWELL))
            .hold(Duration::from_millis(HOLD))
            .build()
            .unwrap();
        let mut models = [Model::default(); 2];
        let mut now = Instant::now();
        let (mut level, mut since) = (Level::Calm, now);
        for (passed, one, other) in steps {
            now += Duration::from_millis(passed);
            for (place, value) in [one, other].into_iter().enumerate() {
                dials[place].store(value.to_bits(), Relaxed);
                models[place].step(passed, value);
            }
            let change = sampler.sample(now);
            let status = pressure.status();
            for (seen, model) in status.sources.iter().zip(&models) {
                prop_assert_eq!(seen.level, Level::ALL[model.level]);
            }
            let highest = status.sources.iter().map(|seen| seen.level).max().unwrap();
            // What failed for too long is calm at once, and the process after the dwell.
            prop_assert!(status.level >= highest, "it rises at once");
            if status.level > highest {
                prop_assert!(status.sources.iter().any(|seen| seen.given_up));
            }
            prop_assert_eq!(change.is_some(), status.level != level);
            if status.level < level {
                prop_assert!(now - since >= Duration::from_millis(DWELL), "no level is left before it has held");
            }
            if status.level != level {
                (level, since) = (status.level, now);
            }
        }
        // Where all is low, it is calm after three dwells and as many samples.
        for dial in &dials {
            dial.store(0.0_f64.to_bits(), Relaxed);
        }
        for _ in 0..=3 {
            now += Duration::from_millis(DWELL);
            sampler.sample(now);
        }
        prop_assert_eq!(pressure.level(), Level::Calm);
    }
}

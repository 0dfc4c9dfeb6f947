//! The level of the process: it rises at once, falls slowly, and does not flap, by a test's clock.
#![cfg(feature = "pressure")]

mod chains;
mod faults;
mod moves;
mod policies;

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chain_runtime::pressure::policy::{AfterCollection, Highest, Judgement, Only, Policy};
use chain_runtime::pressure::source::{Fault, InFlight, Own, Queue, Reading, Unit, own};
use chain_runtime::pressure::{
    BadThresholds, Because, Level, Pressure, Projection, Sampler, Seen, Source, Thresholds, Unbuildable, Watched,
};
use chain_runtime::shed::Override;
use chain_runtime::{Shedding, chain, node};

const MS: Duration = Duration::from_millis(1);
const THRESHOLDS: Thresholds = Thresholds::new([0.80, 0.90, 0.97], [0.75, 0.85, 0.93]);

/// What a source says next; `NAN` is a number as well.
#[derive(Clone, Default)]
struct Dial(Arc<AtomicU64>);

impl Dial {
    fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Relaxed);
    }

    fn source(&self, name: &'static str) -> Own<impl FnMut(Instant) -> Result<f64, Fault> + Send + 'static> {
        let dial = self.clone();
        own(name, THRESHOLDS, move |_| Ok(f64::from_bits(dial.0.load(Relaxed)))).unit(Unit::Share)
    }
}

/// A sampler with its clock.
struct Driven {
    pressure: Pressure,
    sampler: Sampler,
    now: Instant,
}

impl Driven {
    fn new((pressure, sampler): (Pressure, Sampler)) -> Self {
        Self { pressure, sampler, now: Instant::now() }
    }

    /// Samples so long after the sample before.
    fn after(&mut self, passed: Duration) -> Level {
        self.now += passed;
        self.sampler.sample(self.now);
        self.pressure.level()
    }

    fn source(&self, name: &str) -> Seen {
        *self.pressure.status().source(name).expect("a source of that name")
    }
}

fn one(dial: &Dial) -> Driven {
    Driven::new(Pressure::builder().source(dial.source("dial")).build().unwrap())
}

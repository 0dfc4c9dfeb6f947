//! Each change is an event, with its cause.
#![cfg(all(feature = "pressure", feature = "tracing"))]

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chain_runtime::pressure::source::{InFlight, Unit};
use chain_runtime::pressure::{Level, Pressure};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// A log that a test reads.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut log = self.0.lock().unwrap();
        write!(log, "{} {}", event.metadata().level(), event.metadata().target()).unwrap();
        event.record(&mut Line(&mut log));
        log.push('\n');
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[test]
fn a_rise_is_a_warning_and_a_fall_is_information() {
    let log = Log::default();
    tracing::subscriber::with_default(log.clone(), || {
        let in_flight = InFlight::new(10);
        let (pressure, mut sampler) = Pressure::builder().source(in_flight.clone()).build().unwrap();
        let now = Instant::now();
        let flights: Vec<_> = (0..9).map(|_| in_flight.enter()).collect();
        sampler.sample(now);
        sampler.sample(now + Duration::from_millis(200));
        drop(flights);
        sampler.sample(now + Duration::from_millis(700));
        pressure.force(Level::Critical);
    });
    // Forced, it stays critical when the sampler goes.
    let expected = [
        "WARN chain::pressure message=calm -> high: in flight is at 90.0 %, high from 90.0 % on level=\"high\"",
        "INFO chain::pressure message=high -> elevated: in flight is at 0.0 %, high ends below 85.0 % level=\"elevated\"",
        "WARN chain::pressure message=elevated -> critical: forced level=\"critical\"",
    ];
    assert_eq!(log.0.lock().unwrap().lines().collect::<Vec<_>>(), expected);
    assert_eq!(Unit::Seconds.show(0.0125).to_string(), "0.013 s");
    assert_eq!(Unit::Count.show(12.0).to_string(), "12");
}

//! Series for pressure: the level, the sources, and the admission.

use core::fmt;
use std::string::String;
use std::vec;
use std::vec::Vec;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::registry::Unit as InUnit;

use super::families::{Families, Series};
use crate::pressure::source::{Bytes, Unit};
use crate::pressure::{AdaptiveStatus, Priority, Reason, Report, Seen};

/// Pressure at one moment, for [`Pressures`].
#[derive(Clone, Debug)]
pub struct PressureReading {
    report: Option<Report>,
    admissions: Vec<(String, AdaptiveStatus)>,
}

impl PressureReading {
    /// The reading of a pressure; `None` if nothing is measured.
    #[must_use]
    pub const fn of(report: Option<Report>) -> Self {
        Self { report, admissions: Vec::new() }
    }

    /// Adds an adaptive limit. `name` tells it apart from others of the program.
    #[must_use]
    pub fn admission(mut self, name: impl Into<String>, status: AdaptiveStatus) -> Self {
        self.admissions.push((name.into(), status));
        self
    }
}

/// The level of pressure, its sources, and the admission, as a `Collector`: read anew for each scrape.
///
/// ```
/// use chain_runtime::pressure::{Adaptive, Anyone};
/// use chain_runtime::telemetry::prometheus::{Format, PressureReading, Pressures, render_all};
///
/// // With a pressure, this is its `Pressure::status`. Here nothing is measured.
/// let status = Adaptive::<Anyone>::default().status();
/// let pressures = Pressures::new(move || PressureReading::of(None).admission("requests", status));
/// let text = render_all(Format::OpenMetrics, [Box::new(pressures) as _]);
/// assert!(text.contains("chain_admission_in_flight{admission=\"requests\"} 0"));
/// ```
pub struct Pressures<F>(F);

impl<F: Fn() -> PressureReading + Send + Sync + 'static> Pressures<F> {
    /// The pressure that this closure reads.
    pub const fn new(read: F) -> Self {
        Self(read)
    }
}

impl<F> fmt::Debug for Pressures<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pressures")
    }
}

impl<F: Fn() -> PressureReading + Send + Sync + 'static> Collector for Pressures<F> {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let PressureReading { report, admissions } = (self.0)();
        let mut families = Families(&mut encoder);
        if let Some(report) = report {
            of_level(&report, &mut families)?;
            of_sources(&report.sources, &mut families)?;
        }
        if admissions.is_empty() { Ok(()) } else { of_admissions(&admissions, &mut families) }
    }
}

fn of_level(report: &Report, families: &mut Families<'_, '_>) -> fmt::Result {
    let one = |value: f64| [(vec![], value)];
    let help = "The level of pressure: 0 is calm, 1 elevated, 2 high, 3 critical";
    families.gauges("chain_pressure_level", help, None, one(f64::from(report.level as u8)))?;
    let is_forced = f64::from(u8::from(report.forced.is_some()));
    families.gauges("chain_pressure_forced", "Whether somebody forces the level", None, one(is_forced))?;
    families.counters("chain_pressure_samples", "Samples that were taken", [(vec![], report.samples)])
}

fn of_sources(sources: &[Seen], families: &mut Families<'_, '_>) -> fmt::Result {
    let each = |value: &dyn Fn(&Seen) -> Option<f64>| {
        let all = sources.iter().filter_map(|seen| Some((vec![("source", seen.name)], value(seen)?)));
        all.collect::<Vec<Series<'_, f64>>>()
    };
    let help = "The level that the source asks for: 0 is calm, 3 critical";
    families.gauges("chain_pressure_source_level", help, None, each(&|seen| Some(f64::from(seen.level as u8))))?;
    let in_unit =
        |unit: Unit| move |seen: &Seen| seen.reading.filter(|_| seen.unit == unit).map(|reading| reading.value);
    let help = "What the source reads: a part of what there is";
    families.gauges("chain_pressure_source_ratio", help, None, each(&in_unit(Unit::Share)))?;
    let help = "What the source reads: a time";
    families.gauges("chain_pressure_source", help, Some(&InUnit::Seconds), each(&in_unit(Unit::Seconds)))?;
    let help = "What the source reads: a number of things";
    families.gauges("chain_pressure_source_things", help, None, each(&in_unit(Unit::Count)))?;
    let bytes = |of: fn(Bytes) -> Option<u64>| move |seen: &Seen| Some(of(seen.reading?.bytes?)? as f64);
    let used = each(&bytes(|bytes| Some(bytes.used)));
    families.gauges("chain_pressure_source_used", "Memory in use", Some(&InUnit::Bytes), used)?;
    let limit = each(&bytes(|bytes| bytes.limit));
    families.gauges("chain_pressure_source_limit", "Memory that there may be", Some(&InUnit::Bytes), limit)?;
    let faults = sources.iter().map(|seen| (vec![("source", seen.name)], seen.faults));
    families.counters("chain_pressure_source_faults", "Samples without a reading of the source", faults)
}

fn of_admissions(admissions: &[(String, AdaptiveStatus)], families: &mut Families<'_, '_>) -> fmt::Result {
    let each = |value: fn(&AdaptiveStatus) -> f64| {
        let all = admissions.iter().map(move |(name, status)| (vec![("admission", &**name)], value(status)));
        all.collect::<Vec<_>>()
    };
    let help = "How many may run at once, before the level lowers it";
    families.gauges("chain_admission_limit", help, None, each(|status| status.limit as f64))?;
    families.gauges("chain_admission_in_flight", "How many run", None, each(|status| status.in_flight as f64))?;
    families.gauges("chain_admission_places", "How many may wait", None, each(|status| status.places as f64))?;
    let waiting = admissions.iter().flat_map(|(name, status)| {
        let labels = |priority: Priority| vec![("admission", &**name), ("priority", priority.name())];
        Priority::ALL.map(|priority| (labels(priority), status.waiting[priority as usize] as f64))
    });
    families.gauges("chain_admission_waiting", "How many wait", None, waiting)?;
    let turned_away = admissions.iter().flat_map(|(name, status)| {
        let all = Reason::ALL.into_iter().flat_map(|reason| Priority::ALL.map(|priority| (reason, priority)));
        all.map(|(reason, priority)| {
            let labels = vec![("admission", &**name), ("priority", priority.name()), ("reason", reason.name())];
            (labels, status.turned_away(reason, priority))
        })
    });
    families.counters("chain_admission_turned_away", "How many were not let in", turned_away)
}

//! A meter's figures for Prometheus, by the crate `prometheus-client`.
//!
//! ```
//! use chain_runtime::telemetry::Meter;
//! use chain_runtime::telemetry::prometheus::{Format, Reading, render};
//! use chain_runtime::{chain, node};
//!
//! #[node]
//! fn answer(input: &u32) -> u32 { *input }
//!
//! chain! {
//!     #[observe(meter)]
//!     struct Small { meter: Meter }
//!     fn(input: u32) -> u32 { answer }
//! }
//!
//! let small = Small { meter: Meter::of(Small::CHAIN) };
//! small.run(1);
//! // What a handler of `/metrics` replies, with `format.content_type()`.
//! let format = Format::accepted_by("application/openmetrics-text;version=1.0.0,text/plain;q=0.5");
//! let text = render(format, [Reading::of(&small.meter)]);
//! assert!(text.contains("chain_node_entered_total{chain=\"Small\",node=\"answer\",position=\"0\"} 1"));
//! ```
//!
//! [`Chains`] is a `Collector`, for who has a registry already.
//!
//! # What there is
//!
//! Of [`Chains`]:
//!
//! | metric | type | labels beside `chain` |
//! | --- | --- | --- |
//! | `chain_runs_started_total` | counter | |
//! | `chain_runs_in_flight` | gauge | |
//! | `chain_runs_ended_total` | counter, with exemplars | `ending`: `replied`, `cut_short`, `cancelled`, `panicked`; `node`, `position` |
//! | `chain_run_seconds` | histogram | |
//! | `chain_own_seconds_total` | counter | |
//! | `chain_sampled_one_in` | gauge: all other figures are of one run in so many | |
//! | `chain_node_entered_total`, `.._broke_..`, `.._cancelled_..`, `.._panicked_..`, `.._skipped_..`, `.._late_..`, `.._detached_..`, `.._shed_..`, `.._tries_..` | counter | `node`, `position` |
//! | `chain_node_running_seconds`, `chain_node_waiting_seconds` | histogram | `node`, `position`, `way`: `in`, `out` |
//! | `chain_node_allocated_bytes_total`, `chain_node_allocations_total` | counter | `node`, `position`, `way` |
//! | `chain_node_pauses_total`, `chain_node_pause_seconds_total` | counter | `node`, `position`, `cause` |
//!
//! With the feature `upstream`, of [`Upstreams`], by `group`:
//!
//! | metric | type | labels beside `group` |
//! | --- | --- | --- |
//! | `chain_upstream_members` | gauge | `state`: `ready`, `draining`, `ejected`, `unhealthy` |
//! | `chain_upstream_members_limit`, `chain_upstream_members_without_series`, `chain_upstream_panic` | gauge | |
//! | `chain_upstream_registered_total`, `chain_upstream_late_heartbeats_total`, `chain_upstream_found_unhealthy_total` | counter | |
//! | `chain_upstream_left_total` | counter | `cause`: `lease`, `removed`, `superseded` |
//! | `chain_upstream_refused_total` | counter | `cause`: `full`, `name` |
//! | `chain_upstream_lists_total` | counter | `result`: `taken`, `refused`, `failed` |
//! | `chain_upstream_ejections_total` | counter | `cause`: `in_a_row`, `lasting`, `rate`, `told` |
//! | `chain_upstream_requests_total` | counter | `member`, `outcome`: `ok`, `not_ok`, `failed`, `timed_out`, `cancelled`, `panicked` |
//! | `chain_upstream_in_flight`, `chain_upstream_expected_seconds` | gauge | `member` |
//! | `chain_upstream_state` | gauge: 1 for the state that it is in | `member`, `state` |
//! | `chain_upstream_weight` | gauge | `member`, `zone` |
//!
//! With the feature `pressure`, of [`Pressures`]:
//!
//! | metric | type | labels |
//! | --- | --- | --- |
//! | `chain_pressure_level`, `chain_pressure_forced` | gauge | |
//! | `chain_pressure_samples_total` | counter | |
//! | `chain_pressure_source_level`, `chain_pressure_source_ratio`, `.._seconds`, `.._things`, `.._used_bytes`, `.._limit_bytes` | gauge | `source` |
//! | `chain_pressure_source_faults_total` | counter | `source` |
//! | `chain_admission_limit`, `chain_admission_in_flight`, `chain_admission_places` | gauge | `admission` |
//! | `chain_admission_waiting` | gauge | `admission`, `priority` |
//! | `chain_admission_turned_away_total` | counter | `admission`, `priority`, `reason`: `full`, `late`, `outranked`, `share`, `level` |
//!
//! A node's `position` tells apart those of one name. Where `node` is empty, the chain itself is meant. Requests that were turned away are those `cut_short` by the node that does so; `chain_node_shed_total` is of nodes that were given up.
//!
//! How many series a chain has is fixed by its type, but for the causes of pauses, of which there are ten. Of a group of upstreams, at most 200 members have series of their own. A node has a histogram of its waiting only where it may wait,
//! and one of its way out only where it has one.
//!
//! The limits of buckets are powers of two nanoseconds, from 1 µs to 17 s, each four times the one before: these are limits of the meter's own buckets, so the counts are exact.
//!
//! # Exemplars
//!
//! In OpenMetrics, `chain_runs_ended_total` has the trace of a kept run that ended so: the last one that failed, or the slowest that was replied to. Its value is how many seconds it took.
//! It needs a [trace](super::trace_context), and [kept runs](Reading::keeps). A histogram has none: the crate lets nobody else make one.

#[cfg(any(feature = "pressure", feature = "upstream"))]
mod families;
#[cfg(feature = "pressure")]
mod pressure;
mod series;
#[cfg(feature = "redis")]
mod shared;
#[cfg(feature = "upstream")]
mod upstreams;

use core::fmt;
use std::boxed::Box;
use std::string::String;
use std::vec::Vec;

#[doc(no_inline)]
pub use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeCounterValue, NoLabelSet, prometheus_text, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

#[cfg(feature = "pressure")]
pub use self::pressure::{PressureReading, Pressures};
use self::series::{
    Labels, all_ways, exemplar, has_way, histogram, labels, labels_of, name_of, name_of_way, of_node, owned, position,
    seconds, times, waits_on,
};
pub(in crate::telemetry) use self::series::{may_break, may_wait};
#[cfg(feature = "redis")]
pub use self::shared::RedisSeries;
#[cfg(feature = "upstream")]
pub use self::upstreams::{GroupReading, Upstreams};
use super::{Allocations, Clock, Keeps, Meter, NodeTotals, PauseTotals, Snapshot, Times, WayTotals};
use crate::describe::NodeInfo;
use crate::observe::Way;

/// What is shown of a chain at one moment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Reading {
    /// Its figures.
    pub snapshot: Snapshot,
    /// Runs that exemplars are taken from.
    pub keeps: Keeps,
    /// More labels, as a tenant's name. Two readings of chains of one name have to differ in them.
    pub labels: Vec<(String, String)>,
}

impl Reading {
    /// What this meter has now.
    pub fn of<C: Clock, A: Allocations>(meter: &Meter<C, A>) -> Self {
        Self { snapshot: meter.snapshot(), keeps: meter.kept(), labels: Vec::new() }
    }

    /// With another label.
    #[must_use]
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.push((name.into(), value.into()));
        self
    }
}

/// Without kept runs, so without exemplars.
impl From<Snapshot> for Reading {
    fn from(snapshot: Snapshot) -> Self {
        Self { snapshot, keeps: Keeps::default(), labels: Vec::new() }
    }
}

/// What Prometheus reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// OpenMetrics, with exemplars.
    #[default]
    OpenMetrics,
    /// Prometheus' own text of before, for whoever does not ask for OpenMetrics.
    Text,
}

impl Format {
    /// The one to reply with, by the request's `Accept`: OpenMetrics where it is named, and not refused.
    #[must_use]
    pub fn accepted_by(accept: &str) -> Self {
        let names = |range: &str| {
            let mut parts = range.split(';').map(str::trim);
            let is_it = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/openmetrics-text"));
            let is_refused = |part: &str| part.strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0));
            is_it && !parts.any(is_refused)
        };
        if accept.split(',').any(names) { Self::OpenMetrics } else { Self::Text }
    }

    /// The reply's `Content-Type`.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// All of these chains' figures as a text.
pub fn render<R: Into<Reading>>(format: Format, readings: impl IntoIterator<Item = R>) -> String {
    let readings = readings.into_iter().map(Into::into).collect::<Vec<Reading>>();
    render_all(format, [Box::new(Chains::new(move || readings.clone())) as _])
}

/// All that these collect as a text: [`Chains`], `Upstreams`, `Pressures`, and others of your own.
pub fn render_all(format: Format, collectors: impl IntoIterator<Item = Box<dyn Collector>>) -> String {
    let mut registry = Registry::default();
    for collector in collectors {
        registry.register_collector(collector);
    }
    let mut text = String::new();
    // A `String` takes everything.
    let _ = match format {
        Format::OpenMetrics => text::encode(&mut text, &registry),
        Format::Text => prometheus_text::encode(&mut text, &registry),
    };
    text
}

/// Chains in a registry of your own: read anew for each scrape.
///
/// ```
/// use std::sync::Arc;
///
/// use chain_runtime::telemetry::Meter;
/// use chain_runtime::telemetry::prometheus::{Chains, Reading};
/// use chain_runtime::{chain, node};
/// use prometheus_client::registry::Registry;
///
/// #[node]
/// fn answer(input: &u32) -> u32 { *input }
///
/// chain! {
///     #[observe(meter)]
///     struct Small { meter: Arc<Meter> }
///     fn(input: u32) -> u32 { answer }
/// }
///
/// let meter = Arc::new(Meter::of(Small::CHAIN));
/// let small = Small { meter: Arc::clone(&meter) };
/// let mut registry = Registry::with_prefix("shop");
/// registry.register_collector(Box::new(Chains::new(move || vec![Reading::of(&meter)])));
/// small.run(1);
///
/// let mut text = String::new();
/// prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
/// assert!(text.contains("shop_chain_runs_started_total{chain=\"Small\"} 1"));
/// ```
pub struct Chains<F>(F);

impl<F: Fn() -> Vec<Reading> + Send + Sync + 'static> Chains<F> {
    /// Those that this reads.
    pub const fn new(read: F) -> Self {
        Self(read)
    }
}

impl<F> fmt::Debug for Chains<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Chains")
    }
}

impl<F: Fn() -> Vec<Reading> + Send + Sync + 'static> Collector for Chains<F> {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let readings = (self.0)();
        let mut shown = Shown { readings: &readings, encoder: &mut encoder };
        shown.runs()?;
        shown.nodes()?;
        shown.ways()?;
        shown.pauses()
    }
}

struct Shown<'a, 'e> {
    readings: &'a [Reading],
    encoder: &'a mut DescriptorEncoder<'e>,
}

impl Shown<'_, '_> {
    fn runs(&mut self) -> fmt::Result {
        self.counter("chain_runs_started", "Runs that began", None, |snapshot, series| {
            series.push((Vec::new(), snapshot.started));
        })?;
        let mut gauges = |name, help, value: fn(&Snapshot) -> u64| {
            let mut family = self.encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            self.readings.iter().try_for_each(|reading| {
                family.encode_family(&labels(reading, &[]))?.encode_gauge(&value(&reading.snapshot))
            })
        };
        gauges("chain_runs_in_flight", "Runs that are under way", Snapshot::in_flight)?;
        gauges("chain_sampled_one_in", "One run in so many is measured", |snapshot| u64::from(snapshot.one_in))?;
        self.endings()?;
        let mut family = histogram(self.encoder, "chain_run", "How long runs took")?;
        for reading in self.readings {
            times(&mut family, &labels(reading, &[]), &reading.snapshot.took)?;
        }
        self.counter(
            "chain_own",
            "How long runs were in the chain's own code",
            Some(&Unit::Seconds),
            |snapshot, series| {
                series.push((Vec::new(), seconds(snapshot.own)));
            },
        )
    }

    fn endings(&mut self) -> fmt::Result {
        let (name, help) = ("chain_runs_ended", "Runs that are over, by their ending and the node that gave it");
        let mut family = self.encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for reading in self.readings {
            let snapshot = &reading.snapshot;
            let mut ended = |ending: &str, node: Option<&'static NodeInfo>, count: u64| {
                let labels =
                    labels(reading, &[("ending", ending), ("node", name_of(node)), ("position", &position(node))]);
                let exemplar = exemplar(&reading.keeps, ending, node);
                let exemplar = exemplar.as_ref().map(|exemplar| exemplar.get());
                let exemplar = exemplar.as_ref().and_then(|(_, exemplar)| exemplar.as_ref());
                family.encode_family(&labels)?.encode_counter(&count, exemplar)
            };
            for node in &snapshot.nodes {
                // The first in a row can reply as well: whether a node ends its chain is known by what it has done.
                if node.info.facts.last || node.replied > 0 {
                    ended("replied", Some(node.info), node.replied)?;
                }
                if may_break(node.info) || node.cut_short > 0 {
                    ended("cut_short", Some(node.info), node.cut_short)?;
                }
                if may_wait(node.info) || node.died > 0 {
                    ended("cancelled", Some(node.info), node.died)?;
                }
            }
            let died = snapshot.nodes.iter().map(|node| node.died).sum();
            ended("cancelled", None, snapshot.cancelled.saturating_sub(died))?;
            ended("panicked", None, snapshot.panicked)?;
        }
        Ok(())
    }

    fn nodes(&mut self) -> fmt::Result {
        type Count = fn(&NodeTotals) -> u64;
        let all: [(&str, &str, Count); 9] = [
            ("chain_node_entered", "Times that the node's way in began", |node| node.entered),
            ("chain_node_broke", "Times that the node broke", |node| node.broke),
            ("chain_node_cancelled", "Times that a run or a block died while the node was entered", |node| {
                node.cancelled
            }),
            ("chain_node_panicked", "Times that the node's own code panicked", |node| node.panicked),
            ("chain_node_skipped", "Times that the node was not run", |node| node.skipped),
            ("chain_node_late", "Times that the node took longer than its timeout", |node| node.late),
            ("chain_node_detached", "Times that the node's work went on without the request", |node| node.detached),
            (
                "chain_node_shed",
                "Times that the node was given up under pressure, or the block that it begins",
                |node| node.shed,
            ),
            ("chain_node_tries", "Times that the block of the node around it began", |node| node.tries),
        ];
        for (name, help, count) in all {
            self.counter(name, help, None, |snapshot, series| {
                series.extend(snapshot.nodes.iter().map(|node| (of_node(node.info, &[]), count(node))));
            })?;
        }
        Ok(())
    }

    fn ways(&mut self) -> fmt::Result {
        type Kind = (&'static str, &'static str, fn(&WayTotals) -> &Times, fn(&NodeInfo, Way) -> bool);
        let kinds: [Kind; 2] = [
            ("chain_node_running", "How long the node's own code ran, each time", |way| &way.running, has_way),
            ("chain_node_waiting", "How long the node waited, each time that it did", |way| &way.waiting, waits_on),
        ];
        for (name, help, kind, may) in kinds {
            let mut family = histogram(self.encoder, name, help)?;
            for (reading, node, way, totals) in all_ways(self.readings) {
                let all = kind(totals);
                if reading.snapshot.is_timed && (may(node, way) || all.count() > 0) {
                    times(&mut family, &labels_of(reading, of_node(node, &[("way", name_of_way(way))])), all)?;
                }
            }
        }
        type Count = (&'static str, &'static str, Option<Unit>, fn(&WayTotals) -> u64, fn(&Snapshot) -> bool);
        let counts: [Count; 2] = [
            (
                "chain_node_allocated",
                "What was allocated while the node ran",
                Some(Unit::Bytes),
                |way| way.allocated.bytes,
                |snapshot| snapshot.is_counted.0,
            ),
            (
                "chain_node_allocations",
                "How often something was allocated while the node ran",
                None,
                |way| way.allocated.calls,
                |snapshot| snapshot.is_counted.1,
            ),
        ];
        for (name, help, unit, count, is_counted) in counts {
            self.counter(name, help, unit.as_ref(), |snapshot, series| {
                let all = snapshot
                    .nodes
                    .iter()
                    .flat_map(|node| [Way::In, Way::Out].map(|way| (node.info, way, node.way(way))));
                let all = all.filter(|(node, way, _)| is_counted(snapshot) && has_way(node, *way));
                series.extend(
                    all.map(|(node, way, totals)| (of_node(node, &[("way", name_of_way(way))]), count(totals))),
                );
            })?;
        }
        Ok(())
    }

    fn pauses(&mut self) -> fmt::Result {
        fn each<V>(snapshot: &Snapshot, series: &mut Vec<(Labels, V)>, value: fn(u64, u64) -> V) {
            let mut add = |node: Option<&'static NodeInfo>, pauses: &PauseTotals| {
                series.extend(pauses.iter().map(|(cause, times, nanos)| {
                    let labels = [("node", name_of(node)), ("position", &*position(node)), ("cause", cause.name())];
                    (owned(&labels), value(times, nanos))
                }));
            };
            add(None, &snapshot.own_pauses);
            snapshot.nodes.iter().for_each(|node| add(Some(node.info), &node.pauses));
        }
        let name = "chain_node_pauses";
        self.counter(name, "Times that the node was paused", None, |snapshot, series| {
            each(snapshot, series, |times, _| times)
        })?;
        let (name, help) = ("chain_node_pause", "How long the node was paused");
        self.counter(name, help, Some(&Unit::Seconds), |snapshot, series| {
            each(snapshot, series, |_, nanos| seconds(nanos))
        })
    }

    /// A family of counters.
    fn counter<V: EncodeCounterValue>(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<&Unit>,
        of: impl Fn(&Snapshot, &mut Vec<(Labels, V)>),
    ) -> fmt::Result {
        let mut family = self.encoder.encode_descriptor(name, help, unit, MetricType::Counter)?;
        for reading in self.readings {
            let mut series = Vec::new();
            of(&reading.snapshot, &mut series);
            for (more, value) in series {
                family.encode_family(&labels_of(reading, more))?.encode_counter::<NoLabelSet, V, f64>(&value, None)?;
            }
        }
        Ok(())
    }
}

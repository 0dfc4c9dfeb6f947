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
//! // A handler of `/metrics` replies this, with `format.content_type()`.
//! let format = Format::accepted_by("application/openmetrics-text;version=1.0.0,text/plain;q=0.5");
//! let text = render(format, [Reading::of(&small.meter)]);
//! assert!(text.contains("chain_node_entered_total{chain=\"Small\",node=\"answer\",position=\"0\"} 1"));
//! ```
//!
//! [`Chains`] is a `Collector`, for programs that have a registry already.
//!
//! # Metrics
//!
//! [`Chains`] has:
//!
//! | metric | type | labels beside `chain` |
//! | --- | --- | --- |
//! | `chain_runs_started_total` | counter | |
//! | `chain_runs_in_flight` | gauge | |
//! | `chain_runs_ended_total` | counter, with exemplars | `ending`: `replied`, `cut_short`, `cancelled`, `panicked`; `node`, `position` |
//! | `chain_run_seconds` | histogram | |
//! | `chain_own_seconds_total` | counter | |
//! | `chain_sampled_one_in` | gauge: all other figures are of one run in this many |  |
//! | `chain_node_entered_total`, `.._broke_..`, `.._cancelled_..`, `.._panicked_..`, `.._skipped_..`, `.._late_..`, `.._opened_..`, `.._detached_..`, `.._shed_..`, `.._tries_..` | counter | `node`, `position` |
//! | `chain_node_running_seconds`, `chain_node_waiting_seconds` | histogram | `node`, `position`, `way`: `in`, `out` |
//! | `chain_node_allocated_bytes_total`, `chain_node_allocations_total` | counter | `node`, `position`, `way` |
//! | `chain_node_pauses_total`, `chain_node_pause_seconds_total` | counter | `node`, `position`, `cause` |
//!
//! With the feature `upstream`, [`Upstreams`] has, by `group`:
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
//! | `chain_upstream_state` | gauge: 1 for the state of the member | `member`, `state` |
//! | `chain_upstream_weight` | gauge | `member`, `zone` |
//!
//! With the feature `pressure`, [`Pressures`] has:
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
//! A node's `position` tells apart nodes of one name. If `node` is empty, the series is that of the chain itself.
//! Requests that were turned away are those `cut_short` by the node that turns away; `chain_node_shed_total` counts
//! nodes that were given up.
//!
//! The type of a chain determines how many series it has, except for the causes of pauses, of which there are ten. Of a
//! group of upstreams, at most 200 members have series of their own. A node has a histogram of its waiting only if it
//! may wait, and one of its way out only if it has one.
//!
//! The limits of buckets are powers of two nanoseconds, from 1 µs to 17 s, each four times the one before. They are
//! also limits of the meter's own buckets, so the counts are exact.
//!
//! # Exemplars
//!
//! In OpenMetrics, `chain_runs_ended_total` has the trace of a kept run with that ending: the last one that failed, or
//! the slowest one that was replied to. Its value is the time of the run in seconds. It needs a
//! [trace](super::trace_context), and [kept runs](Reading::keeps). Histograms have no exemplars, because the crate does
//! not let other crates make one.

#[cfg(any(feature = "pressure", feature = "upstream"))]
mod families;
#[cfg(feature = "pressure")]
mod pressure;
mod reading;
mod series;
#[cfg(feature = "redis")]
mod shared;
mod shown;
#[cfg(feature = "upstream")]
mod upstreams;

use core::fmt;
use std::boxed::Box;
use std::string::String;
use std::vec::Vec;

#[doc(no_inline)]
pub use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, prometheus_text, text};
use prometheus_client::registry::Registry;

#[cfg(feature = "pressure")]
pub use self::pressure::{PressureReading, Pressures};
pub use self::reading::Reading;
pub(in crate::telemetry) use self::series::{may_break, may_wait};
#[cfg(feature = "redis")]
pub use self::shared::RedisSeries;
use self::shown::Shown;
#[cfg(feature = "upstream")]
pub use self::upstreams::{GroupReading, Upstreams};

/// The format of the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// OpenMetrics, with exemplars.
    #[default]
    OpenMetrics,
    /// Prometheus' older text format, for readers that do not ask for OpenMetrics.
    Text,
}

impl Format {
    /// The format for the request's `Accept`: OpenMetrics if it is named there and not refused.
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

/// Everything that these collect as a text: [`Chains`], `Upstreams`, `Pressures`, and collectors of your own.
pub fn render_all(format: Format, collectors: impl IntoIterator<Item = Box<dyn Collector>>) -> String {
    let mut registry = Registry::default();
    for collector in collectors {
        registry.register_collector(collector);
    }
    let mut text = String::new();
    // Writing to a `String` cannot fail.
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
    /// The chains that this closure reads.
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

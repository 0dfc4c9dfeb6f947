//! Runs as OpenTelemetry's spans. The spans are made when a run is over: one for the run, and one inside of it for each
//! node that matters.
//!
//! ```no_run
//! use chain_runtime::telemetry::otlp::{Settings, spans};
//! use chain_runtime::telemetry::{Meter, TraceContexts};
//! use chain_runtime::{chain, node};
//! # mod opentelemetry_otlp {
//! #     use opentelemetry_sdk::{error::OTelSdkResult, trace::{SpanData, SpanExporter as Exporter}};
//! #     #[derive(Debug)]
//! #     pub struct SpanExporter;
//! #     impl SpanExporter {
//! #         pub fn builder() -> Self { Self }
//! #         pub fn with_tonic(self) -> Self { self }
//! #         pub fn build(self) -> Result<Self, std::io::Error> { Ok(self) }
//! #     }
//! #     impl Exporter for SpanExporter {
//! #         async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult { Ok(()) }
//! #     }
//! # }
//! use http::{Response, request::Parts};
//! use opentelemetry_sdk::Resource;
//!
//! #[node]
//! fn answer(request: &Parts) -> Response<String> { Response::new(request.uri.to_string()) }
//!
//! chain! {
//!     #[observe(meter)]
//!     struct Site { meter: Meter, traces: TraceContexts }
//!     fn(request: Parts) -> Response<String> { traces => answer }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let exporter = opentelemetry_otlp::SpanExporter::builder().with_tonic().build()?;
//! let resource = Resource::builder().with_service_name("site").build();
//! let (spans, exporting) = spans(exporter, resource, Settings::default());
//! tokio::spawn(exporting.run());
//! let meter = Meter::builder(Site::CHAIN).sink(spans).build();
//! let site = Site { meter, traces: TraceContexts::new() };
//! # Ok(())
//! # }
//! ```
//!
//! A meter measures each run in any case. Whether spans are made of a run is decided when it is over, by how it ended:
//! see [`Settings`]. An ordinary run costs only that decision. So there is no cost for entering and leaving spans at
//! each poll, and slow runs are always among those that are exported.
//!
//! # The run's span
//!
//! If a node [`TraceContexts`](super::trace_context) found a trace, the span belongs to it: it is the child of the
//! caller's span, and the parent of spans of the services that the run calls. Without that node the span is a trace of
//! its own. It has those attributes of OpenTelemetry's conventions for HTTP servers that a meter knows:
//! `http.request.method`, `http.response.status_code`, `error.type`. Its name is the method, or the chain's name. It
//! also has `chain.name`, `chain.outcome` (`replied`, `cut_short`, `cancelled`, `panicked`), `chain.outcome.node`, and
//! the pauses. It contains nothing of the request's content. It is an error if something panicked, and if the reply's
//! status is 500 or more.
//!
//! # A node's span
//!
//! A node has a span for each time that it was on its way in, and one for each time that it was on its way out, if that
//! time [mattered](Settings::share). The span of a node around a block contains those of its block. A span has
//! `code.function.name`, `code.file.path` and `code.line.number` (of the chain's declaration), `chain.node.position`,
//! `chain.node.way`, and `chain.node.running_ms` and `chain.node.waiting_ms`, which do not contain the times of its
//! block.
//!
//! # Pauses
//!
//! The span of a node that was paused has `pause.total_ms`, `pause.max_ms`, and `pause.cause` of the longest pause. The
//! run's span has the same of the whole run. Each pause is also an event `pause`, in the span that it hit, with
//! `pause.cause`, `pause.likely_ms` and whether it was `seen` or `inferred`. Shortages of the whole machine are only in
//! the run's events, with `pause.machine`.
//!
//! # A collector that cannot be reached
//!
//! It costs spans, which are [counted](Spans::counts), and nothing else: runs wait in a queue of fixed length, and a
//! run that finds the queue full is dropped. One task exports them in the order in which they ended, each time as many
//! as have gathered meanwhile.

mod made;
mod visits;

use core::fmt;
use core::num::NonZeroUsize;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::Arc;
use std::time::Duration;
use std::vec::Vec;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanExporter;
use tokio::sync::mpsc;

use super::{Kept, Outcome, Over, Sink};

/// For which runs spans are made, and for which of their nodes.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// For runs that took this long: 500 ms.
    pub slow: Duration,
    /// For runs that were cut short, cancelled or panicked, or whose reply has a status of 500 or more: yes.
    pub failed: bool,
    /// For runs that were paused: yes.
    pub paused: bool,
    /// For runs whose trace is sampled, because the `traceparent` says so, or because
    /// [`TraceContexts`](super::TraceContexts) began it so: yes.
    pub sampled: bool,
    /// For nodes whose own time, or whose block's, is at least this share of the run's: 0.01. A node that was paused,
    /// and the node in which the run ended, always have a span.
    pub share: f64,
    /// For at most so many nodes, the longest first: 64.
    pub nodes: usize,
    /// How many runs may wait for their export: 1,024.
    pub queue: NonZeroUsize,
    /// How many runs are exported at once: 128.
    pub batch: NonZeroUsize,
    /// The time after which an export counts as failed: 10 s.
    pub timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            slow: Duration::from_millis(500),
            failed: true,
            paused: true,
            sampled: true,
            share: 0.01,
            nodes: 64,
            queue: NonZeroUsize::new(1_024).unwrap_or(NonZeroUsize::MIN),
            batch: NonZeroUsize::new(128).unwrap_or(NonZeroUsize::MIN),
            timeout: Duration::from_secs(10),
        }
    }
}

/// What happened to the runs for which spans were to be made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Runs that were exported.
    pub exported: u64,
    /// The spans of the exported runs.
    pub spans: u64,
    /// Runs that found the queue full.
    pub lost: u64,
    /// Runs whose export failed.
    pub failed: u64,
    /// The spans of the runs whose export failed.
    pub failed_spans: u64,
    /// Runs that came into the queue.
    pub taken: u64,
}

impl Counts {
    /// How many runs are in the queue, or under way.
    #[must_use]
    pub const fn waiting(&self) -> u64 {
        self.taken.saturating_sub(self.exported + self.failed)
    }
}

#[derive(Debug, Default)]
struct Counters {
    exported: AtomicU64,
    spans: AtomicU64,
    lost: AtomicU64,
    failed: AtomicU64,
    failed_spans: AtomicU64,
    taken: AtomicU64,
}

/// Makes the sink for a meter, and the exporter of what comes to the sink. Spans are exported once the future of
/// [`Exporting::run`] is spawned.
///
/// The resource says whose spans they are; it should have at least a service's name.
pub fn spans<E: SpanExporter>(mut exporter: E, resource: Resource, settings: Settings) -> (Spans, Exporting<E>) {
    let (sender, runs) = mpsc::channel(settings.queue.get());
    exporter.set_resource(&resource);
    let counters = Arc::new(Counters::default());
    let spans = Spans { sender, settings: settings.clone(), counters: Arc::clone(&counters) };
    (spans, Exporting { exporter, runs, settings, counters })
}

/// A [`Sink`] that makes spans of runs. Clones share one queue, so several meters can have one each.
#[derive(Clone)]
pub struct Spans {
    sender: mpsc::Sender<Kept>,
    settings: Settings,
    counters: Arc<Counters>,
}

impl Spans {
    /// What happened to all runs until now.
    pub fn counts(&self) -> Counts {
        let Counters { exported, spans, lost, failed, failed_spans, taken } = &*self.counters;
        Counts {
            exported: exported.load(Relaxed),
            spans: spans.load(Relaxed),
            lost: lost.load(Relaxed),
            failed: failed.load(Relaxed),
            failed_spans: failed_spans.load(Relaxed),
            taken: taken.load(Relaxed),
        }
    }
}

impl fmt::Debug for Spans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spans").field("counts", &self.counts()).finish_non_exhaustive()
    }
}

impl Sink for Spans {
    fn wants(&self, run: &Over) -> bool {
        let Settings { slow, failed, paused, sampled, .. } = &self.settings;
        let has_failed =
            || !matches!(run.outcome, Outcome::Replied(_)) || run.status.is_some_and(|status| status >= 500);
        let wants = run.took >= *slow
            || *failed && has_failed()
            || *paused && run.was_paused
            || *sampled && run.trace.is_some_and(|trace| trace.is_sampled);
        // If the queue has no room for the run, the run is not put together at all.
        let is_lost = wants && self.sender.capacity() == 0;
        if is_lost {
            self.counters.lost.fetch_add(1, Relaxed);
        }
        wants && !is_lost
    }

    fn takes(&self, run: Kept) {
        match self.sender.try_send(run) {
            Ok(()) => self.counters.taken.fetch_add(1, Relaxed),
            Err(_) => self.counters.lost.fetch_add(1, Relaxed),
        };
    }
}

/// Exports runs.
#[must_use = "nothing leaves before `run` is awaited"]
pub struct Exporting<E> {
    exporter: E,
    runs: mpsc::Receiver<Kept>,
    settings: Settings,
    counters: Arc<Counters>,
}

impl<E: SpanExporter> Exporting<E> {
    /// Exports until all [`Spans`] (which the meters hold) are dropped, and the rest of the queue is exported. If the
    /// future is dropped before that, the queue's contents are lost.
    ///
    /// It needs tokio's timer. An exporter that needs tokio as well, such as that of `opentelemetry-otlp` over tonic,
    /// has to be made inside of tokio.
    pub async fn run(mut self) {
        let mut batch = Vec::new();
        while self.runs.recv_many(&mut batch, self.settings.batch.get()).await > 0 {
            let runs = batch.len() as u64;
            let made = batch.drain(..).flat_map(|run| made::spans(&run, &self.settings)).collect::<Vec<_>>();
            let spans = made.len() as u64;
            let exported = tokio::time::timeout(self.settings.timeout, self.exporter.export(made)).await;
            let Counters { exported: all, spans: all_spans, failed, failed_spans, .. } = &*self.counters;
            let (all, all_spans) =
                if matches!(exported, Ok(Ok(()))) { (all, all_spans) } else { (failed, failed_spans) };
            all.fetch_add(runs, Relaxed);
            all_spans.fetch_add(spans, Relaxed);
        }
        // There is nothing left to export, so an error is of no interest now.
        let _ = self.exporter.shutdown();
    }
}

impl<E> fmt::Debug for Exporting<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exporting").field("settings", &self.settings).finish_non_exhaustive()
    }
}

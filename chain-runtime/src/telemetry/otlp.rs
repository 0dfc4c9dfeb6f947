//! Runs as OpenTelemetry's spans, made when they are over: one for the run, and in it one for each node that matters.
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
//! A meter measures each run anyway. Whether spans are made of it is decided when it is over, by what became of it: [`Settings`] says. An ordinary run costs that decision, and nothing
//! is made of it. So spans do not cost what entering and leaving them in each poll does, and the slow run is always among those that are kept.
//!
//! # The run's span
//!
//! It belongs to the trace that a node [`TraceContexts`](super::trace_context) found, as the child of whoever asked; whoever is asked by the run is its child. Without that node it is a trace
//! of its own. It has the attributes of OpenTelemetry's conventions for HTTP servers that a meter knows: `http.request.method`, `http.response.status_code`, `error.type`. Its name is the method, or the
//! chain's name. Besides: `chain.name`, `chain.outcome` (`replied`, `cut_short`, `cancelled`, `panicked`), `chain.outcome.node`, and the pauses. Nothing of what the request says is on it.
//! It is an error where something panicked, and where the reply's status is 500 or more.
//!
//! # A node's span
//!
//! A node has one for each time that it was on its way in, and one for each time that it was on its way out, where that [mattered](Settings::share). A node around a block has one around its
//! block's. It has `code.function.name`, `code.file.path` and `code.line.number` (where the chain is declared), `chain.node.position`, `chain.node.way`, `chain.node.running_ms` and `chain.node.waiting_ms`, in
//! which its block's are not.
//!
//! # Pauses
//!
//! The span of a node that was paused has `pause.total_ms`, `pause.max_ms`, and the longest one's `pause.cause`. The run's span has the same of the whole run. Each pause is an event `pause` as well, in the span that
//! it hit, with `pause.cause`, `pause.likely_ms` and whether it was `seen` or `inferred`. What the whole machine was short of is in the run's events only, with `pause.machine`.
//!
//! # A collector that is away
//!
//! It costs spans, which are [counted](Spans::counts), and nothing else: runs wait in a queue of fixed length, and those that find it full are let go. They are exported in the order in which
//! they ended, by one task, as many at once as have gathered meanwhile.

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

/// Of which runs spans are made, and of which nodes in them.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Of a run that took that long: 500 ms.
    pub slow: Duration,
    /// Of a run that was cut short, cancelled or panicked, or whose reply has a status of 500 or more: yes.
    pub failed: bool,
    /// Of a run that was paused: yes.
    pub paused: bool,
    /// Of a run whose trace is sampled: because its `traceparent` says so, or because [`TraceContexts`](super::TraceContexts) began it so: yes.
    pub sampled: bool,
    /// Of a node whose own time, or whose block's, is this share of the run's: 0.01. A node that was paused has one anyway, and so has the one that the run ended in.
    pub share: f64,
    /// So many nodes at most, the longest: 64.
    pub nodes: usize,
    /// So many runs wait to be exported: 1,024.
    pub queue: NonZeroUsize,
    /// So many runs are exported at once: 128.
    pub batch: NonZeroUsize,
    /// An export that takes longer has failed: 10 s.
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

/// What became of the runs of which spans were to be made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Runs that were exported.
    pub exported: u64,
    /// The spans of these.
    pub spans: u64,
    /// Runs that found the queue full.
    pub lost: u64,
    /// Runs whose export failed.
    pub failed: u64,
    /// The spans of these.
    pub failed_spans: u64,
}

#[derive(Debug, Default)]
struct Counters {
    exported: AtomicU64,
    spans: AtomicU64,
    lost: AtomicU64,
    failed: AtomicU64,
    failed_spans: AtomicU64,
}

/// The sink of a meter, and what exports what came to it. As soon as the future of [`Exporting::run`] is spawned, spans leave.
///
/// The resource says whose spans they are: a service's name at least.
pub fn spans<E: SpanExporter>(mut exporter: E, resource: Resource, settings: Settings) -> (Spans, Exporting<E>) {
    let (sender, runs) = mpsc::channel(settings.queue.get());
    exporter.set_resource(&resource);
    let counters = Arc::new(Counters::default());
    let spans = Spans { sender, settings: settings.clone(), counters: Arc::clone(&counters) };
    (spans, Exporting { exporter, runs, settings, counters })
}

/// A [`Sink`] that makes spans of runs. Clones have one queue, so several meters can have one each.
#[derive(Clone)]
pub struct Spans {
    sender: mpsc::Sender<Kept>,
    settings: Settings,
    counters: Arc<Counters>,
}

impl Spans {
    /// What became of all runs until now.
    pub fn counts(&self) -> Counts {
        let Counters { exported, spans, lost, failed, failed_spans } = &*self.counters;
        Counts {
            exported: exported.load(Relaxed),
            spans: spans.load(Relaxed),
            lost: lost.load(Relaxed),
            failed: failed.load(Relaxed),
            failed_spans: failed_spans.load(Relaxed),
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
        // Where there is no place for it, it is not put together either.
        let is_lost = wants && self.sender.capacity() == 0;
        if is_lost {
            self.counters.lost.fetch_add(1, Relaxed);
        }
        wants && !is_lost
    }

    fn takes(&self, run: Kept) {
        if self.sender.try_send(run).is_err() {
            self.counters.lost.fetch_add(1, Relaxed);
        }
    }
}

/// What exports runs.
#[must_use = "nothing leaves before `run` is awaited"]
pub struct Exporting<E> {
    exporter: E,
    runs: mpsc::Receiver<Kept>,
    settings: Settings,
    counters: Arc<Counters>,
}

impl<E: SpanExporter> Exporting<E> {
    /// Exports until all [`Spans`] of it are dropped, which a meter has, and what they left is exported. Where it is dropped before that, what is in the queue is lost.
    ///
    /// It needs tokio's timer. An exporter that needs tokio as well, as `opentelemetry-otlp`'s over tonic does, is to be made where tokio runs.
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
        // It has nothing left; what it says of itself is of no use to anybody now.
        let _ = self.exporter.shutdown();
    }
}

impl<E> fmt::Debug for Exporting<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exporting").field("settings", &self.settings).finish_non_exhaustive()
    }
}

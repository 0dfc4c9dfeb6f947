//! The spans of a run.

use std::borrow::Cow;
use std::format;
use std::string::{String, ToString as _};
use std::time::{Duration, SystemTime};
use std::vec;
use std::vec::Vec;

use opentelemetry::trace::{Event, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

use super::Settings;
use super::visits::{Visit, visits};
use crate::observe::Way;
use crate::telemetry::pauses::Evidence;
use crate::telemetry::{Kept, KeptPause, Outcome, TraceContext, Whose, trace_context};

/// The run's span, followed by those of its nodes.
pub(super) fn spans(run: &Kept, settings: &Settings) -> Vec<SpanData> {
    let made = Made { run, trace: run.trace.unwrap_or_else(|| TraceContext::begin(true)), scope: scope() };
    let visits = visits(run);
    let chosen = chosen(run, &visits, settings);
    let mut all = vec![made.of_the_run()];
    // A visit whose parent has no span belongs to the next ancestor that has one.
    let mut ids: Vec<Option<SpanId>> = vec![None; visits.len()];
    for (index, visit) in visits.iter().enumerate() {
        if chosen.contains(&index) {
            let around = core::iter::successors(visit.parent, |parent| visits[*parent].parent);
            let parent = around.filter_map(|parent| ids[parent]).next();
            let span = made.of_a_node(visit, parent, is_last_of(&visits, index));
            ids[index] = Some(span.span_context.span_id());
            all.push(span);
        }
    }
    all
}

fn scope() -> InstrumentationScope {
    InstrumentationScope::builder("chain-runtime").with_version(env!("CARGO_PKG_VERSION")).build()
}

/// The visits that matter, the longest first.
fn chosen(run: &Kept, visits: &[Visit], settings: &Settings) -> Vec<usize> {
    // NaN counts as 0.
    let share = if settings.share.is_nan() { 0.0 } else { settings.share.clamp(0.0, 1.0) };
    let least = run.took.mul_f64(share);
    let ended_in = run.outcome.node();
    let matters = |(index, visit): (usize, &Visit)| {
        let ends = ended_in.is_some_and(|node| node.position == visit.node.position) && is_last_of(visits, index);
        let is_hit = run.pauses.iter().any(|pause| hits(pause, visit));
        (ends || is_hit || visit.length() >= least).then_some((ends || is_hit, visit.length(), index))
    };
    let mut chosen = visits.iter().enumerate().filter_map(matters).collect::<Vec<_>>();
    chosen.sort_unstable_by(|one, other| other.cmp(one));
    chosen.truncate(settings.nodes);
    chosen.into_iter().map(|(.., index)| index).collect()
}

/// Whether this is the last visit of its node on its way in: the run ended in it.
fn is_last_of(visits: &[Visit], index: usize) -> bool {
    let is_same = |visit: &Visit| visit.node.position == visits[index].node.position && visit.way == Way::In;
    visits.iter().rposition(is_same) == Some(index)
}

fn hits(pause: &KeptPause, visit: &Visit) -> bool {
    let (Some(Whose::Running(position, way)) | Some(Whose::Waiting(position, way))) = pause.whose else { return false };
    let is_way = way == visit.way || visit.node.facts.around.a_block();
    position == visit.node.position && is_way && visit.start <= pause.start && pause.start < visit.end
}

struct Made<'a> {
    run: &'a Kept,
    trace: TraceContext,
    scope: InstrumentationScope,
}

impl Made<'_> {
    fn of_the_run(&self) -> SpanData {
        let Kept { chain, method, status, outcome, .. } = self.run;
        let (how, failed) = match outcome {
            Outcome::Replied(_) => ("replied", None),
            Outcome::CutShort(_) => ("cut_short", None),
            Outcome::Cancelled(_) => ("cancelled", None),
            Outcome::Panicked(_) => ("panicked", Some(("panic".to_string(), outcome.to_string()))),
        };
        let failed =
            failed.or_else(|| status.filter(|status| *status >= 500).map(|status| (status.to_string(), String::new())));
        let mut attributes = vec![KeyValue::new("chain.name", chain.name), KeyValue::new("chain.outcome", how)];
        attributes.extend(outcome.node().map(|node| KeyValue::new("chain.outcome.node", node.name)));
        attributes.extend(method.map(|method| KeyValue::new("http.request.method", method)));
        attributes.extend(status.map(|status| KeyValue::new("http.response.status_code", i64::from(status))));
        attributes.extend(failed.iter().map(|(kind, _)| KeyValue::new("error.type", kind.clone())));
        if self.run.is_truncated {
            attributes.push(KeyValue::new("chain.truncated", true));
        }
        let (its, machines) = self.run.pauses.iter().partition::<Vec<_>, _>(|pause| pause.whose.is_some());
        attributes.extend(pauses(&its));
        let chains = its.iter().copied().filter(|pause| pause.whose == Some(Whose::Chain));
        let status = failed.map_or(Status::Unset, |(_, description)| Status::error(description));
        let name = match *method {
            Some("_OTHER") => "HTTP",
            Some(method) => method,
            None => chain.name,
        };
        let id = SpanId::from(self.trace.span.get());
        let parent = self.trace.parent.map(|parent| SpanId::from(parent.get()));
        let mut span = self.span(id, parent, name.into(), Duration::ZERO, self.run.took);
        span.parent_span_is_remote = parent.is_some();
        span.span_kind = SpanKind::Server;
        SpanData { attributes, events: self.events(chains.chain(machines)), status, ..span }
    }

    fn of_a_node(&self, visit: &Visit, parent: Option<SpanId>, is_last: bool) -> SpanData {
        let Visit { node, way, .. } = visit;
        let (way, name) = match way {
            Way::In => ("in", Cow::Borrowed(node.name)),
            Way::Out => ("out", Cow::Owned(format!("{} (out)", node.name))),
        };
        let mut attributes = vec![
            KeyValue::new("code.function.name", node.name),
            KeyValue::new("code.file.path", node.file),
            KeyValue::new("code.line.number", i64::from(node.line)),
            KeyValue::new("chain.node.position", node.position as i64),
            KeyValue::new("chain.node.way", way),
            KeyValue::new("chain.node.running_ms", millis(visit.running)),
            KeyValue::new("chain.node.waiting_ms", millis(visit.waiting)),
        ];
        let mut status = Status::Unset;
        if is_last && self.run.outcome.node().is_some_and(|ended| ended.position == node.position) {
            match self.run.outcome {
                Outcome::CutShort(_) => attributes.push(KeyValue::new("chain.node.ending", "broke")),
                Outcome::Cancelled(_) => attributes.push(KeyValue::new("chain.node.ending", "cancelled")),
                Outcome::Panicked(_) => {
                    attributes.push(KeyValue::new("error.type", "panic"));
                    status = Status::error("");
                }
                _ => {}
            }
        }
        let hit = self.run.pauses.iter().filter(|pause| hits(pause, visit)).collect::<Vec<_>>();
        attributes.extend(pauses(&hit));
        let parent = parent.unwrap_or_else(|| SpanId::from(self.trace.span.get()));
        let id = SpanId::from(trace_context::SpanId::draw().get());
        let span = self.span(id, Some(parent), name, visit.start, visit.end);
        SpanData { attributes, events: self.events(hit.into_iter()), status, ..span }
    }

    fn span(
        &self,
        id: SpanId,
        parent: Option<SpanId>,
        name: Cow<'static, str>,
        start: Duration,
        end: Duration,
    ) -> SpanData {
        // The receiver has to keep the spans, whatever was decided when the run began.
        let flags = TraceFlags::new(self.trace.flags()).with_sampled(true);
        SpanData {
            span_context: SpanContext::new(TraceId::from(self.trace.trace.get()), id, flags, false, TraceState::NONE),
            parent_span_id: parent.unwrap_or(SpanId::INVALID),
            parent_span_is_remote: false,
            span_kind: SpanKind::Internal,
            name,
            start_time: self.run.began + start,
            end_time: self.run.began + end,
            attributes: vec![],
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: Status::Unset,
            instrumentation_scope: self.scope.clone(),
        }
    }

    fn events<'p>(&self, pauses: impl Iterator<Item = &'p KeptPause>) -> SpanEvents {
        let event = |pause: &KeptPause| {
            let at: SystemTime = self.run.began + pause.start;
            let evidence = if pause.evidence == Evidence::Seen { "seen" } else { "inferred" };
            let mut attributes = vec![
                KeyValue::new("pause.cause", pause.cause.name()),
                KeyValue::new("pause.likely_ms", millis(pause.likely)),
                KeyValue::new("pause.evidence", evidence),
            ];
            if pause.whose.is_none() {
                attributes.push(KeyValue::new("pause.machine", true));
            }
            Event::new("pause", at, attributes, 0)
        };
        let mut events = SpanEvents::default();
        events.events = pauses.map(event).collect();
        events
    }
}

/// The attributes of the span that the pauses hit. There are none if no pause did.
fn pauses(hit: &[&KeptPause]) -> Vec<KeyValue> {
    let Some(longest) = hit.iter().max_by_key(|pause| pause.likely) else { return vec![] };
    vec![
        KeyValue::new("pause.total_ms", millis(hit.iter().map(|pause| pause.likely).sum())),
        KeyValue::new("pause.max_ms", millis(longest.likely)),
        KeyValue::new("pause.cause", longest.cause.name()),
    ]
}

#[allow(clippy::cast_precision_loss, reason = "a float is what the attribute has")]
fn millis(duration: Duration) -> f64 {
    duration.as_nanos() as f64 / 1e6
}

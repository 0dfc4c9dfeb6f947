//! Single series: their labels, their buckets, their exemplars.

use core::fmt;
use core::ops::RangeInclusive;
use std::borrow::ToOwned as _;
use std::string::{String, ToString as _};
use std::sync::atomic::AtomicU64;
use std::vec;
use std::vec::Vec;

use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::exemplar::CounterWithExemplar;
use prometheus_client::registry::Unit;

use super::reading::Reading;
use crate::describe::{Hook, NodeInfo, Role};
use crate::observe::Way;
use crate::telemetry::{Keeps, Kept, Outcome, Times, WayTotals};

pub(super) type Labels = Vec<(String, String)>;

pub(super) fn owned(labels: &[(&str, &str)]) -> Labels {
    labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

pub(super) fn labels(reading: &Reading, more: &[(&str, &str)]) -> Labels {
    labels_of(reading, owned(more))
}

pub(super) fn labels_of(reading: &Reading, more: Labels) -> Labels {
    let mut all = owned(&[("chain", reading.snapshot.chain.name)]);
    all.extend(reading.labels.iter().cloned());
    all.extend(more);
    all
}

pub(super) fn of_node(node: &'static NodeInfo, more: &[(&str, &str)]) -> Labels {
    let mut all = owned(&[("node", node.name), ("position", &position(Some(node)))]);
    all.extend(owned(more));
    all
}

pub(super) fn name_of(node: Option<&'static NodeInfo>) -> &'static str {
    node.map_or("", |node| node.name)
}

pub(super) fn position(node: Option<&'static NodeInfo>) -> String {
    node.map(|node| node.position.to_string()).unwrap_or_default()
}

pub(super) const fn name_of_way(way: Way) -> &'static str {
    match way {
        Way::In => "in",
        Way::Out => "out",
    }
}

pub(in crate::telemetry) fn may_break(node: &NodeInfo) -> bool {
    node.facts.breaks.is_some() || is_around(node)
}

pub(in crate::telemetry) fn may_wait(node: &NodeInfo) -> bool {
    waits_on(node, Way::In) || waits_on(node, Way::Out)
}

/// A node around a block is on its way out after the block is over.
pub(super) fn has_way(node: &NodeInfo, way: Way) -> bool {
    way == Way::In || node.facts.exit.is_present() || is_around(node)
}

pub(super) fn waits_on(node: &NodeInfo, way: Way) -> bool {
    match way {
        Way::In => node.facts.enter == Hook::Suspends || is_around(node),
        Way::Out => node.facts.exit == Hook::Suspends || is_around(node),
    }
}

const fn is_around(node: &NodeInfo) -> bool {
    matches!(node.role, Role::Around)
}

/// All ways of all nodes.
pub(super) fn all_ways(readings: &[Reading]) -> impl Iterator<Item = (&Reading, &'static NodeInfo, Way, &WayTotals)> {
    let nodes = readings.iter().flat_map(|reading| reading.snapshot.nodes.iter().map(move |node| (reading, node)));
    nodes.flat_map(|(reading, node)| [Way::In, Way::Out].map(|way| (reading, node.info, way, node.way(way))))
}

#[allow(clippy::cast_precision_loss, reason = "a float is what the format has")]
pub(super) fn seconds(nanos: u64) -> f64 {
    nanos as f64 / 1e9
}

/// The limits of buckets: powers of two nanoseconds, with a constant number of powers between them.
const LIMITS: RangeInclusive<u32> = 10..=34;
const STEP: usize = 2;

pub(super) fn histogram<'a>(
    encoder: &'a mut DescriptorEncoder<'_>,
    name: &'a str,
    help: &str,
) -> Result<MetricEncoder<'a>, fmt::Error> {
    encoder.encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Histogram)
}

pub(super) fn times(family: &mut MetricEncoder<'_>, labels: &Labels, times: &Times) -> fmt::Result {
    let buckets = buckets(times);
    let count = buckets.iter().map(|(_, count)| count).sum();
    family.encode_family(labels)?.encode_histogram::<NoLabelSet>(seconds(times.sum()), count, &buckets, None)
}

/// How often it happened, for each limit. Each time counts in one bucket.
fn buckets(times: &Times) -> Vec<(f64, u64)> {
    let mut limits = vec![];
    limits.extend(LIMITS.step_by(STEP).map(|power| (1_u64 << power, 0)));
    let mut beyond = 0;
    for (longest, count) in times.buckets() {
        // The limits are also limits of the meter's buckets, so each of those lies on one side.
        match limits.iter_mut().find(|(limit, _)| longest < *limit) {
            Some((_, bucket)) => *bucket += count,
            None => beyond += count,
        }
    }
    let within = limits.into_iter().map(|(limit, count)| (seconds(limit), count));
    within.chain([(f64::INFINITY, beyond)]).collect()
}

/// The trace of a run with this ending. The crate makes exemplars only in a counter, so there is one for it.
pub(super) fn exemplar(
    keeps: &Keeps,
    ending: &str,
    node: Option<&'static NodeInfo>,
) -> Option<CounterWithExemplar<Labels, f64, AtomicU64>> {
    let ended_so = |kept: &&Kept| {
        let (its, by) = match kept.outcome {
            Outcome::Replied(by) => ("replied", Some(by)),
            Outcome::CutShort(by) => ("cut_short", Some(by)),
            Outcome::Cancelled(by) => ("cancelled", by),
            // Nodes that panicked have counters of their own.
            Outcome::Panicked(_) => ("panicked", None),
        };
        kept.trace.is_some() && its == ending && by.map(|by| by.position) == node.map(|node| node.position)
    };
    // The failed ones are sorted, the newest first.
    let kept = keeps.failed.iter().find(ended_so).or_else(|| keeps.slowest.iter().find(ended_so))?;
    let trace = kept.trace?;
    let labels = owned(&[("trace_id", &trace.trace.to_string()), ("span_id", &trace.span.to_string())]);
    let counter = CounterWithExemplar::default();
    counter.inc_by(kept.took.as_secs_f64(), Some(labels), Some(kept.began + kept.took));
    Some(counter)
}

//! The families of a chain's figures.

use core::fmt;
use std::vec::Vec;

use prometheus_client::encoding::{DescriptorEncoder, EncodeCounterValue, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use super::reading::Reading;
use super::series::{
    Labels, all_ways, exemplar, has_way, histogram, labels, labels_of, may_break, may_wait, name_of, name_of_way,
    of_node, owned, position, seconds, times, waits_on,
};
use crate::describe::NodeInfo;
use crate::observe::Way;
use crate::telemetry::{NodeTotals, PauseTotals, Snapshot, Times, WayTotals};

pub(super) struct Shown<'a, 'e> {
    pub(super) readings: &'a [Reading],
    pub(super) encoder: &'a mut DescriptorEncoder<'e>,
}

impl Shown<'_, '_> {
    pub(super) fn runs(&mut self) -> fmt::Result {
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
                // The first node in a row can reply as well: what a node has done shows whether it ends its chain.
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

    pub(super) fn nodes(&mut self) -> fmt::Result {
        type Count = fn(&NodeTotals) -> u64;
        let all: [(&str, &str, Count); 10] = [
            ("chain_node_entered", "Times that the node's way in began", |node| node.entered),
            ("chain_node_broke", "Times that the node broke", |node| node.broke),
            ("chain_node_cancelled", "Times that a run or a block died while the node was entered", |node| {
                node.cancelled
            }),
            ("chain_node_panicked", "Times that the node's own code panicked", |node| node.panicked),
            ("chain_node_skipped", "Times that the node was not run", |node| node.skipped),
            ("chain_node_late", "Times that the node took longer than its timeout", |node| node.late),
            ("chain_node_opened", "Times that the run went on without the node, which broke", |node| node.opened),
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

    pub(super) fn ways(&mut self) -> fmt::Result {
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

    pub(super) fn pauses(&mut self) -> fmt::Result {
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

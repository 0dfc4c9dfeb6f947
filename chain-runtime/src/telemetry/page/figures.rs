//! What happened between two snapshots.

use std::collections::VecDeque;
use std::string::String;
use std::time::UNIX_EPOCH;
use std::vec::Vec;

use serde::Serialize;

use crate::telemetry::{NodeTotals, PauseTotals, Snapshot, Times, WayTotals};

/// The last snapshots. The page shows their difference.
///
/// It keeps as many snapshots as it was made for. Each takes up to 10 kB for each way in which a node takes time.
#[derive(Debug)]
pub struct Window {
    snapshots: VecDeque<Snapshot>,
    length: usize,
}

impl Window {
    /// A window of so many snapshots: with a snapshot every second, of so many seconds. It has at least 1.
    pub fn new(length: usize) -> Self {
        Self { snapshots: VecDeque::new(), length: length.max(1) }
    }

    /// The figures from the oldest snapshot to this one, as JSON. This snapshot is kept. The first figures are all 0.
    pub fn figures(&mut self, now: Snapshot) -> String {
        let mut interval = now.clone();
        // A snapshot of another chain is not used.
        if interval.subtract(self.snapshots.front().unwrap_or(&now)).is_err() {
            self.snapshots.clear();
            let _ = interval.subtract(&now);
        }
        let figures = Figures::of(&now, &interval);
        while self.snapshots.len() >= self.length {
            self.snapshots.pop_front();
        }
        self.snapshots.push_back(now);
        super::json(&figures)
    }

    /// Drops all snapshots, after a time in which the page was not open.
    pub fn clear(&mut self) {
        self.snapshots.clear();
    }
}

/// Nanoseconds and bytes, unchanged; rates are a second.
#[derive(Serialize)]
struct Figures {
    /// In milliseconds since 1970.
    at: u64,
    seconds: f64,
    timed: bool,
    counted: (bool, bool),
    one_in: u32,
    in_flight: u64,
    started: u64,
    ended: u64,
    rate: f64,
    /// p50 and p99.
    took: [Option<u64>; 2],
    replied: u64,
    cut_short: u64,
    cancelled: u64,
    panicked: u64,
    foreign: u64,
    /// The time that belongs to the chain itself.
    own: u64,
    own_bytes: u64,
    nodes: Vec<Node>,
    blocks: Vec<u64>,
}

#[derive(Serialize)]
struct Node {
    entered: u64,
    rate: f64,
    #[serde(rename = "in")]
    way_in: Way,
    out: Way,
    bytes: u64,
    calls: u64,
    broke: u64,
    cancelled: u64,
    /// How many of these died while they waited here.
    died: u64,
    panicked: u64,
    skipped: u64,
    late: u64,
    opened: u64,
    detached: u64,
    shed: u64,
    tries: u64,
    /// The cause, how often, and the nanoseconds.
    pauses: Vec<(&'static str, u64, u64)>,
}

/// p50, p99, and the sum in nanoseconds.
#[derive(Serialize)]
struct Way {
    run: (Option<u64>, Option<u64>, u64),
    wait: (Option<u64>, Option<u64>, u64),
}

impl Figures {
    fn of(now: &Snapshot, interval: &Snapshot) -> Self {
        let seconds = interval.covers as f64 / 1e9;
        let rate = |count: u64| if seconds > 0.0 { count as f64 / seconds } else { 0.0 };
        let at = now.at.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        Self {
            at: u64::try_from(at).unwrap_or(u64::MAX),
            seconds,
            timed: now.is_timed,
            counted: now.is_counted,
            one_in: now.one_in,
            in_flight: now.in_flight(),
            started: now.started,
            ended: interval.ended,
            rate: rate(interval.ended),
            took: interval.took.quantiles([0.5, 0.99]),
            replied: interval.nodes.iter().map(|node| node.replied).sum(),
            cut_short: interval.nodes.iter().map(|node| node.cut_short).sum(),
            cancelled: interval.cancelled,
            panicked: interval.panicked,
            foreign: now.foreign,
            own: interval.own,
            own_bytes: interval.own_allocated.bytes,
            nodes: interval.nodes.iter().map(|node| Node::of(node, rate(node.entered))).collect(),
            blocks: interval.blocks.clone(),
        }
    }
}

impl Node {
    fn of(totals: &NodeTotals, rate: f64) -> Self {
        let allocated = totals.allocated();
        Self {
            entered: totals.entered,
            rate,
            way_in: Way::of(&totals.way_in),
            out: Way::of(&totals.way_out),
            bytes: allocated.bytes,
            calls: allocated.calls,
            broke: totals.broke,
            cancelled: totals.cancelled,
            died: totals.died,
            panicked: totals.panicked,
            skipped: totals.skipped,
            late: totals.late,
            opened: totals.opened,
            detached: totals.detached,
            shed: totals.shed,
            tries: totals.tries,
            pauses: pauses(&totals.pauses),
        }
    }
}

impl Way {
    fn of(totals: &WayTotals) -> Self {
        let times = |times: &Times| {
            let [median, high] = times.quantiles([0.5, 0.99]);
            (median, high, times.sum())
        };
        Self { run: times(&totals.running), wait: times(&totals.waiting) }
    }
}

fn pauses(totals: &PauseTotals) -> Vec<(&'static str, u64, u64)> {
    totals.iter().map(|(cause, times, nanos)| (cause.name(), times, nanos)).collect()
}

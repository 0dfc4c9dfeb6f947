//! Makes a dashboard for Grafana, and rules for alerts, from a chain's description. They show the chain's
//! [figures](super::prometheus).
//!
//! ```
//! use chain_runtime::telemetry::dashboard::{Limits, alerts, grafana};
//! use chain_runtime::{chain, node};
//!
//! #[node]
//! fn answer(input: &u32) -> u32 { *input }
//!
//! chain! {
//!     struct Small;
//!     fn(input: u32) -> u32 { answer }
//! }
//!
//! // A program that prints them needs no running chain: `Small::CHAIN` is a constant.
//! let dashboard = grafana(Small::CHAIN);
//! assert!(dashboard.contains("\"title\": \"Small\""));
//! let rules = alerts(Small::CHAIN, &Limits::default());
//! assert!(rules.contains("alert: ChainPanics"));
//! ```

use core::fmt::Write as _;
use std::format;
use std::string::{String, ToString as _};
use std::time::Duration;
use std::vec;
use std::vec::Vec;

use serde_json::{Value, json};

use super::prometheus::{may_break, may_wait};
use crate::describe::{ChainInfo, NodeInfo};

/// A dashboard, as JSON for Grafana's import. It shows the chain as a whole, its nodes in comparison, and each node by
/// itself, in the order of the chain.
///
/// The Prometheus server and the instances are chosen in the dashboard.
#[must_use]
pub fn grafana(chain: &ChainInfo) -> String {
    let mut grid = Grid { panels: vec![], x: 0, y: 0, id: 0 };
    let of = |metric: &str, more: &str| {
        format!("{metric}{{chain=\"{}\",instance=~\"$instance\"{more}}}", quoted(chain.name))
    };
    whole(&mut grid, &of);
    beside(&mut grid, &of);
    for node in chain.nodes {
        by_itself(&mut grid, node, &of);
    }
    let source = json!({ "type": "prometheus", "uid": "${source}" });
    let instances = format!("label_values(chain_runs_started_total{{chain=\"{}\"}}, instance)", quoted(chain.name));
    let dashboard = json!({
        "title": chain.name,
        "uid": uid(chain.name),
        "tags": ["chain"],
        "schemaVersion": 39,
        "editable": true,
        "refresh": "10s",
        "time": { "from": "now-1h", "to": "now" },
        "templating": { "list": [
            { "name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus" },
            {
                "name": "instance", "label": "Instance", "type": "query", "datasource": source, "query": instances, "refresh": 2,
                "multi": true, "includeAll": true, "allValue": ".*", "current": { "text": "All", "value": "$__all" },
            },
        ] },
        "panels": grid.panels,
    });
    serde_json::to_string_pretty(&dashboard).unwrap_or_default()
}

/// Grafana accepts 40 letters.
fn uid(name: &str) -> String {
    let plain = name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' });
    "chain-".chars().chain(plain).take(40).collect()
}

type Of<'a> = &'a dyn Fn(&str, &str) -> String;

fn rate(of: &str) -> String {
    format!("rate({of}[$__rate_interval])")
}

fn quantile(quantile: &str, by: &str, buckets: &str) -> String {
    format!("histogram_quantile({quantile}, sum by ({by}) ({}))", rate(buckets))
}

fn whole(grid: &mut Grid, of: Of<'_>) {
    grid.row("The chain", false);
    grid.panel(
        "Runs by ending",
        "ops",
        &[(format!("sum by (ending) ({})", rate(&of("chain_runs_ended_total", ""))), "{{ending}}")],
    );
    let took = of("chain_run_seconds_bucket", "");
    grid.panel(
        "How long runs take",
        "s",
        &[(quantile("0.5", "le", &took), "p50"), (quantile("0.99", "le", &took), "p99")],
    );
    grid.panel("Under way", "short", &[(format!("sum({})", of("chain_runs_in_flight", "")), "runs")]);
    grid.panel(
        "Cut short, by node",
        "ops",
        &[(
            format!("sum by (node) ({}) > 0", rate(&of("chain_runs_ended_total", ",ending=\"cut_short\""))),
            "{{node}}",
        )],
    );
}

fn beside(grid: &mut Grid, of: Of<'_>) {
    grid.row("Its nodes", false);
    let by_node = |metric: &str| format!("sum by (node) ({})", rate(&of(metric, "")));
    let running = by_node("chain_node_running_seconds_sum");
    grid.panel("Seconds of a core, by node", "s", &[(format!("topk(10, {running})"), "{{node}}")]);
    let waiting = by_node("chain_node_waiting_seconds_sum");
    grid.panel("Runs that wait, by node", "short", &[(format!("topk(10, {waiting})"), "{{node}}")]);
    let bytes = by_node("chain_node_allocated_bytes_total");
    grid.panel("Allocated, by node", "Bps", &[(format!("topk(10, {bytes})"), "{{node}}")]);
    let pauses = format!("sum by (node, cause) ({}) > 0", rate(&of("chain_node_pause_seconds_total", "")));
    grid.panel("Paused, by node and cause", "s", &[(pauses, "{{node}} {{cause}}")]);
}

fn by_itself(grid: &mut Grid, node: &NodeInfo, of: Of<'_>) {
    let its = format!(",position=\"{}\"", node.position);
    grid.row(&format!("{} {}", node.position, node.name), true);
    let buckets = |kind: &str| of(&format!("chain_node_{kind}_seconds_bucket"), &its);
    let quantiles = |kind| {
        let buckets = buckets(kind);
        [(quantile("0.5", "le, way", &buckets), "p50 {{way}}"), (quantile("0.99", "le, way", &buckets), "p99 {{way}}")]
    };
    grid.panel("Running", "s", &quantiles("running"));
    if may_wait(node) {
        grid.panel("Waiting", "s", &quantiles("waiting"));
    }
    let count = |what: &str| format!("sum({})", rate(&of(&format!("chain_node_{what}_total"), &its)));
    let mut counts = vec![(count("entered"), "entered")];
    for (there_is, what) in [
        (may_break(node), "broke"),
        (node.may_be_skipped, "skipped"),
        (node.attributes.contains("shed"), "shed"),
        (has_timeout(node), "late"),
        (may_wait(node), "cancelled"),
        (true, "panicked"),
        (node.facts.around.a_block(), "tries"),
    ] {
        if there_is {
            counts.push((count(what), what));
        }
    }
    grid.panel("Times", "ops", &counts);
    let bytes = (format!("{} / {}", count("allocated_bytes"), count("entered")), "bytes");
    grid.panel("Allocated each time", "bytes", &[bytes]);
}

fn has_timeout(node: &NodeInfo) -> bool {
    node.attributes.contains("timeout")
}

/// The place of the next panel, in 24 columns.
struct Grid {
    panels: Vec<Value>,
    x: u32,
    y: u32,
    id: u32,
}

impl Grid {
    const WIDTH: u32 = 6;
    const HEIGHT: u32 = 7;

    fn row(&mut self, title: &str, is_collapsed: bool) {
        self.wrap();
        self.id += 1;
        let place = json!({ "x": 0, "y": self.y, "w": 24, "h": 1 });
        self.panels.push(json!({
            "id": self.id, "type": "row", "title": title, "collapsed": is_collapsed, "gridPos": place, "panels": [],
        }));
        self.y += 1;
    }

    fn wrap(&mut self) {
        if self.x > 0 {
            (self.x, self.y) = (0, self.y + Self::HEIGHT);
        }
    }

    fn panel(&mut self, title: &str, unit: &str, queries: &[(String, &str)]) {
        self.id += 1;
        let source = json!({ "type": "prometheus", "uid": "${source}" });
        let targets = queries.iter().zip(b'A'..).map(|((expr, legend), letter)| {
            json!({ "refId": char::from(letter).to_string(), "expr": expr, "legendFormat": legend, "datasource": source, "exemplar": true })
        });
        let panel = json!({
            "id": self.id, "type": "timeseries", "title": title, "datasource": source,
            "gridPos": { "x": self.x, "y": self.y, "w": Self::WIDTH, "h": Self::HEIGHT },
            "fieldConfig": { "defaults": { "unit": unit, "min": 0 }, "overrides": [] },
            "options": { "tooltip": { "mode": "multi", "sort": "desc" } },
            "targets": targets.collect::<Value>(),
        });
        // The panels of a collapsed row stand inside of the row.
        match self.panels.iter_mut().rfind(|panel| panel["type"] == "row") {
            Some(row) if row["collapsed"] == true => {
                if let Some(inside) = row["panels"].as_array_mut() {
                    inside.push(panel);
                }
            }
            _ => self.panels.push(panel),
        }
        self.x += Self::WIDTH;
        if self.x >= 24 {
            self.wrap();
        }
    }
}

/// The thresholds of [`alerts`]. Shares are of all runs: 0.05 is one in twenty.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// The time that one run in a hundred may exceed: 1 s.
    pub slow: Duration,
    /// The share of runs that one node may cut short: 0.05.
    pub cut_short: f64,
    /// The share of runs that may be cancelled: 0.1.
    pub cancelled: f64,
    /// The share of the time of runs that may be pauses: 0.05.
    pub paused: f64,
    /// The share of its times that a node with a timeout may be late: 0.01.
    pub late: f64,
    /// How long a condition has to last: 5 min.
    pub lasts: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let (slow, lasts) = (Duration::from_secs(1), Duration::from_secs(300));
        Self { slow, cut_short: 0.05, cancelled: 0.1, paused: 0.05, late: 0.01, lasts }
    }
}

/// Rules for alerts, as YAML that Prometheus reads as one of its `rule_files`. They alert when a run panics, when runs
/// are slow, cancelled or paused, and when a node often breaks or exceeds its timeout.
#[must_use]
pub fn alerts(chain: &ChainInfo, limits: &Limits) -> String {
    let name = quoted(chain.name);
    let of =
        |metric: &str, more: &str| format!("sum by (chain, instance) (rate({metric}{{chain=\"{name}\"{more}}}[5m]))");
    let all = of("chain_runs_ended_total", "");
    let mut rules = Rules { text: String::new(), lasts: limits.lasts };
    // The name stands in a comment, and in Prometheus' list.
    let _ = write!(rules.text, "groups:\n- name: {}\n  rules:\n", yaml(&format!("chain {}", chain.name)));
    let panics = format!(
        "sum by (chain, instance) (increase(chain_runs_ended_total{{chain=\"{name}\",ending=\"panicked\"}}[5m])) > 0"
    );
    rules.add("ChainPanics", &panics, "critical", None, "A run of {{ $labels.chain }} panicked");
    let slow = format!(
        "histogram_quantile(0.99, sum by (chain, instance, le) (rate(chain_run_seconds_bucket{{chain=\"{name}\"}}[5m]))) > {}",
        limits.slow.as_secs_f64()
    );
    rules.add(
        "ChainSlow",
        &slow,
        "warning",
        None,
        "One run in a hundred of {{ $labels.chain }} takes {{ $value | humanizeDuration }}",
    );
    let cancelled = format!("{} / {all} > {}", of("chain_runs_ended_total", ",ending=\"cancelled\""), limits.cancelled);
    let share = "{{ $value | humanizePercentage }}";
    rules.add(
        "ChainCancelled",
        &cancelled,
        "warning",
        None,
        &format!("{share} of the runs of {{{{ $labels.chain }}}} are cancelled"),
    );
    let paused = format!(
        "{} / {} > {}",
        of("chain_node_pause_seconds_total", ""),
        of("chain_run_seconds_sum", ""),
        limits.paused
    );
    rules.add(
        "ChainPaused",
        &paused,
        "warning",
        None,
        &format!("{share} of the time of {{{{ $labels.chain }}}} is pauses"),
    );
    for node in chain.nodes {
        let its = format!(",position=\"{}\"", node.position);
        if may_break(node) {
            let cut = of("chain_runs_ended_total", &format!(",ending=\"cut_short\"{its}"));
            let expr = format!("{cut} / {all} > {}", limits.cut_short);
            rules.add(
                "ChainNodeBreaks",
                &expr,
                "warning",
                Some(node),
                &format!("{share} of the runs end in {}", node.name),
            );
        }
        if has_timeout(node) {
            let expr = format!(
                "{} / {} > {}",
                of("chain_node_late_total", &its),
                of("chain_node_entered_total", &its),
                limits.late
            );
            rules.add(
                "ChainNodeLate",
                &expr,
                "warning",
                Some(node),
                &format!("{} is late {share} of the times", node.name),
            );
        }
    }
    rules.text
}

struct Rules {
    text: String,
    lasts: Duration,
}

impl Rules {
    fn add(&mut self, alert: &str, expr: &str, severity: &str, node: Option<&NodeInfo>, summary: &str) {
        // A panic is reported at once.
        let lasts = if severity == "critical" { 0 } else { self.lasts.as_secs() };
        let labels = node.map(|node| format!(", node: {}, position: \"{}\"", yaml(node.name), node.position));
        // Writing to a `String` cannot fail.
        let _ = write!(
            self.text,
            "  - alert: {alert}\n    expr: {}\n    for: {lasts}s\n    labels: {{severity: {severity}{}}}\n    annotations: {{summary: {}}}\n",
            yaml(expr),
            labels.unwrap_or_default(),
            yaml(summary),
        );
    }
}

/// The text as a string of JSON, which YAML reads as well.
fn yaml(text: &str) -> String {
    Value::from(text).to_string()
}

/// The name as it stands between quotes in a query. A name can only be a raw identifier or have generics, so this is
/// for readability.
fn quoted(name: &str) -> String {
    name.replace('\\', "\\\\").replace('"', "\\\"")
}

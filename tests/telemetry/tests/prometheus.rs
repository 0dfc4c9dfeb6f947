//! Prometheus accepts what is exposed: its own tool says so. The values that are read back are those of the meter.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use chain_runtime::telemetry::Manual;
use chain_runtime::telemetry::dashboard::{Limits, alerts, grafana};
use chain_runtime::telemetry::prometheus::{Format, Reading, render};
use chain_telemetry_tests::{Shop, drive, request, shop};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// One that is replied to, three tries, one that is refused, one that panics, and one that is cancelled.
fn busy() -> Reading {
    let clock = Manual::new();
    let shop = shop(&clock, |builder| builder);
    let traced = format!("00-{TRACE}-b7ad6b7169203331-01");
    drive(&clock, shop.run(request("/", &[]), clock.clone()), 700);
    drive(&clock, shop.run(request("/", &[("x-fails", "")]), clock.clone()), 10);
    drive(&clock, shop.run(request("/", &[("x-refused", ""), ("traceparent", &traced)]), clock.clone()), 10);
    let panics = || drive(&clock, shop.run(request("/", &[("x-panics", "")]), clock.clone()), 10);
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics)).expect_err("it panics");
    let mut cancelled = Box::pin(shop.run(request("/", &[]), clock.clone()));
    assert!(cancelled.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())).is_pending());
    drop(cancelled);
    Reading::of(&shop.meter)
}

/// `promtool ..` with this on its standard input, or in a file.
fn promtool(arguments: &[&str], input: &str) -> (bool, String) {
    let mut tool = Command::new("promtool");
    tool.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut tool = tool.spawn().expect("promtool, of Debian's package prometheus");
    tool.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("it reads");
    let output = tool.wait_with_output().expect("its output");
    let said = [&*output.stdout, &*output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

fn file(name: &str, text: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).expect("a file");
    path
}

/// Samples by their name and labels, without exemplars.
fn samples(text: &str) -> BTreeMap<&str, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let split = |line| {
        let (sample, _) = str::split_once(line, " # ").unwrap_or((line, ""));
        let (series, value) = sample.rsplit_once(' ').expect("a sample");
        (series, value.parse().expect("a number"))
    };
    lines.map(split).collect()
}

#[test]
fn promtool_finds_nothing_wrong_with_the_text() {
    let (is_right, said) = promtool(&["check", "metrics"], &render(Format::Text, [busy()]));
    assert!(is_right && said.is_empty(), "{said}");
    // It would say so.
    assert!(!promtool(&["check", "metrics"], "a_counter_total{").0);
}

/// What Prometheus stores has times, and these texts have none, so they are added, as a scrape does.
#[test]
fn prometheus_reads_openmetrics_with_its_exemplars() {
    let text = render(Format::OpenMetrics, [busy()]);
    let mut timed = String::new();
    for line in text.lines() {
        match line.split_once(" # ") {
            _ if line.starts_with('#') => writeln!(timed, "{line}"),
            Some((sample, exemplar)) => writeln!(timed, "{sample} 1700000000 # {exemplar}"),
            None => writeln!(timed, "{line} 1700000000"),
        }
        .expect("a text");
    }
    let stored = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("blocks");
    let path = file("openmetrics.txt", &timed);
    let arguments = ["tsdb", "create-blocks-from", "openmetrics"];
    let arguments = [&arguments[..], &[path.to_str().expect("a path"), stored.to_str().expect("a path")]].concat();
    let (is_read, said) = promtool(&arguments, "");
    assert!(is_read, "{said}");
    let broken = file("broken.txt", &timed.replacen(" # {", " # ", 1));
    let arguments = [&arguments[..3], &[broken.to_str().expect("a path"), arguments[4]]].concat();
    assert!(!promtool(&arguments, "").0, "a broken exemplar is found");
}

#[test]
fn what_is_exposed_is_what_the_meter_has() {
    let reading = busy();
    let snapshot = reading.snapshot.clone();
    let text = render(Format::OpenMetrics, [reading]);
    let samples = samples(&text);
    let of = |name: &str, labels: &str| {
        let series = format!("{name}{{chain=\"Shop\"{labels}}}");
        *samples.get(&*series).unwrap_or_else(|| panic!("no {series}: {text}"))
    };
    assert_eq!((of("chain_runs_started_total", ""), of("chain_runs_in_flight", "")), (5.0, 0.0));
    for (labels, count) in [
        (",ending=\"replied\",node=\"page\",position=\"6\"", 2.0),
        (",ending=\"cut_short\",node=\"gate\",position=\"1\"", 1.0),
        (",ending=\"cancelled\",node=\"slow\",position=\"4\"", 1.0),
        (",ending=\"cancelled\",node=\"\",position=\"\"", 0.0),
        (",ending=\"panicked\",node=\"\",position=\"\"", 1.0),
    ] {
        assert_eq!(of("chain_runs_ended_total", labels), count, "{labels}");
    }
    let slow = &snapshot.nodes[4];
    let its = ",node=\"slow\",position=\"4\"";
    assert_eq!(of("chain_node_panicked_total", its), 1.0);
    assert_eq!(of("chain_node_skipped_total", ",node=\"extra\",position=\"2\""), 4.0);
    assert_eq!(of("chain_node_tries_total", ",node=\"again\",position=\"3\""), 6.0);
    let into = format!("{its},way=\"in\"");
    assert_eq!(of("chain_node_allocated_bytes_total", &into), slow.way_in.allocated.bytes as f64);
    assert_eq!(of("chain_node_allocations_total", &into), 6.0);
    let waited = |of_it: &str| of(&format!("chain_node_waiting_seconds_{of_it}"), &into);
    assert_eq!(waited("sum"), slow.way_in.waiting.sum() as f64 / 1e9);
    assert_eq!(waited("count"), 6.0);
    // Nothing before it was cancelled, 10 µs four times, and 700 µs.
    let within = ["0.000004096", "0.000016384", "0.000262144", "0.001048576", "+Inf"].map(|le| {
        let series = format!("chain_node_waiting_seconds_bucket{{le=\"{le}\",chain=\"Shop\"{into}}}");
        samples.get(&*series).copied()
    });
    assert_eq!(within, [1.0, 5.0, 5.0, 6.0, 6.0].map(Some), "{text}");
    // Who cannot wait has no series of it, and who has no way out has none of that.
    for series in
        ["chain_node_waiting_seconds_count{chain=\"Shop\",node=\"gate\"", "node=\"slow\",position=\"4\",way=\"out\""]
    {
        assert!(!text.contains(series), "{series}");
    }
    let sums =
        samples.iter().filter(|(series, _)| series.starts_with("chain_node_") && series.contains("_seconds_sum"));
    let all = sums.map(|(_, value)| value).sum::<f64>() + of("chain_own_seconds_total", "");
    assert!((all - of("chain_run_seconds_sum", "")).abs() < 1e-9, "{all}");
}

#[test]
fn a_run_that_failed_is_found_by_its_trace() {
    let text = render(Format::OpenMetrics, [busy()]);
    let line = text.lines().find(|line| line.contains("ending=\"cut_short\",node=\"gate\"")).expect("a sample");
    let (_, exemplar) = line.split_once(" # ").expect("an exemplar");
    assert!(exemplar.starts_with(&format!("{{trace_id=\"{TRACE}\",span_id=\"")), "{line}");
    assert!(!render(Format::Text, [busy()]).contains(TRACE));
}

#[test]
fn the_format_is_the_one_that_is_asked_for() {
    let scrape = "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    for (accept, format) in [
        (scrape, Format::OpenMetrics),
        ("*/*", Format::Text),
        ("", Format::Text),
        ("Application/OpenMetrics-Text", Format::OpenMetrics),
        ("application/openmetrics-text; q=0, text/plain", Format::Text),
    ] {
        assert_eq!(Format::accepted_by(accept), format, "{accept}");
    }
}

#[test]
fn promtool_takes_the_rules_that_a_chain_makes() {
    let rules = alerts(Shop::CHAIN, &Limits::default());
    let path = file("rules.yml", &rules);
    let (is_right, said) = promtool(&["check", "rules", path.to_str().expect("a path")], "");
    // Four of the chain; `gate` may break, and `again` may give up.
    assert!(is_right && said.contains("SUCCESS: 6 rules found"), "{said}{rules}");
    let broken = file("broken.yml", &rules.replacen("sum by (", "sum by by (", 1));
    assert!(!promtool(&["check", "rules", broken.to_str().expect("a path")], "").0);
}

/// Each query of the dashboard is one that Prometheus would parse, and asks for what is exposed.
#[test]
fn the_dashboard_asks_for_what_there_is() {
    let dashboard: serde_json::Value = serde_json::from_str(&grafana(Shop::CHAIN)).expect("JSON");
    let text = render(Format::Text, [busy()]);
    let panels = dashboard["panels"].as_array().expect("panels");
    let inside = panels.iter().flat_map(|panel| panel["panels"].as_array().into_iter().flatten());
    let mut rules = String::from("groups:\n- name: queries\n  rules:\n");
    let mut queries = 0;
    for target in panels.iter().chain(inside).flat_map(|panel| panel["targets"].as_array().into_iter().flatten()) {
        let expr = target["expr"].as_str().expect("a query");
        for metric in expr.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_')) {
            let is_there =
                !metric.starts_with("chain_") || metric.contains("pause") || text.contains(&format!("\n{metric}{{"));
            assert!(is_there, "{metric}");
        }
        let expr = expr.replace("$__rate_interval", "5m").replace("$instance", ".*");
        writeln!(rules, "  - {{record: \"a:b{queries}\", expr: {}}}", serde_json::json!(expr)).expect("a text");
        queries += 1;
    }
    let path = file("queries.yml", &rules);
    let (is_right, said) = promtool(&["check", "rules", path.to_str().expect("a path")], "");
    assert!(is_right && said.contains(&format!("{queries} rules found")) && queries > 60, "{queries}: {said}");
    let rows = panels.iter().filter(|panel| panel["type"] == "row").map(|row| row["title"].as_str().expect("a title"));
    let nodes = ["0 traces", "1 gate", "2 extra", "3 again", "4 slow", "5 route", "6 page", "7 order"];
    assert_eq!(rows.collect::<Vec<_>>()[2..], nodes);
}

//! A 37-node chain under a real HTTP server, and under the load of this project's founding story.
//!
//! `cargo bench -p chain-benches --bench server` starts servers on loopback, each its own process, and asks them in
//! turns: with wrk in a closed loop, and at fixed rates with latency counted from when each request was due. Then it
//! drives the chain in process.
//! `-- http` or `-- story` does one of the two, `-- --quick` takes seconds, to see that it works.
//!
//! Servers have one core and one thread, clients the other. A missing tool (wrk, Go) is reported, and its part is left
//! out.

#[path = "server/boxed.rs"]
mod boxed;
#[path = "server/calls.rs"]
mod calls;
#[path = "server/from_fn.rs"]
mod from_fn;
#[path = "server/light.rs"]
mod light;
#[path = "server/nodes.rs"]
mod nodes;
#[path = "server/open_loop.rs"]
mod open_loop;
#[path = "server/processes.rs"]
mod processes;
#[path = "server/requests.rs"]
mod requests;
#[path = "server/serve.rs"]
mod serve;
#[path = "server/shared.rs"]
mod shared;
#[path = "server/story.rs"]
mod story;

use std::process::{Command, ExitCode};
use std::time::Duration;

use chain_benches::callgrind;
use chain_benches::table::{Table, publish, target_directory};
use hdrhistogram::Histogram;
use processes::{CLIENTS, SERVERS, Server};
use serde_json::{Value, json};

/// What a process that this one starts is to be.
pub(crate) const ROLE: &str = "CHAIN_SERVER_ROLE";

/// How long, and how often.
struct Pace {
    /// Rounds, and seconds of each.
    closed: (usize, u64),
    open: (usize, u64),
    story: (usize, u64),
}

const RATES: [u32; 3] = [5_000, 15_000, 40_000];
const CONNECTIONS: usize = 32;

fn main() -> ExitCode {
    if let Some((kind, requests)) = callgrind::asked() {
        story::counted(&kind, requests);
        return ExitCode::SUCCESS;
    }
    let done = match std::env::var(ROLE) {
        Ok(role) => played(&role),
        Err(_) => measured(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("server: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A process of this bench's own.
fn played(role: &str) -> Result<(), String> {
    let words: Vec<_> = role.split(' ').collect();
    match words[..] {
        ["serve", kind] => serve::run(kind).map_err(|error| error.to_string()),
        ["ask", address, rate, seconds] => {
            let (address, rate, lasts) = (address.parse(), rate.parse(), seconds.parse().map(Duration::from_secs));
            let (Ok(address), Ok(rate), Ok(lasts)) = (address, rate, lasts) else {
                return Err("a strange role".into());
            };
            let histogram = open_loop::run(address, rate, lasts).map_err(|error| error.to_string())?;
            println!("{}", figures(&histogram, 0.0));
            Ok(())
        }
        ["story", kind, seconds] => {
            let lasts = Duration::from_secs(seconds.parse().map_err(|_| "a strange role")?);
            let run = story::run(kind, lasts);
            println!("{}", figures(&run.latency, run.busy));
            Ok(())
        }
        _ => Err(format!("there is no role `{role}`")),
    }
}

/// Microseconds: p50, p99, p99.9, the longest; then how many requests, and how busy.
fn figures(latency: &Histogram<u64>, busy: f64) -> String {
    let [p50, p99, p999] = [0.5, 0.99, 0.999].map(|quantile| latency.value_at_quantile(quantile));
    let micros = [p50, p99, p999, latency.max()].map(|nanos| nanos as f64 / 1000.0);
    json!([micros, latency.len(), busy]).to_string()
}

/// What a process of ours found out.
#[derive(Clone, Copy)]
struct Found {
    /// p50, p99, p99.9, longest.
    micros: [f64; 4],
    requests: f64,
    busy: f64,
}

fn found(mut command: Command) -> Result<Found, String> {
    let output = command.output().map_err(|error| format!("cannot be started: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().into());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let (micros, requests, busy) = serde_json::from_str(&text).map_err(|error| format!("`{text}`: {error}"))?;
    Ok(Found { micros, requests, busy })
}

fn measured() -> Result<(), String> {
    let asked = |word: &str| std::env::args().skip(1).any(|argument| argument == word);
    let pace = match asked("--quick") {
        true => Pace { closed: (1, 1), open: (1, 1), story: (1, 1) },
        false => Pace { closed: (5, 2), open: (3, 2), story: (15, 1) },
    };
    story::agree();
    if !processes::pins() {
        println!("processes share all cores: there is one core, or no `taskset`");
    }
    let mut tables = Vec::new();
    if !asked("story") {
        tables.extend(over_http(&pace)?);
    }
    if !asked("http") {
        tables.push(in_process(&pace)?);
    }
    publish("server", &tables);
    Ok(())
}

// ---- over HTTP

/// One server's figures, a list for each with one for each round.
#[derive(Default)]
struct Closed {
    rate: Vec<f64>,
    micros: Vec<f64>,
}

#[derive(Default)]
struct Open {
    latency: [Vec<f64>; 4],
    micros: Vec<f64>,
    /// Milliseconds for each garbage collection.
    pauses: Vec<f64>,
}

fn over_http(pace: &Pace) -> Result<Vec<Table>, String> {
    let mut servers = started()?;
    agree(&servers)?;
    let closed = closed_loop(&mut servers, pace)?;
    let mut tables = Vec::from_iter(closed);
    let (rounds, seconds) = pace.open;
    for rate in RATES {
        let mut open: Vec<_> = servers.iter().map(|_| Open::default()).collect();
        for round in 1..=rounds {
            eprintln!("{rate} requests a second, round {round} of {rounds} ..");
            for (server, open) in servers.iter_mut().zip(&mut open) {
                open.ask(server, rate, seconds)?;
            }
        }
        tables.push(open_table(&servers, &open, rate));
    }
    Ok(tables)
}

fn started() -> Result<Vec<Server>, String> {
    let mut servers = Vec::new();
    for (kind, name) in serve::KINDS {
        servers.push(Server::start(name, processes::itself(SERVERS, &format!("serve {kind}")))?);
    }
    if processes::has("go", "version") {
        let program = target_directory().join("server-in-go");
        processes::build_go(&program)?;
        let mut command = processes::on_core(SERVERS, program);
        command.env("GODEBUG", "gctrace=1");
        servers.push(Server::start("net/http, 37 closures", command)?);
    } else {
        println!("net/http is left out: `go` is not installed");
    }
    Ok(servers)
}

/// The same requests in the same order have the same replies from all; the simple ones know only the first, the load's.
fn agree(servers: &[Server]) -> Result<(), String> {
    let probes = requests::probes();
    let (simple, gateways) = servers.split_at(serve::SIMPLE);
    let mut expected: Option<Vec<Vec<String>>> = None;
    for server in gateways {
        let replies = probes.iter().map(|request| server.asked(request)).collect::<Result<Vec<_>, _>>()?;
        let expected = expected.get_or_insert_with(|| replies.clone());
        if let Some(index) = (0..probes.len()).find(|&index| replies[index] != expected[index]) {
            let (request, reply, before) = (&probes[index], &replies[index], &expected[index]);
            let (name, first) = (server.name, gateways[0].name);
            return Err(format!(
                "not the same work: to\n{request}`{name}` replies {reply:#?}, and `{first}` {before:#?}"
            ));
        }
    }
    let of_load = &expected.expect("there are gateways")[0];
    for server in simple {
        let reply = server.asked(&probes[0])?;
        if !reply.iter().all(|line| of_load.contains(line)) {
            return Err(format!("`{}` replies {reply:#?}", server.name));
        }
    }
    Ok(())
}

/// As many requests as it can serve, by wrk.
fn closed_loop(servers: &mut [Server], pace: &Pace) -> Result<Option<Table>, String> {
    if !processes::has("wrk", "--version") {
        println!("the closed loop is left out: `wrk` is not installed");
        return Ok(None);
    }
    let mut closed: Vec<_> = servers.iter().map(|_| Closed::default()).collect();
    let (rounds, seconds) = pace.closed;
    for round in 1..=rounds {
        eprintln!("closed loop, round {round} of {rounds} ..");
        for (server, closed) in servers.iter_mut().zip(&mut closed) {
            let before = server.processor_micros();
            let (requests, rate) = wrk(server, seconds)?;
            server.lives()?;
            closed.rate.push(rate);
            if let Some((before, after)) = before.zip(server.processor_micros()) {
                closed.micros.push((after - before) / requests);
            }
        }
    }
    let title =
        format!("closed loop: wrk, {CONNECTIONS} connections, medians of {rounds} rounds, beside the best of them");
    let columns = [
        "requests/s",
        "x bare",
        "best requests/s",
        "best, x bare",
        "server CPU, us/request",
        "CPU, x bare",
        "CPU more than bare, us",
    ];
    let mut table = Table::new(&title, "server", columns);
    let of = |closed: &Closed| (median(&closed.rate), greatest(&closed.rate), median(&closed.micros));
    let (bare, bare_best, bare_micros) = of(&closed[0]);
    for (server, closed) in servers.iter().zip(&closed) {
        let (rate, best, micros) = of(closed);
        let more = micros.zip(bare_micros).map(|(micros, bare)| micros - bare);
        table.row(
            server.name,
            [
                json!(rate),
                ratio(rate, bare),
                json!(best),
                ratio(best, bare_best),
                json!(micros),
                ratio(micros, bare_micros),
                json!(more),
            ],
        );
    }
    Ok(Some(table))
}

/// How many requests, and how many a second.
fn wrk(server: &Server, seconds: u64) -> Result<(f64, f64), String> {
    let mut command = processes::on_core(CLIENTS, "wrk");
    command.args(["-t1", &format!("-c{CONNECTIONS}"), &format!("-d{seconds}s")]);
    for (name, value) in requests::FIELDS {
        command.arg("-H").arg(format!("{name}: {value}"));
    }
    command.arg(format!("http://{}{}", server.address, requests::PATH));
    let output = command.output().map_err(|error| format!("`wrk` does not run: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    if text.contains("Non-2xx") || text.contains("Socket errors") {
        return Err(format!("wrk had not only good replies from `{}`:\n{text}", server.name));
    }
    let before = |word: &str| text.split_once(word)?.0.split_whitespace().next_back()?.parse().ok();
    let after = |word: &str| text.split_once(word)?.1.split_whitespace().next()?.parse().ok();
    before(" requests in").zip(after("Requests/sec:")).ok_or_else(|| {
        format!("wrk found nothing out about `{}`:\n{text}{}", server.name, String::from_utf8_lossy(&output.stderr))
    })
}

impl Open {
    fn ask(&mut self, server: &mut Server, rate: u32, seconds: u64) -> Result<(), String> {
        let (lines, before) = (server.lines(), server.processor_micros());
        let client = processes::itself(CLIENTS, &format!("ask {} {rate} {seconds}", server.address));
        let found = found(client).map_err(|error| format!("`{}` at {rate} a second: {error}", server.name));
        // Why it failed is rather in what the server said.
        server.lives()?;
        let found = found?;
        for (all, figure) in self.latency.iter_mut().zip(found.micros) {
            all.push(figure);
        }
        if let Some((before, after)) = before.zip(server.processor_micros()) {
            self.micros.push((after - before) / found.sent(rate));
        }
        self.pauses.extend(server.collections_since(lines));
        Ok(())
    }
}

impl Found {
    /// The warm-up's requests are not in the histogram, but the server worked for them.
    fn sent(&self, rate: u32) -> f64 {
        self.requests + open_loop::WARM_UP.as_secs_f64() * f64::from(rate)
    }
}

fn open_table(servers: &[Server], open: &[Open], rate: u32) -> Table {
    let title = format!(
        "open loop: {rate} requests a second, latency from when each was due; medians of the rounds, the longest of all"
    );
    let columns = [
        "p50, us",
        "p99, us",
        "p99.9, us",
        "max of a round, us",
        "longest, us",
        "CPU, us/request",
        "collections",
        "pauses, ms",
        "longest pause, ms",
    ];
    let mut table = Table::new(&title, "server", columns);
    for (server, open) in servers.iter().zip(open) {
        let mut row: Vec<_> = open.latency.iter().map(|figures| json!(median(figures))).collect();
        row.push(json!(greatest(&open.latency[3])));
        row.push(json!(median(&open.micros)));
        let collects = server.name.starts_with("net/http");
        row.push(if collects { json!(open.pauses.len()) } else { Value::Null });
        row.push(if collects { json!(open.pauses.iter().sum::<f64>()) } else { Value::Null });
        row.push(if collects { json!(greatest(&open.pauses)) } else { Value::Null });
        table.row(server.name, row);
    }
    table
}

// ---- in process

fn in_process(pace: &Pace) -> Result<Table, String> {
    let mut all: Vec<Vec<Found>> = story::KINDS.iter().map(|_| Vec::new()).collect();
    let (rounds, seconds) = pace.story;
    for round in 1..=rounds {
        eprintln!("in process, round {round} of {rounds} ..");
        for (kind, rounds) in story::KINDS.iter().zip(&mut all) {
            let run = processes::itself(CLIENTS, &format!("story {kind} {seconds}"));
            rounds.push(found(run).map_err(|error| format!("`{kind}` in process: {error}"))?);
        }
    }
    let title = format!(
        "in process: {} requests a second, latency from when each was due; medians of {rounds} rounds, beside the \
         quietest of them (the least p99.9)",
        story::RATE
    );
    let counts = callgrind::is_there();
    let columns = [
        "instructions",
        "core share, %",
        "p50, us",
        "p99, us",
        "p99.9, us",
        "max, us",
        "quietest p50",
        "quietest p99",
        "quietest p99.9",
        "p99.9 / p50",
        "quietest max",
    ];
    let mut table = Table::new(&title, "what is driven", columns);
    for (kind, rounds) in story::KINDS.iter().zip(&all) {
        let works = *kind != "idle";
        let instructions = (counts && works).then(|| callgrind::per_run(kind, Some(story::COUNTED), 640, 1_920));
        let busy: Vec<_> = rounds.iter().map(|found| found.busy * 100.0).collect();
        let mut row = vec![json!(instructions), json!(median(&busy).filter(|_| works))];
        row.extend((0..4).map(|at| json!(median(&rounds.iter().map(|found| found.micros[at]).collect::<Vec<_>>()))));
        let quietest = rounds.iter().map(|found| found.micros).min_by(|one, two| one[2].total_cmp(&two[2]));
        let [p50, p99, p999, max] = quietest.expect("there is a round");
        row.extend([json!(p50), json!(p99), json!(p999), json!(p999 / p50), json!(max)]);
        table.row(kind, row);
    }
    Ok(table)
}

fn median(figures: &[f64]) -> Option<f64> {
    let mut figures = figures.to_vec();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied()
}

fn greatest(figures: &[f64]) -> Option<f64> {
    figures.iter().copied().max_by(f64::total_cmp)
}

fn ratio(figure: Option<f64>, to: Option<f64>) -> Value {
    json!(figure.zip(to).map(|(figure, to)| figure / to))
}

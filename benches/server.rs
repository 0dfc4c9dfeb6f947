//! A 37-node chain under a real HTTP server, and under the load of this project's story.
//!
//! `cargo bench -p chain-benches --bench server` starts servers on loopback, each its own process, and asks them in
//! turns: with wrk in a closed loop, and at fixed rates with latency counted from when each request was due. Then it
//! drives the chain in process.
//! `-- http` or `-- story` does one of the two, `-- --quick` takes seconds, to see that it works.
//!
//! Servers have one core and one thread, clients the other. What is missing (wrk, Go) is said, and left out.

#[path = "server/boxed.rs"]
mod boxed;
#[path = "server/calls.rs"]
mod calls;
#[path = "server/from_fn.rs"]
mod from_fn;
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

use chain_benches::table::{Table, publish, target_directory};
use hdrhistogram::Histogram;
use processes::{CLIENTS, SERVERS, Server};
use serde_json::{Value, json};

/// What a process that this one starts is to be.
pub(crate) const ROLE: &str = "CHAIN_SERVER_ROLE";

/// How long, and how often.
struct Pace {
    rounds: usize,
    closed: u64,
    open: u64,
    story: u64,
}

const RATES: [u32; 3] = [5_000, 15_000, 40_000];
const CONNECTIONS: usize = 32;

fn main() -> ExitCode {
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
        true => Pace { rounds: 1, closed: 1, open: 1, story: 1 },
        false => Pace { rounds: 5, closed: 2, open: 2, story: 4 },
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
    for rate in RATES {
        let mut open: Vec<_> = servers.iter().map(|_| Open::default()).collect();
        for round in 1..=pace.rounds {
            eprintln!("{rate} requests a second, round {round} of {} ..", pace.rounds);
            for (server, open) in servers.iter_mut().zip(&mut open) {
                open.ask(server, rate, pace.open)?;
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

/// The same requests in the same order have the same replies from all; the bare server knows only the first.
fn agree(servers: &[Server]) -> Result<(), String> {
    let chain = &servers[1];
    for (index, request) in requests::probes().iter().enumerate() {
        let expected = chain.asked(request)?;
        for server in servers.iter().skip(2) {
            let reply = server.asked(request)?;
            if reply != expected {
                return Err(format!(
                    "not the same work: to\n{request}`{}` replies {reply:#?}, and `{}` {expected:#?}",
                    server.name, chain.name
                ));
            }
        }
        let bare = servers[0].asked(request)?;
        if index == 0 && !bare.iter().all(|line| expected.contains(line)) {
            return Err(format!("`{}` replies {bare:#?}", servers[0].name));
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
    for round in 1..=pace.rounds {
        eprintln!("closed loop, round {round} of {} ..", pace.rounds);
        for (server, closed) in servers.iter_mut().zip(&mut closed) {
            let before = server.processor_micros();
            let (requests, rate) = wrk(server, pace.closed)?;
            server.lives()?;
            closed.rate.push(rate);
            if let Some((before, after)) = before.zip(server.processor_micros()) {
                closed.micros.push((after - before) / requests);
            }
        }
    }
    let title = format!("closed loop: wrk, {CONNECTIONS} connections, medians of {} rounds", pace.rounds);
    let columns = ["requests/s", "x bare", "server CPU, us/request", "CPU, x bare", "CPU more than bare, us"];
    let mut table = Table::new(&title, "server", columns);
    let (bare, bare_micros) = (median(&closed[0].rate), median(&closed[0].micros));
    for (server, closed) in servers.iter().zip(&closed) {
        let (rate, micros) = (median(&closed.rate), median(&closed.micros));
        let more = micros.zip(bare_micros).map(|(micros, bare)| micros - bare);
        table
            .row(server.name, [json!(rate), ratio(rate, bare), json!(micros), ratio(micros, bare_micros), json!(more)]);
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
        row.push(json!(longest(&open.latency[3])));
        row.push(json!(median(&open.micros)));
        let collects = server.name.starts_with("net/http");
        row.push(if collects { json!(open.pauses.len()) } else { Value::Null });
        row.push(if collects { json!(open.pauses.iter().sum::<f64>()) } else { Value::Null });
        row.push(if collects { json!(longest(&open.pauses)) } else { Value::Null });
        table.row(server.name, row);
    }
    table
}

// ---- in process

fn in_process(pace: &Pace) -> Result<Table, String> {
    let mut all: Vec<Vec<Found>> = story::KINDS.iter().map(|_| Vec::new()).collect();
    for round in 1..=pace.rounds {
        eprintln!("in process, round {round} of {} ..", pace.rounds);
        for (kind, rounds) in story::KINDS.iter().zip(&mut all) {
            let run = processes::itself(CLIENTS, &format!("story {kind} {}", pace.story));
            rounds.push(found(run).map_err(|error| format!("`{kind}` in process: {error}"))?);
        }
    }
    let title = format!(
        "in process: {} requests a second, latency from when each was due; medians of {} rounds, the longest of all",
        story::RATE,
        pace.rounds
    );
    let columns =
        ["core share, %", "p50, us", "p99, us", "p99.9, us", "p99.9 / p50", "max of a round, us", "longest, us"];
    let mut table = Table::new(&title, "what is driven", columns);
    for (kind, rounds) in story::KINDS.iter().zip(&all) {
        let of = |figure: fn(&Found) -> f64| rounds.iter().map(figure).collect::<Vec<_>>();
        let (p50, p999) = (median(&of(|found| found.micros[0])), median(&of(|found| found.micros[2])));
        let busy = median(&of(|found| found.busy * 100.0));
        let longest_of_round = of(|found| found.micros[3]);
        table.row(
            kind,
            [
                if *kind == "idle" { Value::Null } else { json!(busy) },
                json!(p50),
                json!(median(&of(|found| found.micros[1]))),
                json!(p999),
                ratio(p999, p50),
                json!(median(&longest_of_round)),
                json!(longest(&longest_of_round)),
            ],
        );
    }
    Ok(table)
}

fn median(figures: &[f64]) -> Option<f64> {
    let mut figures = figures.to_vec();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied()
}

fn longest(figures: &[f64]) -> Option<f64> {
    figures.iter().copied().max_by(f64::total_cmp)
}

fn ratio(figure: Option<f64>, to: Option<f64>) -> Value {
    json!(figure.zip(to).map(|(figure, to)| figure / to))
}

//! What a proxy costs: the gateway beside nginx, pingora, Go's `httputil.ReverseProxy` and hyper by itself.
//!
//! ```text
//! cargo build --profile deploy --example gateway -p chain
//! cargo run --profile deploy -p chain-proxy-bench                    # everything; some ten minutes
//! cargo run --profile deploy -p chain-proxy-bench -- --rounds 3 closed # only what is named
//! RUSTFLAGS="--cfg chain_pingora" cargo run --profile deploy -p chain-proxy-bench # pingora as well; needs cmake
//! ```
//!
//! One core has the proxy, another one the load and the upstream, which is an nginx. All that are compared run at the
//! same time, and are asked in turns, round by round: what else the machine does meets all of them. So ratios within a
//! round can be trusted on a busy machine; rates cannot. The processor time that a proxy took for a request is given as
//! well, and depends least on what else runs.
//!
//! What can be named is in [`WHAT`]; `benches/README.md` says what each is.
//!
//! nginx, the gateway, and pingora with everything on check an API key, limit the rate of its user, add the user, the
//! client's address and an id to the request, and write a log to a file. The others only pass on. The table is printed,
//! and written as JSON to `proxy-bench.json` in the folder for temporary files, or to `--json FILE`.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Value, json};

mod collector;
mod contenders;
mod forward;
mod grpc;
mod library;
mod load;
mod memory;
mod nginx;
#[cfg(chain_pingora)]
mod pingora;
mod wakes;

use contenders::{Contender, Stage};
use load::{Measured, Plan};

/// Connections of the load, as long as nothing else is said.
const CONNECTIONS: usize = 32;

/// What the others are compared with.
const NGINX: &str = "nginx";

/// What can be measured, by its name.
const WHAT: [&str; 9] = ["closed", "open", "burst", "large", "h2", "grpc", "memory", "wakes", "prices"];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments_of_roles: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments_of_roles[..] {
        ["echo", at] => grpc::echo(at),
        ["collector", at] => collector::run(at),
        [role @ ("shared" | "per-core"), at, upstream, ..] => forward::run(role == "per-core", at, upstream),
        [role, at, upstream, _, log] if role.starts_with("chain") => library::run(role, at, upstream, log),
        #[cfg(chain_pingora)]
        [role @ ("pingora" | "pingora-on"), at, upstream, grpc, log] => {
            pingora::run(at, upstream, grpc, (role == "pingora-on").then_some(log))
        }
        _ => {}
    }
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(wrong) => {
            eprintln!("{wrong}");
            ExitCode::FAILURE
        }
    }
}

struct Wanted {
    rounds: usize,
    seconds: f64,
    json: std::path::PathBuf,
    gateway: Vec<(String, std::path::PathBuf)>,
    only: Vec<String>,
    what: Vec<String>,
}

impl Wanted {
    fn read(arguments: &[String]) -> Result<Self, String> {
        let mut wanted = Self {
            rounds: 5,
            seconds: 2.0,
            json: std::env::temp_dir().join("proxy-bench.json"),
            gateway: Vec::new(),
            only: Vec::new(),
            what: Vec::new(),
        };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let mut value = || rest.next().ok_or(format!("{argument} needs a value"));
            match argument.as_str() {
                "--rounds" => wanted.rounds = value()?.parse().map_err(|_| "--rounds is a number")?,
                "--seconds" => wanted.seconds = value()?.parse().map_err(|_| "--seconds is a number")?,
                "--json" => wanted.json = value()?.into(),
                // Further binaries, to compare versions: `--gateway before=/path/to/it`.
                "--gateway" => {
                    let (name, path) = value()?.split_once('=').ok_or("--gateway is NAME=PATH")?;
                    wanted.gateway.push((name.to_owned(), path.into()));
                }
                // Compares nothing but these and nginx: `--only gateway`.
                "--only" => wanted.only.push(value()?.clone()),
                what if WHAT.contains(&what) => wanted.what.push(argument.clone()),
                other => return Err(format!("what is {other}?")),
            }
        }
        Ok(wanted)
    }

    fn has(&self, what: &str) -> bool {
        self.what.is_empty() || self.what.iter().any(|wanted| wanted == what)
    }
}

/// The values of each round, by contender.
type Rounds = BTreeMap<&'static str, Vec<Measured>>;

fn run(arguments: &[String]) -> Result<(), String> {
    let wanted = Wanted::read(arguments)?;
    let stage = Stage::set(&wanted.gateway, &wanted.only)?;
    let mut all = serde_json::Map::new();
    all.insert("machine".to_owned(), machine());
    let for_a_while = Duration::from_secs_f64(wanted.seconds);
    let mut half_of_nginx = None;
    if wanted.has("closed") || wanted.has("open") || wanted.has("burst") {
        let plan = Plan { path: "/small", connections: CONNECTIONS, rate: None, time: for_a_while };
        let rounds = rounds(stage.contenders(), wanted.rounds, |_| plan.clone())?;
        half_of_nginx = rounds.get(NGINX).map(|nginx| median(nginx.iter().map(|seen| seen.rate)) / 2.0);
        all.insert("closed loop, 1 KiB".to_owned(), show("closed loop, 1 KiB, 32 connections", NGINX, &rounds));
    }
    if let Some(rate) = half_of_nginx.filter(|_| wanted.has("open")) {
        let plan = Plan { path: "/small", connections: 4 * CONNECTIONS, rate: Some(vec![rate]), time: for_a_while };
        let title = format!("open loop at {rate:.0} a second, from the intended start");
        all.insert(
            "open loop".to_owned(),
            show(&title, NGINX, &rounds(stage.contenders(), wanted.rounds, |_| plan.clone())?),
        );
    }
    if let Some(rate) = half_of_nginx.filter(|_| wanted.has("burst")) {
        // A fifth of half, so that ten times that is what nginx can just do.
        let calm = rate / 5.0;
        let second = Duration::from_secs(1);
        let phases = vec![calm, calm, calm * 10.0, calm, calm, calm];
        let plan = Plan { path: "/small", connections: 16 * CONNECTIONS, rate: Some(phases), time: second };
        let title = format!("{calm:.0} a second, for one second ten times that, then as before");
        all.insert(
            "burst".to_owned(),
            show(&title, NGINX, &rounds(stage.contenders(), wanted.rounds.min(3), |_| plan.clone())?),
        );
    }
    if wanted.has("large") {
        let plan = Plan { path: "/large", connections: 8, rate: None, time: for_a_while };
        all.insert(
            "1 MiB".to_owned(),
            show(
                "closed loop, 1 MiB, 8 connections",
                NGINX,
                &rounds(stage.contenders(), wanted.rounds, |_| plan.clone())?,
            ),
        );
    }
    if wanted.has("h2") {
        let title = "h2, 100 streams of one connection, 1 KiB (h2load)";
        all.insert("h2".to_owned(), show(title, NGINX, &h2(&stage, &wanted, "/small")?));
    }
    if wanted.has("grpc") {
        for (contender, at) in stage.contenders().iter().filter_map(|contender| Some((contender, contender.h2?))) {
            grpc::check(at).map_err(|wrong| format!("{} does not pass gRPC on: {wrong}", contender.name))?;
        }
        let title = "gRPC, unary, 100 streams of one connection, 128 bytes there and back (h2load)";
        all.insert("grpc".to_owned(), show(title, NGINX, &h2(&stage, &wanted, grpc::PATH)?));
    }
    if wanted.has("memory") {
        all.insert("memory, KiB a connection".to_owned(), show_memory(&stage)?);
    }
    if wanted.has("wakes") {
        let plan = Plan { path: "/small", connections: CONNECTIONS, rate: None, time: for_a_while };
        let title = "system calls and switches of threads for each request";
        all.insert(title.to_owned(), show_wakes(&stage, title, &plan)?);
        // So few that each is alone, also under strace.
        let title = "the same, 500 requests a second";
        all.insert(title.to_owned(), show_wakes(&stage, title, &Plan { rate: Some(vec![500.0]), ..plan })?);
    }
    if wanted.has("prices") {
        let plan = Plan { path: "/small", connections: CONNECTIONS, rate: None, time: for_a_while };
        let seen = rounds(&stage.library()?, wanted.rounds, |_| plan.clone())?;
        let title = "a chain of the library's nodes, by what sees it; closed loop, 1 KiB, 32 connections";
        all.insert("prices".to_owned(), show(title, library::BARE, &seen));
    }
    let text = serde_json::to_string_pretty(&Value::Object(all)).map_err(|error| error.to_string())?;
    std::fs::write(&wanted.json, text).map_err(|error| format!("{}: {error}", wanted.json.display()))?;
    println!("\n{}", wanted.json.display());
    Ok(())
}

/// Asks each contender in turn, that often; the first round warms up and does not count.
fn rounds(stage: &[Contender], rounds: usize, plan: impl Fn(&Contender) -> Plan) -> Result<Rounds, String> {
    let mut all = Rounds::new();
    for round in 0..=rounds {
        for contender in stage {
            let seen =
                load::run(contender, &plan(contender)).map_err(|error| format!("{}: {error}", contender.name))?;
            if round > 0 {
                all.entry(contender.name).or_default().push(seen);
            }
        }
    }
    Ok(all)
}

/// The same, by h2load, for those that speak HTTP/2.
fn h2(stage: &Stage, wanted: &Wanted, path: &str) -> Result<Rounds, String> {
    let mut all = Rounds::new();
    for _ in 0..wanted.rounds {
        for (contender, at) in stage.contenders().iter().filter_map(|contender| Some((contender, contender.h2?))) {
            all.entry(contender.name).or_default().push(load::h2load(contender, at, path, wanted.seconds)?);
        }
    }
    Ok(all)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A name up to its comma.
fn short(name: &str) -> &str {
    name.split(',').next().unwrap_or(name)
}

/// Prints the medians, and the median of the ratios to one of them within a round.
fn show(title: &str, beside: &str, rounds: &Rounds) -> Value {
    println!("\n{title}");
    println!(
        "{:34} {:>10} {:>8} {:>8} {:>9} {:>9} {:>9} {:>8} {:>9}",
        "",
        "requests/s",
        format!("x {}", short(beside)),
        "CPU µs",
        "p50 ms",
        "p99 ms",
        "p99.9 ms",
        "refused",
        "calm, s"
    );
    let mut all = serde_json::Map::new();
    for (name, seen) in rounds {
        let of = |value: fn(&Measured) -> f64| median(seen.iter().map(value));
        let ratio =
            rounds.get(beside).map(|other| median(seen.iter().zip(other).map(|(it, other)| it.rate / other.rate)));
        let (rate, ratio, cpu) = (of(|seen| seen.rate), ratio.unwrap_or(f64::NAN), of(|seen| seen.cpu * 1e6));
        let [p50, p99, p999] = [of(|seen| seen.p50), of(|seen| seen.p99), of(|seen| seen.p999)].map(|time| time * 1e3);
        let (refused, calm) = (of(|seen| seen.refused), of(|seen| seen.calm));
        println!("{name:34} {rate:10.0} {ratio:8.2} {cpu:8.1} {p50:9.2} {p99:9.2} {p999:9.2} {refused:8.3} {calm:9.2}");
        let values = json!({
            "requests a second": rate, format!("times {}", short(beside)): ratio, "CPU microseconds a request": cpu,
            "p50 ms": p50, "p99 ms": p99, "p99.9 ms": p999, "share refused": refused, "seconds until calm after a burst": calm,
            "rates": seen.iter().map(|seen| seen.rate).collect::<Vec<_>>(),
        });
        all.insert((*name).to_owned(), values);
    }
    Value::Object(all)
}

fn show_memory(stage: &Stage) -> Result<Value, String> {
    let mut all = serde_json::Map::new();
    println!("\nmemory for each connection, in KiB; of the process, and of TCP's buffers in the kernel, on both sides");
    println!("{:34} {:>8} {:>10} {:>8} {:>10} {:>8}", "", "at rest", "5,000 idle", "kernel", "1,000 full", "kernel");
    let (idle, full) = (stage.fresh(), stage.fresh());
    for (one, other) in idle.zip(full) {
        let (one, other) = (one?, other?);
        let idle = memory::of(&one, "/small", 5_000)?;
        let full = memory::of(&other, "/large", 1_000)?;
        let (name, rest) = (one.name, idle.rest);
        println!("{name:34} {rest:8.0} {:10.1} {:8.1} {:10.1} {:8.1}", idle.each, idle.kernel, full.each, full.kernel);
        let values = json!({
            "at rest": rest, "idle": idle.each, "idle, kernel": idle.kernel,
            "streaming": full.each, "streaming, kernel": full.kernel,
        });
        all.insert(name.to_owned(), values);
    }
    Ok(Value::Object(all))
}

fn show_wakes(stage: &Stage, title: &str, plan: &Plan) -> Result<Value, String> {
    let mut all = serde_json::Map::new();
    println!("\n{title}, {} connections", plan.connections);
    println!("{:34} {:>6} {:>6} {:>6}  which calls", "", "calls", "idle", "taken");
    for contender in stage.contenders() {
        let seen = wakes::count(contender, plan).map_err(|error| format!("{}: {error}", contender.name))?;
        let total: f64 = seen.calls.values().sum();
        let mut calls: Vec<_> = seen.calls.iter().collect();
        calls.sort_by(|a, b| b.1.total_cmp(a.1));
        let calls: Vec<String> = calls.into_iter().map(|(name, count)| format!("{name} {count:.2}")).collect();
        println!("{:34} {total:6.2} {:6.3} {:6.3}  {}", contender.name, seen.idle, seen.taken, calls.join(", "));
        let values = json!({ "calls": seen.calls, "switches when idle": seen.idle, "switches by others": seen.taken });
        all.insert(contender.name.to_owned(), values);
    }
    Ok(Value::Object(all))
}

fn machine() -> Value {
    let first = |file: &str, key: &str| {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(key));
        line.map(|value| value.trim_start_matches([' ', '\t', ':']).to_owned())
    };
    json!({
        "processor": first("/proc/cpuinfo", "model name"),
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "kernel": first("/proc/version", "Linux version").map(|line| line.split(' ').next().map(str::to_owned)),
        "load before": first("/proc/loadavg", ""),
    })
}

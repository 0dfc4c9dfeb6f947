//! What it costs to see every node: a chain of 37 nodes that do next to nothing, with each way of seeing them.
//!
//! `cargo bench -p chain-benches --bench observe` prints two tables. Each case runs in a process of its own, since most peers are installed
//! for a whole process, and alternately with the others, so that what else the machine does hits all.
//!
//! - **37 nodes**: nanoseconds for each node in all and more than without an observer, the best of several rounds; instructions, counted by callgrind.
//!   `()` has to take what no observer does, instruction for instruction, or the bench fails.
//! - **the story**: 120,000 runs of the 37 nodes a second, one after another: which share of a core they take. The nodes of the story do more (`server`): the
//!   difference is what counts here.
//!
//! What peers do is not all the same: a span of `tracing-opentelemetry` and of fastrace goes to an exporter, which drops it here.

#[path = "observe/chains.rs"]
mod chains;
#[path = "observe/peers.rs"]
mod peers;

use std::alloc::System;
use std::hint::black_box;
use std::process::{Command, ExitCode};
use std::time::Instant;
use std::{array, env};

use chain_benches::callgrind;
use chain_benches::table::{Table, publish};
use chain_runtime::telemetry::Counting;

use chains::{ALLOCATES, COUNTS, KEEPS, NODES, Nothing, Plain, SAMPLES, State, TIMES, Told};
use peers::{by_fastrace, by_hotpath, by_tracing};

#[global_allocator]
static ALLOCATOR: Counting<System> = Counting::new(System);

macro_rules! measured {
    ($($name:ident: $what:literal, |$state:ident| $run:expr;)+) => {
        $(
            /// Callgrind counts while this is being called, by its name.
            #[inline(never)]
            fn $name(runs: u64) -> u64 {
                // Without something of its own, LLVM makes one function of two that are the same.
                black_box(stringify!($name));
                let mut sum = 0u64;
                for index in 0..runs {
                    let $state = &mut State(black_box(index));
                    sum = sum.wrapping_add(black_box($run));
                }
                sum
            }
        )+
        const MEASURED: &[(&str, &str, fn(u64) -> u64)] = &[$((stringify!($name), $what, $name)),+];
    };
}

measured! {
    measured_plain: "no observer", |state| Plain {}.run(state);
    measured_nothing: "`()`", |state| Nothing {}.run(state);
    measured_told: "a type that does nothing", |state| Told {}.run(state);
    measured_counts: "Meter: counters alone", |state| COUNTS.run(state);
    measured_times: "Meter: and times", |state| TIMES.run(state);
    measured_keeps: "Meter: and slow runs kept", |state| KEEPS.run(state);
    measured_allocates: "Meter: and allocations", |state| ALLOCATES.run(state);
    measured_samples: "the same, one run in 100", |state| SAMPLES.run(state);
    measured_hotpath: "hotpath", |state| by_hotpath(state);
    measured_fastrace: "fastrace", |state| by_fastrace(state);
    measured_tracing: "tracing, a registry", |state| by_tracing(state);
    measured_opentelemetry: "tracing-opentelemetry", |state| by_tracing(state);
}

/// Which case the child times.
const CHILD: &str = "CHAIN_BENCH_TIMED";
const ROUNDS: usize = 5;
/// A round's runs, and into how many parts it falls of which the best counts.
const RUNS: u64 = 2_000;
const PARTS: usize = 40;
/// Runs a second in the story.
const RATE: f64 = 120_000.0;
const FEW: u64 = 1_000;
const MANY: u64 = 3_000;

fn main() -> ExitCode {
    if let Some((name, runs)) = callgrind::asked() {
        let run = prepared(&name);
        black_box(run(runs));
        return ExitCode::SUCCESS;
    }
    if let Ok(name) = env::var(CHILD) {
        println!("{}", nanos(prepared(&name)));
        return ExitCode::SUCCESS;
    }
    let counts = callgrind::is_there();
    let mut best = [f64::MAX; MEASURED.len()];
    for _ in 0..ROUNDS {
        for (best, (name, ..)) in best.iter_mut().zip(MEASURED) {
            *best = best.min(timed(name));
        }
    }
    let instructions: [Option<f64>; MEASURED.len()] = array::from_fn(|index| {
        let name = MEASURED[index].0;
        // Peers work on other threads as well, at times of their own, so that it does not repeat.
        counts.then(|| callgrind::per_run(name, Some(name), FEW, MANY))
    });
    let mut nodes = Table::new("37 nodes", "what observes", ["ns a node", "more", "instructions a node"]);
    let mut story = Table::new("120,000 runs a second", "what observes", ["ns a run", "% of a core", "more"]);
    let (each, share) = (f64::from(NODES), |nanos: f64| nanos * RATE / 1e7);
    for (((_, what, _), nanos), instructions) in MEASURED.iter().zip(best).zip(instructions) {
        nodes.row(what, [Some(nanos / each), Some((nanos - best[0]) / each), instructions.map(|count| count / each)]);
        story.row(what, [nanos, share(nanos), share(nanos - best[0])]);
    }
    publish("observe", &[nodes, story]);
    let [plain, nothing, ..] = instructions;
    callgrind::verdict(&[("`()` takes not one instruction".into(), plain == nothing)])
}

/// This case, with all made that is made at first use.
fn prepared(name: &str) -> fn(u64) -> u64 {
    peers::prepare(name);
    chains::prepare();
    let (_, _, run) = MEASURED.iter().find(|(other, ..)| *other == name).expect("a name of the table");
    *run
}

/// Nanoseconds of a run.
fn nanos(run: fn(u64) -> u64) -> f64 {
    black_box(run(RUNS));
    let parts: [f64; PARTS] = array::from_fn(|_| {
        let began = Instant::now();
        black_box(run(RUNS));
        began.elapsed().as_nanos() as f64 / RUNS as f64
    });
    parts.into_iter().fold(f64::MAX, f64::min)
}

fn timed(name: &str) -> f64 {
    let program = env::current_exe().expect("a program knows its path");
    let output = Command::new(program).env(CHILD, name).output().expect("the bench starts itself");
    let said = String::from_utf8_lossy(&output.stdout);
    let last = said.lines().last().unwrap_or_default();
    last.parse().unwrap_or_else(|_| panic!("`{name}` timed nothing: {said}{}", String::from_utf8_lossy(&output.stderr)))
}

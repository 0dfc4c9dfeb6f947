//! A chain against code by hand and other libraries, at depths 1 to 100: `cargo bench -p chain-benches --bench depth`.
//!
//! Every node reads a header, mixes it into state and may break; the variants are `ready`, `mixed` (every seventh node suspends once),
//! `light` (one addition), `provide` (a value of an own type for the next node) and `hooks` (a way in and a way out). All contestants
//! give the same replies, or nothing is measured. `-- words` measures only the rows that have all of the words; `-- --no-time` leaves
//! out criterion, which takes most of the time.

#![recursion_limit = "1024"]
#![type_length_limit = "100000000"]

#[path = "depth/by_hand.rs"]
mod by_hand;
#[path = "depth/chains.rs"]
mod chains;
#[path = "depth/depths.rs"]
mod depths;
#[path = "depth/nested.rs"]
mod nested;
#[path = "depth/peers.rs"]
mod peers;
#[path = "depth/work.rs"]
mod work;

use std::collections::HashMap;
use std::process::ExitCode;
use std::time::Duration;

use chain_benches::allocations::Counting;
use chain_benches::callgrind;
use chain_benches::table::{Table, publish};
use criterion::{Criterion, SamplingMode};
use serde_json::{Value, json};
use work::{Case, VARIANTS};

#[global_allocator]
static COUNTING: Counting = Counting;

const RUNS: u64 = 200;

fn main() -> ExitCode {
    let mut cases = Vec::new();
    by_hand::cases(&mut cases);
    chains::cases(&mut cases);
    nested::cases(&mut cases);
    peers::cases(&mut cases);
    if let Some((name, runs)) = callgrind::asked() {
        let case = cases.iter().find(|case| case.name() == name).expect("a name of the table");
        std::hint::black_box(case.counted(runs));
        return ExitCode::SUCCESS;
    }
    agree(&cases);
    let (flags, words): (Vec<_>, Vec<_>) = std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    cases.retain(|case| words.iter().all(|word| case.name().split(' ').any(|part| part == word)));
    let counts = callgrind::is_there();
    let timed = !flags.iter().any(|flag| flag == "--no-time");
    let columns = ["instructions", "x hand", "allocations", "bytes asked for", "future, bytes", "ns", "ns x hand"];
    let mut tables = Vec::new();
    for variant in VARIANTS {
        let mut table = Table::new(variant, "depth, contestant", columns);
        let mut hand: HashMap<usize, (Option<f64>, Option<f64>)> = HashMap::new();
        let mut of_variant: Vec<_> = cases.iter().filter(|case| case.variant == variant).collect();
        of_variant.sort_by_key(|case| case.depth);
        for case in of_variant {
            eprintln!("{} ..", case.name());
            (case.run)(1);
            let measured = (case.run)(RUNS);
            let instructions = counts.then(|| callgrind::per_run(&case.name(), Some(work::COUNTED), RUNS, 2 * RUNS));
            let nanoseconds = timed.then(|| time(case));
            if case.contestant == "hand" {
                hand.insert(case.depth, (instructions, nanoseconds));
            }
            let (by_hand, in_time) = hand.get(&case.depth).copied().unwrap_or_default();
            let row = [
                json!(instructions),
                ratio(instructions, by_hand),
                json!(measured.asked.times as f64 / RUNS as f64),
                json!(measured.asked.bytes as f64 / RUNS as f64),
                json!(measured.future),
                json!(nanoseconds),
                ratio(nanoseconds, in_time),
            ];
            table.row(&format!("{} {}", case.depth, case.contestant), row);
        }
        tables.push(table);
    }
    publish("depth", &tables);
    ExitCode::SUCCESS
}

fn ratio(figure: Option<f64>, to: Option<f64>) -> Value {
    json!(figure.zip(to).map(|(figure, to)| figure / to))
}

/// All contestants do the same work: they give the same replies.
fn agree(cases: &[Case]) {
    for case in cases {
        let first = cases.iter().find(|other| (other.variant, other.depth) == (case.variant, case.depth));
        let first = first.expect("the case itself");
        assert_eq!((case.run)(50).replies, (first.run)(50).replies, "{} and {} disagree", case.name(), first.name());
    }
}

/// Nanoseconds of one run, by criterion.
fn time(case: &Case) -> f64 {
    let mut nanoseconds = f64::NAN;
    let mut criterion = Criterion::default()
        .without_plots()
        .warm_up_time(Duration::from_millis(50))
        .measurement_time(Duration::from_millis(150))
        .sample_size(10);
    let mut group = criterion.benchmark_group(case.variant);
    group.sampling_mode(SamplingMode::Flat);
    group.bench_function(format!("{} {}", case.depth, case.contestant), |bencher| {
        bencher.iter_custom(|times| {
            let took = (case.run)(times).took;
            let each = took.as_nanos() as f64 / times as f64;
            // The least figure has the least of the machine's noise.
            nanoseconds = nanoseconds.min(each);
            took
        });
    });
    group.finish();
    nanoseconds
}

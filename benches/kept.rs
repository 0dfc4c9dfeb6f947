//! Instructions, allocations and future sizes of chains, held against what they were: `baseline.json`.
//!
//! `cargo bench -p chain-benches --bench kept` fails when one of them has grown by more than 3 %, and says which. Where that is meant,
//! `cargo bench -p chain-benches --bench kept -- --update` writes the new figures down; commit the file with the change that moved them.
//!
//! Instructions are those of one rustc: on another they are shown, and not judged. Without valgrind they are left out.

// This bench asks less of the work than `depth` does.
#![allow(dead_code)]

#[path = "depth/by_hand.rs"]
mod by_hand;
#[path = "depth/chains.rs"]
mod chains;
#[path = "depth/depths.rs"]
mod depths;
#[path = "depth/work.rs"]
mod work;

use std::process::{Command, ExitCode};

use chain_benches::allocations::Counting;
use chain_benches::callgrind;
use chain_benches::table::{Table, publish};
use serde_json::{Map, Value, json};

#[global_allocator]
static COUNTING: Counting = Counting;

const BASELINE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/baseline.json");
const DEPTHS: [usize; 3] = [5, 37, 100];
/// What a figure may grow by.
const TOLERANCE: f64 = 0.03;
const FEW: u64 = 100;
const MANY: u64 = 300;

fn main() -> ExitCode {
    let mut cases = Vec::new();
    by_hand::cases(&mut cases);
    chains::cases(&mut cases);
    cases.retain(|case| DEPTHS.contains(&case.depth));
    if let Some((name, runs)) = callgrind::asked() {
        let case = cases.iter().find(|case| case.name() == name).expect("a name of the table");
        std::hint::black_box(case.counted(runs));
        return ExitCode::SUCCESS;
    }
    let counts = callgrind::is_there();
    let mut table = Table::new("what is kept", "case", ["instructions", "allocations", "future, bytes"]);
    let mut figures = Map::new();
    for case in &cases {
        eprintln!("{} ..", case.name());
        // The first run makes what is made once.
        (case.run)(1);
        let measured = (case.run)(MANY);
        let instructions = match counts {
            true => json!(callgrind::per_run(&case.name(), Some(work::COUNTED), FEW, MANY)),
            false => Value::Null,
        };
        let allocations = json!(measured.asked.times as f64 / MANY as f64);
        let future = json!(measured.future);
        table.row(&case.name(), [instructions.clone(), allocations.clone(), future.clone()]);
        let figure = json!({ "instructions": instructions, "allocations": allocations, "future": future });
        figures.insert(case.name(), figure);
    }
    publish("kept", &[table]);
    let now = json!({ "rustc": rustc(), "figures": figures });
    if std::env::args().any(|argument| argument == "--update") {
        let text = serde_json::to_string_pretty(&now).expect("figures are JSON");
        std::fs::write(BASELINE, text + "\n").expect("the baseline can be written to");
        println!("written: benches/baseline.json");
        return ExitCode::SUCCESS;
    }
    judged(&now)
}

/// What has grown, and what has shrunk.
fn judged(now: &Value) -> ExitCode {
    let text = std::fs::read_to_string(BASELINE).expect("benches/baseline.json: `-- --update` makes it");
    let before: Value = serde_json::from_str(&text).expect("benches/baseline.json is JSON");
    let same_rustc = before["rustc"] == now["rustc"];
    if !same_rustc {
        println!("instructions are not judged: the baseline is of {}, this is {}", before["rustc"], now["rustc"]);
    }
    let (mut grown, mut shrunk, mut missing) = (Vec::new(), 0, Vec::new());
    for (name, figures) in now["figures"].as_object().expect("an object") {
        // What is written by hand is there to be compared with.
        if !name.contains("chain!") {
            continue;
        }
        for (what, figure) in figures.as_object().expect("an object") {
            let Some(after) = figure.as_f64() else { continue };
            if what == "instructions" && !same_rustc {
                continue;
            }
            match before["figures"][name][what].as_f64() {
                None => missing.push(format!("{name}: {what}")),
                Some(before) if after > before * (1.0 + TOLERANCE) => {
                    grown.push(format!("{name}: {what} {before} -> {after}"));
                }
                Some(before) if after < before * (1.0 - TOLERANCE) => shrunk += 1,
                Some(_) => {}
            }
        }
    }
    if shrunk > 0 {
        println!("{shrunk} figures have shrunk by more than 3 %: keep them with `-- --update`");
    }
    for line in &missing {
        println!("FAILS: not in the baseline: {line}");
    }
    for line in &grown {
        println!("FAILS: {line}");
    }
    if grown.is_empty() && missing.is_empty() {
        println!("holds: nothing has grown by more than 3 %");
        return ExitCode::SUCCESS;
    }
    println!("where this is meant: cargo bench -p chain-benches --bench kept -- --update");
    ExitCode::FAILURE
}

fn rustc() -> String {
    let output = Command::new("rustc").arg("--version").output().expect("rustc runs");
    String::from_utf8_lossy(&output.stdout).trim().into()
}

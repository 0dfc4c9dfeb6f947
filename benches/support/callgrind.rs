//! Counts instructions: a bench starts itself under callgrind, with few runs and with many, and takes the difference.

use std::env;
use std::process::{Command, ExitCode, Stdio};

/// Which case the child runs, and how often.
const CHILD: &str = "CHAIN_BENCH_CASE";

/// In a child that callgrind watches: the case's name and how often it is to run.
pub fn asked() -> Option<(String, u64)> {
    let asked = env::var(CHILD).ok()?;
    let (name, runs) = asked.rsplit_once(' ').expect("a name and a number");
    Some((name.into(), runs.parse().expect("a number")))
}

/// Whether valgrind is installed; says so where it is not.
pub fn is_there() -> bool {
    let there = Command::new("valgrind").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !there {
        println!("instructions are skipped: callgrind counts them, and `valgrind` is not installed");
    }
    there
}

/// Instructions of one run of the case: in all of the program, `many` runs less `few`, for each of the runs between.
///
/// `function`, where given, is the name that callgrind counts in (`--toggle-collect`).
///
/// # Panics
/// If valgrind does not count.
pub fn per_run(case: &str, function: Option<&str>, few: u64, many: u64) -> f64 {
    let difference = collected(case, function, many) - collected(case, function, few);
    difference as f64 / (many - few) as f64
}

fn collected(case: &str, function: Option<&str>, runs: u64) -> u64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .args(function.map(|function| format!("--toggle-collect=*{function}*")))
        .arg(env::current_exe().expect("a program knows its path"))
        .env(CHILD, format!("{case} {runs}"))
        .output()
        .expect("valgrind runs");
    let said = String::from_utf8_lossy(&output.stderr);
    let count = said.lines().find_map(|line| line.split_once("Collected : ")).map(|(_, count)| count.trim().parse());
    match count {
        Some(Ok(count)) if count > 0 => count,
        _ => panic!("callgrind counted nothing in `{case}`:\n{said}"),
    }
}

/// What a bench whose claims were checked ends with.
pub fn verdict(claims: &[(String, bool)]) -> ExitCode {
    for (claim, holds) in claims {
        println!("{} {claim}", if *holds { "holds:" } else { "FAILS:" });
    }
    if claims.iter().all(|(_, holds)| *holds) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

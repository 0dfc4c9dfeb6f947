//! What a proxy asks of the kernel for a request: its system calls, and how often its threads are switched.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::contenders::Contender;
use crate::load::{self, Plan};

/// For one request.
pub(crate) struct Wakes {
    /// System calls, by name.
    pub(crate) calls: BTreeMap<String, f64>,
    /// How often a thread gave its core away because it had nothing to do, and how often another thread took it.
    pub(crate) idle: f64,
    pub(crate) taken: f64,
}

/// Counts them while the plan is carried out: once under `strace`, which makes everything slower, and once without.
pub(crate) fn count(contender: &Contender, plan: &Plan) -> io::Result<Wakes> {
    let before = switches(contender);
    let seen = load::run(contender, plan)?;
    let after = switches(contender);
    let for_each = |count: u64| count as f64 / seen.count as f64;

    let file = std::env::temp_dir().join(format!("proxy-bench-{}-calls", std::process::id()));
    let process = contender.process().to_string();
    let mut strace = Command::new("strace");
    strace.args(["-c", "-f", "-qq", "-p", &process, "-o"]).arg(&file).stderr(Stdio::null());
    let mut strace = strace.spawn().map_err(|error| io::Error::other(format!("strace does not run: {error}")))?;
    sleep(Duration::from_millis(500));
    let traced = load::run(contender, plan);
    let _ = Command::new("kill").args(["-INT", &strace.id().to_string()]).status();
    strace.wait()?;
    let count = traced?.count;
    let text = fs::read_to_string(&file)?;
    let _ = fs::remove_file(&file);
    Ok(Wakes { calls: calls(&text, count), idle: for_each(after.0 - before.0), taken: for_each(after.1 - before.1) })
}

/// Reads strace's table: the fourth column counts the calls, and the last one has their name.
fn calls(table: &str, requests: usize) -> BTreeMap<String, f64> {
    let rows = table.lines().skip(2).filter_map(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let name = columns.last().filter(|name| **name != "total" && !name.starts_with('-'))?;
        Some(((*name).to_owned(), columns.get(3)?.parse::<f64>().ok()? / requests as f64))
    });
    rows.filter(|(_, calls)| *calls >= 0.005).collect()
}

/// The voluntary and the involuntary switches of all its threads so far.
fn switches(contender: &Contender) -> (u64, u64) {
    let threads = fs::read_dir(format!("/proc/{}/task", contender.process())).into_iter().flatten().flatten();
    let of = |status: &str, key: &str| {
        let value = status.lines().find_map(|line| line.strip_prefix(key));
        value.and_then(|value| value.trim().parse::<u64>().ok()).unwrap_or(0)
    };
    threads
        .filter_map(|thread| fs::read_to_string(thread.path().join("status")).ok())
        .map(|status| (of(&status, "voluntary_ctxt_switches:"), of(&status, "nonvoluntary_ctxt_switches:")))
        .fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1))
}

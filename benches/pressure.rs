//! How much of a service's capacity admission keeps when ten times as many requests come as it can serve.
//!
//! `cargo bench -p chain-benches --bench pressure` asks in an open loop at 0.5, 1, 2, 5 and 10 times the capacity, and
//! then in a burst of 30 s at ten times. A third of the requests is critical, and a third can be shed. It does so first
//! in process, before a simulated service, and then through a proxy on loopback. It measures replies within their
//! deadline, the p99 of critical requests, and how long it takes after the burst until everything is as before.
//!
//! `-- in-process` or `-- loopback` does one of the two; `-- --quick` takes seconds, to see that it works; `-- --burst 5` makes bursts shorter, `-- --rounds 1`
//! asks each load once instead of three times;
//! `-- --draw` writes the picture to `benches/pressure.svg`; and a word of a door's name measures that one.

#[path = "pressure/doors.rs"]
mod doors;
#[path = "pressure/in_process.rs"]
mod in_process;
#[path = "pressure/loopback.rs"]
mod loopback;
#[path = "pressure/plan.rs"]
mod plan;
#[path = "pressure/plot.rs"]
mod plot;
#[allow(dead_code, reason = "it is the other bench's, and has more than is used here")]
#[path = "server/processes.rs"]
mod processes;
#[path = "pressure/run.rs"]
mod run;
#[path = "pressure/serve.rs"]
mod serve;
#[path = "pressure/service.rs"]
mod service;

use std::process::ExitCode;
use std::time::Duration;

use chain_benches::table::{publish, target_directory};
use run::{Found, Pace, Setting, found, tables};

/// What a process that this one starts is to be.
pub(crate) const ROLE: &str = "CHAIN_PRESSURE_ROLE";

fn main() -> ExitCode {
    let done = match std::env::var(ROLE) {
        Ok(role) => serve::run(&role).map_err(|error| error.to_string()),
        Err(_) => measured(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pressure: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measured() -> Result<(), String> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let asked = |word: &str| arguments.iter().any(|argument| argument == word);
    let number = |flag: &str| -> Result<Option<u64>, String> {
        let said = arguments.iter().skip_while(|argument| *argument != flag).nth(1);
        said.map(|said| said.parse().map_err(|_| format!("`{flag}` takes a whole number"))).transpose()
    };
    let (burst, rounds) = (number("--burst")?, number("--rounds")?.map(|rounds| rounds.max(1) as usize));
    let seconds = Duration::from_secs;
    let pace = match asked("--quick") {
        true => Pace {
            rounds: rounds.unwrap_or(1),
            settles: Duration::from_millis(250),
            lasts: Duration::from_millis(500),
            calm: Duration::from_millis(500),
            burst: seconds(burst.unwrap_or(1)),
            watched: Duration::from_millis(2_000),
        },
        false => Pace {
            rounds: rounds.unwrap_or(3),
            settles: seconds(2),
            lasts: seconds(2),
            calm: seconds(3),
            burst: seconds(burst.unwrap_or(30)),
            watched: seconds(6),
        },
    };
    let mut rows = Vec::new();
    if !asked("loopback") {
        let setting = in_process::setting();
        let found = each(&setting, &pace, &arguments, in_process::run)?;
        rows.push((setting, found));
    }
    if !asked("in-process") {
        let setting = loopback::setting(&doors::NAMES)?;
        let found = each(&setting, &pace, &arguments, loopback::run)?;
        rows.push((setting, found));
    }
    let all: Vec<_> = rows.iter().flat_map(|(setting, found)| tables(setting, &pace, found)).collect();
    publish("pressure", &all);
    let path = match asked("--draw") {
        true => concat!(env!("CARGO_MANIFEST_DIR"), "/pressure.svg").into(),
        false => target_directory().join("pressure.svg"),
    };
    std::fs::write(&path, plot::picture(&rows)).map_err(|error| format!("{}: {error}", path.display()))?;
    println!("the same as a picture: {}", path.display());
    Ok(())
}

/// Each door that the arguments name, or all of them.
fn each(
    setting: &Setting,
    pace: &Pace,
    arguments: &[String],
    run: impl Fn(&str, usize, plan::Plan) -> Result<run::Run, String>,
) -> Result<Vec<Found>, String> {
    eprintln!("{}: {:.0} requests a second can be served", setting.name, setting.capacity);
    let named = |door: &str| arguments.iter().any(|word| word.len() > 3 && door.contains(word.as_str()));
    let any = setting.doors.iter().any(|door| named(door));
    let mut all = Vec::new();
    for (index, door) in setting.doors.iter().enumerate().filter(|(_, door)| !any || named(door)) {
        eprintln!("{}: {door} ..", setting.name);
        let found = found(setting, door, pace, |plan| run(door, index, plan))?;
        for (claim, holds) in found.claims() {
            eprintln!("  {} {claim}", if holds { "holds:" } else { "short:" });
        }
        all.push(found);
    }
    Ok(all)
}

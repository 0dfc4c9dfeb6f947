//! The cost of one reading of each source of pressure, and of a whole sample of them.
//!
//! `cargo bench -p chain-benches --features jemalloc --bench sources` prints nanoseconds for each, the least of [`ROUNDS`] rounds in which
//! they take turns (what else the machine does only adds), and writes the same to `target/sources.json`. Sources that
//! this machine does not have are left out. The files of a group of version 2 are ordinary files in a folder: reading
//! them costs what reading the kernel's files costs, without the kernel's adding up for `memory.stat`.

use std::hint::black_box;
use std::time::{Duration, Instant};
use std::{env, fs, process};

use chain_benches::table::{Table, publish};
use chain_runtime::pressure::source::{Cgroup, InFlight, Jemalloc, Lag, Psi, Queue, Resident, own};
use chain_runtime::pressure::{Pressure, Source, Thresholds};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const ROUNDS: usize = 15;
const TIMES: u32 = 5_000;
const LIMIT: u64 = 1 << 40;

struct Row {
    name: &'static str,
    read: Box<dyn FnMut(Instant)>,
    least: f64,
}

fn row(name: &'static str, mut source: impl Source) -> Row {
    let read = Box::new(move |now| {
        let _ = black_box(source.read(now));
    });
    Row { name, read, least: f64::INFINITY }
}

fn optional<E>(rows: &mut Vec<Row>, name: &'static str, source: Result<impl Source, E>) {
    match source {
        Ok(source) => rows.push(row(name, source)),
        Err(_) => println!("this machine does not have: {name}"),
    }
}

fn main() {
    let tree = env::temp_dir().join(format!("chain-bench-sources-{}", process::id()));
    fs::create_dir_all(tree.join("own")).expect("a folder for files");
    let lines = (0..30).map(|line| format!("some_figure_{line} {}\n", line * 4_096));
    let stat: String = lines.chain(["inactive_file 5\n".to_owned()]).collect();
    for (file, text) in [
        ("membership", "0::/own\n"),
        ("own/memory.current", "123456789\n"),
        ("own/memory.max", "1234567890\n"),
        ("own/memory.high", "max\n"),
        ("own/memory.stat", &stat),
    ] {
        fs::write(tree.join(file), text).expect("a file");
    }
    let group = || Cgroup::at(&tree, tree.join("membership"));
    let (lag, probe) = Lag::new();
    let thresholds = Thresholds::leaving_at([1.0, 2.0, 3.0], 0.5);
    let mut rows = Vec::new();
    optional(&mut rows, "`Cgroup`, version 2, ordinary files", group());
    optional(&mut rows, "`Cgroup`, of this process", Cgroup::of_this_process());
    optional(&mut rows, "`Psi::memory`", Psi::memory());
    optional(&mut rows, "`Psi::cpu`", Psi::cpu());
    optional(&mut rows, "`Psi::io`", Psi::io());
    optional(&mut rows, "`Resident`", Resident::of_this_process(LIMIT));
    optional(&mut rows, "`Jemalloc`", Jemalloc::of(LIMIT));
    rows.push(row("`Lag`", lag.clone()));
    rows.push(row("`InFlight`", InFlight::new(100)));
    rows.push(row("`Queue`", Queue::new("queue", 100, || black_box(3))));
    rows.push(row("`own`", own("own", thresholds, |_| Ok(black_box(0.5)))));
    let (pressure, mut sampler) = Pressure::builder()
        .optional(group())
        .optional(Psi::memory())
        .source(lag)
        .source(InFlight::new(100))
        .build()
        .expect("each has its name");
    let sample = Box::new(move |now| {
        black_box(sampler.sample(now));
    });
    rows.push(Row { name: "a sample of `Cgroup`, `Psi`, `Lag` and `InFlight`", read: sample, least: f64::INFINITY });
    let level = Box::new(move |_| {
        black_box(pressure.level());
    });
    rows.push(Row { name: "`Pressure::level`", read: level, least: f64::INFINITY });
    // What the loop itself takes is in all of them.
    rows.push(Row {
        name: "nothing",
        read: Box::new(|now| {
            black_box(now);
        }),
        least: f64::INFINITY,
    });
    let mut now = Instant::now();
    for _ in 0..ROUNDS {
        for Row { read, least, .. } in &mut rows {
            let began = Instant::now();
            for _ in 0..TIMES {
                now += Duration::from_millis(200);
                read(now);
            }
            *least = least.min(began.elapsed().as_nanos() as f64 / f64::from(TIMES));
        }
    }
    drop(probe);
    fs::remove_dir_all(&tree).expect("the folder is there");
    let mut table = Table::new(&format!("nanoseconds, the least of {ROUNDS} rounds"), "reading", ["ns"]);
    for Row { name, least, .. } in &rows {
        table.row(name, [(least * 10.0).round() / 10.0]);
    }
    publish("sources", &[table]);
}

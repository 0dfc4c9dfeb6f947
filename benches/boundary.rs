//! What is read where a stretch of a run ends and the next one begins: the clock, the thread's allocations, and the
//! test for a pause.
//!
//! `cargo bench -p chain-benches --bench boundary` prints nanoseconds for each, the least of [`ROUNDS`] rounds in which
//! they take turns (other work on the machine only adds time), and writes the same to `target/boundary.json`.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::time::{Duration, Instant};

use chain_benches::table::{Table, publish};
use chain_runtime::telemetry::pauses::{Ledger, Pressure, Settings};
use chain_runtime::telemetry::{Allocations, Clock, Counted, Counting, Tsc};

#[global_allocator]
static ALLOCATOR: Counting<System> = Counting::new(System);

const ROUNDS: usize = 15;

struct Row<'a> {
    name: &'static str,
    times: u32,
    run: Box<dyn Fn(u32) + 'a>,
    least: f64,
}

fn row<'a, T>(name: &'static str, times: u32, read: impl Fn() -> T + 'a) -> Row<'a> {
    let run = Box::new(move |times| {
        for _ in 0..times {
            black_box(read());
        }
    });
    Row { name, times, run, least: f64::INFINITY }
}

/// Takes and gives back 64 bytes.
fn block(allocator: &impl GlobalAlloc) {
    let layout = Layout::new::<[u8; 64]>();
    // SAFETY: the layout's size is not zero, and the memory that is given back came from there with the same layout.
    unsafe { allocator.dealloc(black_box(allocator.alloc(layout)), layout) }
}

fn main() {
    Counted.check().expect("it is declared above");
    let clock = Tsc::new();
    let ledger = Ledger::new(clock.clone());
    let watch = ledger.watch();
    // Every stretch is over the threshold, and every poll is due for a baseline.
    let mut settings = Settings::default();
    settings.threshold = Duration::ZERO;
    let long = Ledger::with(clock.clone(), settings);
    settings.baseline = Duration::ZERO;
    let due = Ledger::with(clock.clone(), settings);
    let began = clock.now();
    watch.began(began);
    const FAST: u32 = 1_000_000;
    const SLOW: u32 = 20_000;
    let mut rows = vec![
        row("`Tsc`: now", FAST, || clock.now()),
        row("`Tsc`: now, and a difference in nanoseconds", FAST, || clock.nanos(clock.now())),
        row("`std::time::Instant`: now", FAST, Instant::now),
        row("`Counted`: two readings and what came in between", FAST, || {
            let before = Counted.now();
            // The optimizer must not know that nothing is allocated.
            black_box(&before);
            Counted.now() - before
        }),
        row("64 bytes from `System` and back", FAST, || block(&System)),
        row("64 bytes from `Counting<System>` and back", FAST, || block(&ALLOCATOR)),
        row("`Ledger::watch`", FAST, || ledger.watch()),
        row("`Ledger::ended`, under the threshold", FAST, || ledger.ended(black_box(began), began + 1).is_some()),
        row("`Watch::began`, no baseline due", FAST, || watch.began(black_box(began))),
        row("`Watch::ended`, under the threshold", FAST, || watch.ended(black_box(began), began + 1).is_some()),
        row("`Watch::began`, a baseline due", SLOW, || due.began(began)),
        row("`Watch::ended`, over the threshold", SLOW, || long.ended(began, began + 1_000).is_some()),
    ];
    if let Ok(mut pressure) = Pressure::of_the_machine() {
        pressure.read(&ledger);
        let pressure = std::cell::RefCell::new(pressure);
        let ledger = &ledger;
        rows.push(row("`Pressure::read`", SLOW, move || pressure.borrow_mut().read(ledger)));
    }
    for _ in 0..ROUNDS {
        for Row { times, run, least, .. } in &mut rows {
            let began = Instant::now();
            run(*times);
            *least = least.min(began.elapsed().as_nanos() as f64 / f64::from(*times));
        }
    }
    let mut table = Table::new(&format!("nanoseconds, the least of {ROUNDS} rounds"), "reading", ["ns"]);
    for Row { name, least, .. } in &rows {
        table.row(name, [(least * 10.0).round() / 10.0]);
    }
    publish("boundary", &[table]);
}

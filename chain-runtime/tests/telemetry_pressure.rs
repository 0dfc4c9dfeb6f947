//! What the machine is short of, from a tree of files that a test writes, and from this machine.

#![cfg(all(feature = "telemetry", target_os = "linux"))]

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use chain_runtime::telemetry::pauses::{Cause, Evidence, Ledger, Pause, Pressure, Resource};
use chain_runtime::telemetry::{Clock, Manual, Meter, Tsc};
use chain_runtime::{chain, node};

const MS: u64 = 1_000_000;

/// A folder like `/proc/pressure`, which goes with the test.
struct Tree(PathBuf);

impl Tree {
    fn new(name: &str) -> Self {
        let root = std::env::temp_dir().join(format!("chain-pressure-{name}-{}", std::process::id()));
        fs::create_dir_all(&root).unwrap();
        let tree = Self(root);
        for name in ["cpu", "memory", "io"] {
            tree.waited(name, 0);
        }
        tree
    }

    /// In microseconds, since the machine began.
    fn waited(&self, name: &str, total: u64) {
        let text = format!(
            "some avg10=0.00 avg60=0.00 avg300=0.00 total={total}\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7\n"
        );
        fs::write(self.0.join(name), text).unwrap();
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn all<C: Clock>(ledger: &Ledger<C>) -> Vec<Pause> {
    let mut all = Vec::new();
    ledger.machine(0, u64::MAX, |pause| all.push(*pause));
    all
}

#[test]
fn somebody_who_waits_is_found_within_the_interval_of_readings() {
    let tree = Tree::new("found");
    let clock = Manual::new();
    let ledger = Ledger::new(clock.clone());
    let mut pressure = Pressure::at(&tree.0).unwrap();
    let mut step = |memory: u64, cpu: u64| {
        tree.waited("memory", memory);
        tree.waited("cpu", cpu);
        pressure.read(&ledger);
        clock.advance(Duration::from_millis(5));
    };
    // At 0, 5, 10, .. ms. Memory is waited for between 12 and 23 ms; for a core less than a tenth of the time.
    step(1_000, 50);
    step(1_000, 100);
    step(1_000, 150);
    step(4_000, 200);
    step(9_000, 250);
    step(12_000, 300);
    step(12_000, 350);
    let found = all(&ledger);
    assert_eq!(found.len(), 1, "{found:#?}");
    let pause = found[0];
    assert_eq!((pause.cause, pause.thread, pause.evidence), (Cause::Pressure(Resource::Memory), None, Evidence::Seen));
    assert_eq!((pause.start, pause.end, pause.likely), (10 * MS, 25 * MS, 11 * MS));
    let mut inside = 0;
    ledger.machine(0, 9 * MS, |_| inside += 1);
    assert_eq!(inside, 0);
}

#[test]
fn two_times_of_waiting_are_two_pauses_and_each_resource_has_its_own() {
    let tree = Tree::new("two");
    let clock = Manual::new();
    let ledger = Ledger::new(clock.clone());
    let mut pressure = Pressure::at(&tree.0).unwrap();
    for (io, cpu) in [(0, 0), (5_000, 0), (5_000, 5_000), (5_000, 10_000), (9_000, 10_000)] {
        tree.waited("io", io);
        tree.waited("cpu", cpu);
        pressure.read(&ledger);
        clock.advance(Duration::from_millis(5));
    }
    let found: Vec<_> =
        all(&ledger).iter().map(|pause| (pause.cause, pause.start / MS, pause.end / MS, pause.likely / MS)).collect();
    let (cpu, io) = (Cause::Pressure(Resource::Cpu), Cause::Pressure(Resource::Io));
    assert_eq!(found, [(cpu, 5, 15, 10), (io, 0, 5, 5), (io, 15, 20, 4)]);
}

#[test]
fn readings_that_are_far_apart_leave_it_inferred() {
    let tree = Tree::new("apart");
    let clock = Manual::new();
    let ledger = Ledger::new(clock.clone());
    let mut pressure = Pressure::at(&tree.0).unwrap();
    pressure.read(&ledger);
    clock.advance(Duration::from_millis(100));
    tree.waited("memory", 30_000);
    pressure.read(&ledger);
    let found = all(&ledger);
    assert_eq!((found.len(), found[0].evidence, found[0].likely), (1, Evidence::Inferred, 30 * MS));
}

#[test]
fn a_tree_without_the_files_is_an_error_and_one_with_some_is_not() {
    let tree = Tree::new("missing");
    fs::remove_file(tree.0.join("io")).unwrap();
    Pressure::at(&tree.0).unwrap();
    fs::write(tree.0.join("cpu"), "nothing of the kind").unwrap();
    let ledger = Ledger::new(Manual::new());
    let mut pressure = Pressure::at(&tree.0).unwrap();
    pressure.read(&ledger);
    pressure.read(&ledger);
    assert_eq!(all(&ledger), []);
    fs::remove_file(tree.0.join("cpu")).unwrap();
    fs::remove_file(tree.0.join("memory")).unwrap();
    assert!(Pressure::at(&tree.0).is_err());
}

/// On a thread of its own, with the machine's clock.
#[test]
fn it_listens_until_the_guard_is_dropped() {
    let tree = Tree::new("listens");
    let ledger = Arc::new(Ledger::new(Tsc::new()));
    let listening = Pressure::at(&tree.0).unwrap().listen(ledger.clone()).unwrap();
    let began = Instant::now();
    let mut total = 0;
    while all(&ledger).is_empty() {
        assert!(began.elapsed() < Duration::from_secs(30), "nothing was found");
        // Polls begin, so that it reads often.
        ledger.watch().began(ledger.clock().now());
        total += 1_000_000;
        tree.waited("memory", total);
        std::thread::sleep(Duration::from_millis(1));
    }
    drop(listening);
    assert_eq!(all(&ledger)[0].cause, Cause::Pressure(Resource::Memory));
    assert_eq!(Arc::strong_count(&ledger), 1, "the thread is gone");
}

/// Threads that compute, more of them than there are cores, wait for a core. The kernel says so where it has the files.
#[test]
fn the_machine_s_own_pressure_is_found() {
    let Ok(pressure) = Pressure::of_the_machine() else {
        return println!("this kernel has no pressure stall information");
    };
    println!("{} triggers", pressure.triggers());
    let ledger = Arc::new(Ledger::new(Tsc::new()));
    let _listening = pressure.listen(ledger.clone()).unwrap();
    let cores = std::thread::available_parallelism().unwrap().get();
    let began = Instant::now();
    let found = || all(&ledger).iter().any(|pause| pause.cause == Cause::Pressure(Resource::Cpu));
    let done = &AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 * cores {
            scope.spawn(move || while !done.load(Relaxed) {});
        }
        while !found() && began.elapsed() < Duration::from_secs(30) {
            ledger.watch().began(ledger.clock().now());
            std::thread::sleep(Duration::from_millis(5));
        }
        done.store(true, Relaxed);
    });
    assert!(found());
}

#[node]
fn takes_ten_milliseconds(clock: &Manual) -> u32 {
    clock.advance(Duration::from_millis(10));
    7
}

chain! {
    #[observe(meter)]
    struct Short { meter: Meter<Manual> }
    fn(clock: Manual) -> u32 { takes_ten_milliseconds }
}

#[test]
fn of_a_shortage_that_is_longer_than_a_run_what_lies_in_the_run_is_told_of_it() {
    let tree = Tree::new("longer");
    let clock = Manual::new();
    let ledger = Arc::new(Ledger::new(clock.clone()));
    let meter = Meter::builder(Short::CHAIN).clock(clock.clone()).pauses(ledger.clone()).build();
    let short = Short { meter };
    let mut pressure = Pressure::at(&tree.0).unwrap();
    for step in 0..=12 {
        // Half of the time, somebody waits for memory.
        tree.waited("memory", clock.now() / 2_000);
        pressure.read(&ledger);
        if step == 6 {
            short.run(clock.clone());
        } else {
            clock.advance(Duration::from_millis(5));
        }
    }
    let machine = all(&ledger);
    assert!(machine.iter().any(|pause| pause.likely > 20 * MS), "{machine:#?}");
    let kept = short.meter.kept();
    let pause = kept.slowest[0].pauses.iter().find(|pause| pause.whose.is_none()).expect("a pause of the machine");
    let ms = Duration::from_millis;
    assert_eq!((pause.start, pause.end), (ms(0), ms(10)));
    assert_eq!((pause.least, pause.most, pause.likely), (ms(0), ms(10), ms(5)));
}

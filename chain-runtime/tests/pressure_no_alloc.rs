//! A sample allocates nothing, whatever the sources, whether they can be read or not, whether the level changes or not.
#![cfg(all(feature = "pressure", target_os = "linux"))]

mod support;

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use chain_runtime::pressure::policy::{AfterCollection, Highest, Policy};
use chain_runtime::pressure::source::{Cgroup, InFlight, Lag, Psi, Queue, Resident, own};
use chain_runtime::pressure::{Level, Pressure, Thresholds, Watched};
use support::ALLOCATIONS;

#[test]
fn a_sample_allocates_nothing() {
    let root = std::env::temp_dir().join(format!("chain-pressure-no-alloc-{}", std::process::id()));
    for (path, text) in [
        ("membership", "5:memory:/one\n0::/pod/two\n"),
        ("two/pod/two/memory.current", "900\n"),
        ("two/pod/two/memory.max", "1000\n"),
        ("two/pod/two/memory.high", "max\n"),
        ("two/pod/two/memory.stat", "anon 7\ninactive_file 5\n"),
        ("one/memory/one/memory.usage_in_bytes", "900\n"),
        ("one/memory/one/memory.limit_in_bytes", "1000\n"),
        ("one/memory/one/memory.stat", "total_inactive_file 5\n"),
        ("psi", "some avg10=0.00 avg60=0.00 avg300=0.00 total=12345\n"),
        ("averaged", "some avg10=0.00 avg60=0.00 avg300=0.00 total=12345\n"),
    ] {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let cgroup = |tree: &str| Cgroup::at(root.join(tree), root.join("membership")).unwrap().less(|| 1);
    let dial = Arc::new(AtomicU64::new(0));
    let reads = dial.clone();
    let thresholds = Thresholds::leaving_at([10.0, 20.0, 30.0], 0.5);
    let (lag, probe) = Lag::new();
    let (pressure, mut sampler) = Pressure::builder()
        .source(cgroup("two"))
        .source(Watched::of(cgroup("one")).named("version 1"))
        .source(Psi::memory_at(root.join("psi")).unwrap())
        .source(Psi::io_at(root.join("averaged")).unwrap().averaged())
        .source(Resident::of_this_process(1 << 40).unwrap())
        .source(lag)
        .source(InFlight::new(10))
        .source(Queue::new("queue", 10, || 3))
        .source(own("own", thresholds, move |_| Ok(f64::from_bits(reads.load(Relaxed)))))
        .policy(AfterCollection::default().or(Highest))
        .on_change(|change| assert_ne!(change.from, change.to))
        .build()
        .unwrap();
    let changes = pressure.watch();
    let mut now = Instant::now();
    let mut levels = [false; 4];
    // The library of tests and the locks make what they make at first.
    sampler.sample(now);
    fs::write(root.join("psi"), "nothing of the kind").unwrap();
    let before = ALLOCATIONS.get();
    for step in 0..1_000_u32 {
        now += Duration::from_millis(200);
        let value = if step % 50 < 25 { f64::from(step % 50) * 2.0 } else { f64::NAN };
        dial.store(value.to_bits(), Relaxed);
        probe.note(Duration::from_millis(3));
        sampler.sample(now);
        levels[pressure.level() as usize] = true;
    }
    let allocated = ALLOCATIONS.get() - before;
    let status = pressure.status();
    fs::remove_dir_all(&root).unwrap();
    assert_eq!(allocated, 0);
    // It was no idle time: what is on the way is read and changes, and one source fails.
    assert!(levels[Level::High as usize] && levels[Level::Critical as usize], "{levels:?}");
    assert!(status.source("own").unwrap().faults > 100 && changes.last().unwrap().number > 10, "{status}");
    assert!(status.source("memory stall").unwrap().faults == 1_000, "{status}");
    for name in ["memory", "version 1", "io stall", "resident", "lag", "queue", "in flight"] {
        let seen = status.source(name).unwrap();
        assert!(seen.reading.is_some() && seen.faults == 0, "{seen:?}");
    }
}

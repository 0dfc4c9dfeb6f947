//! What each source reads, from trees of files that a test writes, by a test's clock.
#![cfg(all(feature = "pressure", target_os = "linux"))]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use chain_runtime::pressure::source::{Bytes, Cgroup, Fault, Lag, Psi, Reading, Resident, Stalled, Version};
use chain_runtime::pressure::{Level, Pressure, Source};

const MIB: u64 = 1 << 20;
const MS: Duration = Duration::from_millis(1);

/// A folder that goes with the test.
struct Tree(PathBuf);

impl Tree {
    fn new(name: &str) -> Self {
        let root = std::env::temp_dir().join(format!("chain-sources-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(&root).unwrap();
        Self(root)
    }

    /// In the same place where there is one already, as the kernel's files are: one that is open shows the new text.
    fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A group of version 2, in MiB.
    fn group(&self, path: &str, current: u64, inactive: u64, max: Option<u64>) {
        let file = |name: &str| format!("{path}/{name}");
        let max = max.map_or("max".to_owned(), |max| (max * MIB).to_string());
        self.write(&file("memory.current"), &format!("{}\n", current * MIB));
        self.write(&file("memory.max"), &format!("{max}\n"));
        self.write(&file("memory.high"), "max\n");
        self.stat(path, inactive);
    }

    fn stat(&self, path: &str, inactive: u64) {
        // As the kernel writes it; the names that begin alike are a trap.
        let inactive = inactive * MIB;
        let text = format!(
            "anon 1409024\nfile 9437184\nkernel 123\nsock 0\nshmem 0\ninactive_anon 7\nactive_anon 9\n\
             inactive_file {inactive}\nactive_file 4096\nunevictable 0\nslab_reclaimable 1\npgfault 3\n"
        );
        self.write(&format!("{path}/memory.stat"), &text);
    }

    fn cgroup(&self) -> Cgroup {
        Cgroup::at(self.0.join("fs"), self.0.join("membership")).unwrap()
    }

    fn stalled(&self, some: &str, full: &str) {
        self.write("psi", &format!("some avg10={some} avg60=0.00 avg300=0.00 total=1000\nfull {full}\n"));
    }

    fn total(&self, micros: u64) {
        let text = format!(
            "some avg10=1.50 avg60=0.00 avg300=0.00 total={micros}\nfull avg10=0.25 avg60=0 avg300=0 total=7\n"
        );
        self.write("psi", &text);
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn read(source: &mut impl Source) -> Result<Reading, Fault> {
    source.read(Instant::now())
}

fn bytes(source: &mut impl Source) -> Bytes {
    read(source).unwrap().bytes.unwrap()
}

#[test]
fn version_2_is_used_without_what_is_cached() {
    let tree = Tree::new("two");
    tree.write("membership", "0::/system.slice/gateway.service\n");
    tree.group("fs/system.slice/gateway.service", 950, 300, Some(1_000));
    let mut cgroup = tree.cgroup();
    assert_eq!((cgroup.version(), cgroup.groups()), (Version::Two, 1));
    assert!(cgroup.path().ends_with("fs/system.slice/gateway.service"));
    let bytes = bytes(&mut cgroup);
    assert_eq!(bytes, Bytes { used: 650 * MIB, retained: 300 * MIB, limit: Some(1_000 * MIB) });
    assert_eq!(read(&mut cgroup).unwrap().value, 0.65);
}

#[test]
fn limits_may_change_and_the_lower_of_max_and_high_holds() {
    let tree = Tree::new("limits");
    tree.write("membership", "0::/a\n");
    tree.group("fs/a", 500, 0, None);
    let mut cgroup = tree.cgroup();
    let reading = read(&mut cgroup).unwrap();
    assert_eq!((reading.value, reading.bytes.unwrap().limit), (0.0, None), "`max` is no limit");
    tree.write("fs/a/memory.max", &(1_000 * MIB).to_string());
    assert_eq!(read(&mut cgroup).unwrap().value, 0.5);
    tree.write("fs/a/memory.high", &format!("{}\n", 625 * MIB));
    assert_eq!(read(&mut cgroup).unwrap().value, 0.8);
    tree.write("fs/a/memory.high", "max\n");
    assert_eq!(read(&mut cgroup).unwrap().value, 0.5);
    tree.write("fs/a/memory.max", "0\n");
    assert_eq!(read(&mut cgroup), Err(Fault::NoRoom));
}

#[test]
fn the_limit_of_a_group_above_holds_too() {
    let tree = Tree::new("above");
    tree.write("membership", "0::/pod/container\n");
    tree.group("fs/pod", 950, 0, Some(1_000));
    tree.group("fs/pod/container", 100, 0, Some(500));
    let mut cgroup = tree.cgroup();
    assert_eq!(cgroup.groups(), 2);
    assert_eq!(bytes(&mut cgroup).limit, Some(1_000 * MIB));
    tree.group("fs/pod/container", 480, 0, Some(500));
    assert_eq!(bytes(&mut cgroup).limit, Some(500 * MIB));
    // Where the own one has no limit, the one above has, however little of it is used.
    tree.group("fs/pod/container", 0, 0, None);
    tree.group("fs/pod", 0, 0, Some(1_000));
    assert_eq!(bytes(&mut cgroup).limit, Some(1_000 * MIB));
}

#[test]
fn a_group_that_does_not_count_memory_is_counted_with_the_one_above() {
    let tree = Tree::new("without");
    tree.write("membership", "0::/pod/container\n");
    tree.group("fs/pod", 400, 0, Some(1_000));
    tree.write("fs/pod/container/cgroup.procs", "1\n");
    let mut cgroup = tree.cgroup();
    assert_eq!((cgroup.groups(), bytes(&mut cgroup).used), (1, 400 * MIB));
}

#[test]
fn version_1_has_other_names() {
    let tree = Tree::new("one");
    tree.write("membership", "5:cpu,cpuacct:/x\n4:memory:/docker/ab\n0::/\n");
    let write = |name: &str, text: &str| tree.write(&format!("fs/memory/docker/ab/memory.{name}"), text);
    write("usage_in_bytes", "1000\n");
    write("limit_in_bytes", "2000\n");
    write(
        "stat",
        "cache 7\ninactive_file 1\nhierarchical_memory_limit 5\ntotal_inactive_file 400\ntotal_active_file 3\n",
    );
    let mut cgroup = tree.cgroup();
    assert_eq!(cgroup.version(), Version::One);
    assert_eq!(bytes(&mut cgroup), Bytes { used: 600, retained: 400, limit: Some(2_000) });
    write("limit_in_bytes", "9223372036854771712\n");
    assert_eq!(bytes(&mut cgroup).limit, None);
}

#[test]
fn in_a_container_the_root_is_the_own_group() {
    let tree = Tree::new("container");
    // The path of the host, which is nowhere in the container's tree.
    tree.write("membership", "0::/kubepods/pod7/c1\n");
    tree.group("fs", 90, 0, Some(100));
    assert_eq!(bytes(&mut tree.cgroup()).used, 90 * MIB);
    // From outside of the namespace.
    tree.write("membership", "0::/../other\n");
    tree.group("other", 10, 0, Some(100));
    assert_eq!(bytes(&mut tree.cgroup()).used, 90 * MIB);
    // Version 1 for memory beside a version 2 for nothing.
    let tree = Tree::new("hybrid");
    tree.write("membership", "4:memory:/\n0::/\n");
    tree.write("fs/unified/cgroup.procs", "1\n");
    tree.write("fs/memory/memory.usage_in_bytes", "5");
    tree.write("fs/memory/memory.limit_in_bytes", "10");
    tree.write("fs/memory/memory.stat", "total_inactive_file 0\n");
    assert_eq!(tree.cgroup().version(), Version::One);
}

#[test]
fn where_there_is_none_the_error_says_what_was_looked_for_and_one_may_go_on() {
    let tree = Tree::new("none");
    let cgroup = || Cgroup::at(tree.0.join("fs"), tree.0.join("membership"));
    assert!(cgroup().unwrap_err().to_string().contains("membership` cannot be read"));
    tree.write("membership", "0::/a\n");
    let error = cgroup().unwrap_err();
    assert!(error.to_string().starts_with("there is no source `memory`: no memory of a group of `"), "{error}");
    assert!(error.to_string().contains("fs`: memory.current: "), "{error}");
    tree.write("membership", "");
    assert!(cgroup().unwrap_err().to_string().ends_with("it names no group"));
    let (pressure, mut sampler) = Pressure::builder().optional(cgroup()).build().unwrap();
    sampler.sample(Instant::now());
    let status = pressure.status();
    assert_eq!((status.level, status.absent[0].name()), (Level::Calm, "memory"));
    assert!(status.to_string().contains("there is no source `memory`"), "{status}");
}

/// What Envoy did not do: it took for used what was only retained, shed on, and nothing that it shed made the sum smaller.
#[test]
fn memory_that_is_only_retained_does_not_keep_it_from_being_calm_again() {
    let tree = Tree::new("retained");
    tree.write("membership", "0::/a\n");
    tree.group("fs/a", 300, 0, Some(1_000));
    let (allocator, cgroup) = (Arc::new(AtomicU64::new(0)), tree.cgroup());
    let retains = allocator.clone();
    let (pressure, mut sampler) =
        Pressure::builder().source(cgroup.less(move || retains.load(Relaxed))).build().unwrap();
    let mut now = Instant::now();
    let mut after = |time: Duration| {
        now += time;
        sampler.sample(now);
        pressure.level()
    };
    after(Duration::ZERO);
    // The load comes, and is used.
    tree.group("fs/a", 980, 0, Some(1_000));
    assert_eq!(after(200 * MS), Level::Critical);
    // The load goes. Half of what it took stays with the allocator, the rest was files, which the kernel keeps.
    tree.group("fs/a", 980, 300, Some(1_000));
    allocator.store(400 * MIB, Relaxed);
    let levels: Vec<_> = (0..6).map(|_| after(500 * MS)).collect();
    assert_eq!(levels[3..], [Level::Calm; 3], "{levels:?}");
    let status = pressure.status();
    let bytes = status.source("memory").unwrap().reading.unwrap().bytes.unwrap();
    assert_eq!(bytes, Bytes { used: 280 * MIB, retained: 700 * MIB, limit: Some(1_000 * MIB) });
    assert!(status.to_string().contains("280 MiB used of 1000, 700 retained"), "{status}");
    // More is retained than there is: nothing is used.
    allocator.store(u64::MAX, Relaxed);
    assert_eq!(after(500 * MS), Level::Calm);
}

#[test]
fn what_a_file_says_wrong_is_a_fault_and_no_panic() {
    let tree = Tree::new("wrong");
    tree.write("membership", "0::/a\n");
    tree.group("fs/a", 500, 0, Some(1_000));
    let mut cgroup = tree.cgroup();
    for (text, fault) in [
        ("", Fault::Malformed),
        ("\n", Fault::Malformed),
        ("12 34\n", Fault::Malformed),
        ("-5\n", Fault::Malformed),
        ("0x10", Fault::Malformed),
        ("lots", Fault::Malformed),
        ("1e9", Fault::Malformed),
        ("18446744073709551616\n", Fault::TooLarge),
        ("99999999999999999999999999999999999999999999999999\n", Fault::TooLarge),
    ] {
        tree.write("fs/a/memory.current", text);
        assert_eq!(read(&mut cgroup), Err(fault), "{text:?}");
    }
    tree.write("fs/a/memory.current", "18446744073709551615\n");
    assert_eq!(bytes(&mut cgroup).used, u64::MAX);
    for (text, fault) in [
        ("anon 5\n", Fault::Malformed),
        ("inactive_file\n", Fault::Malformed),
        ("inactive_file x\n", Fault::Malformed),
        // Cut off in the number.
        ("inactive_file 12", Fault::Malformed),
        ("inactive_file 18446744073709551616\n", Fault::TooLarge),
    ] {
        tree.write("fs/a/memory.stat", text);
        assert_eq!(read(&mut cgroup), Err(fault), "{text:?}");
    }
    tree.stat("fs/a", 1);
    read(&mut cgroup).unwrap();
}

/// A process's file under `/proc` cannot be read any more when the process is gone.
#[test]
fn a_file_that_vanishes_is_a_fault_and_the_level_is_held_for_a_time() {
    let mut child = Command::new("sleep").arg("1000").stdin(Stdio::null()).spawn().unwrap();
    let statm = format!("/proc/{}/statm", child.id());
    // Whatever is resident, it is more than this.
    let resident = Resident::at(&statm, 4096, 1).unwrap();
    let (pressure, mut sampler) = Pressure::builder().source(resident).build().unwrap();
    let now = Instant::now();
    sampler.sample(now);
    let before = pressure.level();
    child.kill().unwrap();
    child.wait().unwrap();
    sampler.sample(now + 200 * MS);
    let seen = *pressure.status().source("resident").unwrap();
    assert!(matches!(seen.fault, Some(Fault::Io(_))), "{seen:?}");
    assert_eq!((before, pressure.level()), (Level::Critical, Level::Critical));
    sampler.sample(now + 5_200 * MS);
    assert_eq!(pressure.level(), Level::Calm);
    assert!(Resident::at(&statm, 4096, 1).unwrap_err().to_string().contains("cannot be opened"));
}

#[test]
fn the_resident_size_is_in_pages() {
    let tree = Tree::new("statm");
    tree.write("statm", "123456 2000 300 1 0 4000 0\n");
    let retained = Arc::new(AtomicU64::new(0));
    let retains = retained.clone();
    let mut resident =
        Resident::at(tree.0.join("statm"), 4096, 16_384_000).unwrap().less(move || retains.load(Relaxed));
    assert_eq!(read(&mut resident).unwrap().value, 0.5);
    retained.store(4_096_000, Relaxed);
    assert_eq!(bytes(&mut resident), Bytes { used: 4_096_000, retained: 4_096_000, limit: Some(16_384_000) });
    for (text, fault) in
        [("", Fault::Malformed), ("12", Fault::Malformed), ("1 18446744073709551615 3", Fault::TooLarge)]
    {
        tree.write("statm", text);
        assert_eq!(read(&mut resident), Err(fault), "{text:?}");
    }
    // That of this process is something.
    assert!(bytes(&mut Resident::of_this_process(1 << 40).unwrap()).used > 0);
}

#[test]
fn a_stall_is_a_share_of_the_time_since_the_sample_before() {
    let tree = Tree::new("psi");
    tree.total(1_000);
    let mut psi = Psi::memory_at(tree.0.join("psi")).unwrap();
    let now = Instant::now();
    let mut at = |after: u64, total: u64| {
        tree.total(total);
        psi.read(now + Duration::from_millis(after)).unwrap().value
    };
    assert_eq!(at(0, 5_000), 0.0, "the first has nothing to be compared with");
    assert_eq!(at(200, 25_000), 0.1);
    assert_eq!(at(200, 25_000), 0.1, "the clock stands still");
    assert_eq!(at(220, 45_000), 0.1, "so short a time says nothing");
    assert_eq!(at(300, 75_000), 0.5, "and is part of the next");
    assert_eq!(at(500, 75_000), 0.0);
    assert_eq!(at(700, 3), 0.0, "a file that was made anew");
    assert_eq!(at(900, 900_000_000), 1.0, "never more than all");
}

#[test]
fn of_a_stall_the_average_can_be_taken_and_those_where_nothing_gets_on() {
    let tree = Tree::new("averaged");
    tree.total(1_000);
    let psi = || Psi::io_at(tree.0.join("psi")).unwrap().averaged();
    assert_eq!(read(&mut psi()).unwrap().value, 0.015);
    assert_eq!(read(&mut psi().stalled(Stalled::Full)).unwrap().value, 0.0025);
    for (some, fault) in [
        ("1.5", Fault::Malformed),
        ("x", Fault::Malformed),
        ("nan", Fault::Malformed),
        ("18446744073709551615.00", Fault::TooLarge),
    ] {
        tree.stalled(some, "");
        assert_eq!(read(&mut psi()), Err(fault), "{some}");
    }
    tree.write("psi", "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
    assert_eq!(read(&mut psi()), Err(Fault::Malformed), "a kernel that does not say it");
    tree.write("psi", "some avg10=0.00 avg60=0.00 avg300=0.00 total=18446744073709551616\n");
    assert_eq!(read(&mut Psi::cpu_at(tree.0.join("psi")).unwrap()), Err(Fault::TooLarge));
    assert!(Psi::cpu_at(tree.0.join("nothing")).is_err());
    assert!(psi().trigger().is_none(), "a file of one's own is not written to");
}

#[test]
fn the_lag_is_the_mean_of_what_the_probe_notes() {
    let (mut lag, probe) = Lag::new();
    let now = Instant::now();
    assert_eq!(lag.read(now).unwrap().value, 0.0);
    probe.note(10 * MS);
    probe.note(30 * MS);
    assert_eq!(lag.read(now).unwrap().value, 0.02);
    assert_eq!(lag.read(now).unwrap().value, 0.0, "each is counted once");
    drop(probe);
    assert_eq!(lag.read(now), Err(Fault::Unavailable));
}

#[tokio::test(start_paused = true)]
async fn a_runtime_that_polls_late_is_found_also_while_it_does_not_poll() {
    let (mut lag, probe) = Lag::new();
    let task = tokio::spawn(probe.run(20 * MS));
    let now = || tokio::time::Instant::now().into_std();
    tokio::time::sleep(200 * MS).await;
    assert!(lag.read(now()).unwrap().value <= 0.001);
    // Here the runtime is kept from polling: its clock goes on, and the probe is not polled.
    let stuck = now() + 300 * MS;
    assert!(lag.read(stuck).unwrap().value >= 0.27, "nobody has polled the probe yet");
    tokio::time::advance(300 * MS).await;
    tokio::task::yield_now().await;
    tokio::task::yield_now().await;
    assert!(lag.read(now()).unwrap().value >= 0.27, "now it has said so");
    task.abort();
    let _ = task.await;
    assert_eq!(lag.read(now()), Err(Fault::Unavailable));
}

/// The kernel is asked for real, where it has stall information and takes triggers. A core is short for certain where more threads than cores want one.
#[test]
fn the_kernel_wakes_the_sampler_for_a_stall() {
    let Ok(psi) = Psi::cpu() else { return println!("this kernel has no stall information") };
    let psi = psi.waking(MS, 2_000 * MS);
    match psi.trigger() {
        Some(Ok(_)) => {}
        refused => return println!("this kernel takes no trigger here: {refused:?}"),
    }
    // By itself, it would sample once in an hour.
    let (pressure, sampler) = Pressure::builder().source(psi).every(Duration::from_secs(3_600)).build().unwrap();
    let sampling = sampler.on_thread().unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    let threads = 4 * std::thread::available_parallelism().map_or(4, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while pressure.status().samples < 2 && Instant::now() < until {
                    (0..100_000_u64).for_each(|number| {
                        std::hint::black_box(number);
                    });
                }
            });
        }
    });
    let status = pressure.status();
    assert!(status.samples >= 2 && status.sources[0].is_woken, "{status:?}");
    drop(sampling);
}

/// The same for a task.
#[tokio::test]
async fn the_kernel_wakes_a_task_as_well() {
    let Ok(psi) = Psi::cpu() else { return println!("this kernel has no stall information") };
    let psi = psi.waking(MS, 2_000 * MS);
    if !matches!(psi.trigger(), Some(Ok(_))) {
        return println!("this kernel takes no trigger here");
    }
    let (pressure, sampler) = Pressure::builder().source(psi).every(Duration::from_secs(3_600)).build().unwrap();
    let task = tokio::spawn(sampler.run());
    let until = Instant::now() + Duration::from_secs(60);
    let threads = 4 * std::thread::available_parallelism().map_or(4, usize::from);
    let spins = (0..threads).map(|_| {
        let pressure = pressure.clone();
        std::thread::spawn(move || {
            while pressure.status().samples < 2 && Instant::now() < until {
                (0..100_000_u64).for_each(|number| {
                    std::hint::black_box(number);
                });
            }
        })
    });
    let spins: Vec<_> = spins.collect();
    while spins.iter().any(|spin| !spin.is_finished()) {
        tokio::time::sleep(5 * MS).await;
    }
    assert!(pressure.status().samples >= 2, "{:?}", pressure.status());
    task.abort();
}

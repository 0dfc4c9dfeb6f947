//! Control groups.

use super::*;

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

//! Stall information, from files and from the kernel.

use super::*;

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

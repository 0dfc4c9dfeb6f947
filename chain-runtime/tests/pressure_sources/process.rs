//! The process: its file, and its runtime.

use super::*;

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

//! Registrations as fast as possible, beside readers that check each snapshot. The printed figures are no assertions:
//! `--nocapture` shows them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use chain_runtime::upstream::{Generation, Member, Registry, Snapshot, State};

const MEMBERS: usize = 3_000;
const REGISTRARS: usize = 2;
const READERS: usize = 2;

/// The member of this number has this zone, whoever registers it: so what is torn would be seen.
fn member(number: usize) -> Member<usize> {
    Member::new(format!("member-{number:04}"), number)
        .zone(format!("zone-{}", number % 3))
        .weight(number as u32 % 5 + 1)
}

/// A snapshot is whole: sorted, each name once, each entry its own, and the counts are those of the states.
fn check(now: &Snapshot<usize>, newest: &mut BTreeMap<usize, Generation>) {
    assert!(now.members().is_sorted_by(|one, other| one.seat().name() < other.seat().name()));
    let mut draining = 0;
    for entry in now.members() {
        let (seat, &number) = (entry.seat(), entry.seat().endpoint());
        assert_eq!(
            (seat.name(), seat.zone()),
            (format!("member-{number:04}").as_str(), Some(["zone-0", "zone-1", "zone-2"][number % 3]))
        );
        assert_eq!(entry.weight().get(), number as u32 % 5 + 1);
        draining += usize::from(entry.state() == State::Draining);
        // Of each name, generations only grow.
        let before = newest.insert(number, seat.generation());
        assert!(before.is_none_or(|before| before <= seat.generation()));
    }
    assert_eq!((now.counts().all(), now.counts().draining), (now.members().len(), draining));
    assert_eq!(now.counts().ready, now.members().len() - draining);
}

fn run(registrations: usize, is_kept: bool) {
    let registry = Arc::new(Registry::new());
    registry.listed().replace((0..MEMBERS).map(member)).unwrap();
    let (is_over, checked, picks) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    let last = Mutex::new(BTreeMap::new());
    let stop = Arc::new(tokio::sync::Notify::new());
    let keeper = is_kept.then(|| {
        let (registry, stop) = (Arc::clone(&registry), Arc::clone(&stop));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    never = registry.keep() => never,
                    () = stop.notified() => {}
                }
            });
        })
    });
    let begun = Instant::now();
    let first = registry.snapshot().version();
    let took = thread::scope(|scope| {
        let registrars: Vec<_> = (0..REGISTRARS)
            .map(|registrar| {
                let (registry, last) = (&registry, &last);
                scope.spawn(move || {
                    let mut own = BTreeMap::new();
                    // Each has the numbers that leave its own rest.
                    for turn in 0..registrations / REGISTRARS {
                        let number = (turn * REGISTRARS + registrar) % MEMBERS;
                        let registration = registry.register(member(number), Duration::from_secs(3600)).unwrap();
                        registry.heartbeat(&registration).unwrap();
                        if turn % 7 == 0 {
                            registry.drain(&registration).unwrap();
                        }
                        let before = own.insert(number, registration);
                        assert!(before.is_none_or(|before| registry.heartbeat(&before).is_err()));
                    }
                    last.lock().unwrap().extend(own);
                })
            })
            .collect();
        for reader in 0..READERS {
            let (registry, is_over, checked, picks) = (&registry, &is_over, &checked, &picks);
            scope.spawn(move || {
                let (mut newest, mut version, mut turn) = (BTreeMap::new(), 0, reader);
                while !is_over.load(SeqCst) {
                    let now = registry.snapshot();
                    assert!(now.version() >= version);
                    version = now.version();
                    // Whoever only picks is there as well.
                    for _ in 0..1_000 {
                        turn = (turn + 7_919) % MEMBERS;
                        let request = registry.snapshot().members()[turn].seat().begin();
                        picks.fetch_add(usize::from(request.is_some()), SeqCst);
                    }
                    check(&now, &mut newest);
                    checked.fetch_add(1, SeqCst);
                }
            });
        }
        registrars.into_iter().for_each(|registrar| registrar.join().unwrap());
        let took = begun.elapsed();
        is_over.store(true, SeqCst);
        took
    });
    stop.notify_one();
    keeper.into_iter().for_each(|keeper| keeper.join().unwrap());
    let now = registry.snapshot();
    check(&now, &mut BTreeMap::new());
    assert_eq!(now.members().len(), MEMBERS);
    for (number, registration) in &*last.lock().unwrap() {
        let seat = now.get(&format!("member-{number:04}")).unwrap().seat();
        assert_eq!((seat.registration(), seat.in_flight()), (registration, 0));
    }
    assert!(now.version() - first >= registrations as u64);
    let rate = |count: usize| count as f64 / took.as_secs_f64();
    let (checked, picks) = (checked.into_inner(), picks.into_inner());
    println!(
        "kept: {is_kept}; {registrations} registrations, {:.0} a second; {:.0} picks a second; {checked} snapshots checked",
        rate(registrations),
        rate(picks)
    );
}

#[test]
fn snapshots_are_whole_while_somebody_keeps_the_registry() {
    run(150_000, true);
}

#[test]
fn snapshots_are_whole_while_nobody_keeps_it() {
    run(6_000, false);
}

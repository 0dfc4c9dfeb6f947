//! Members that fail are ejected, return when their time is over, and are then asked more and more.

use std::sync::Arc;
use std::time::Duration;

use chain_runtime::upstream::{Health, Member, Outcome, Registry, Seat, State};
use tokio::time::{Instant, advance};

use crate::support::ALLOCATIONS;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const WELL: Outcome = Outcome::Replied { ok: true };
const BROKEN: Outcome = Outcome::Replied { ok: false };

type Seats = Vec<Arc<Seat<usize>>>;

fn registry(health: Health, members: usize) -> (Arc<Registry<usize>>, Seats) {
    let registry = Registry::new().with_health(health);
    for member in 0..members {
        registry.register(Member::new(format!("{member:04}"), member), Duration::MAX).unwrap();
    }
    let seats = registry.snapshot().members().iter().map(|entry| Arc::clone(entry.seat())).collect();
    (Arc::new(registry), seats)
}

/// Without chance.
const fn plain() -> Health {
    Health::new().jitter(0.0)
}

fn state(registry: &Registry<usize>, seat: &Seat<usize>) -> State {
    registry.snapshot().get(seat.name()).unwrap().state()
}

fn is_ejected(registry: &Registry<usize>, seat: &Seat<usize>) -> bool {
    matches!(state(registry, seat), State::Ejected { .. })
}

fn share(registry: &Registry<usize>, seat: &Seat<usize>) -> f32 {
    let now = registry.snapshot();
    now.share(now.get(seat.name()).unwrap(), Instant::now().into_std())
}

fn fail(seat: &Seat<usize>, times: usize) {
    (0..times).for_each(|_| seat.note(Outcome::Failed, MS));
}

#[tokio::test(start_paused = true)]
async fn the_failure_that_is_one_too_many_ejects_before_note_returns() {
    let (registry, seats) = registry(plain(), 3);
    fail(&seats[0], 4);
    seats[0].note(WELL, MS);
    fail(&seats[0], 4);
    assert_eq!(state(&registry, &seats[0]), State::Ready);
    seats[0].note(Outcome::TimedOut, MS);
    assert_eq!(state(&registry, &seats[0]), State::Ejected { until: (Instant::now() + 5 * SECOND).into_std() });
    assert_eq!((share(&registry, &seats[0]), share(&registry, &seats[1])), (0.0, 1.0));
}

/// The story's minute, where one request a second is spread over ten members.
#[tokio::test(start_paused = true)]
async fn a_member_that_is_seldom_asked_is_ejected_within_a_minute() {
    let (registry, seats) = registry(plain(), 10);
    let begun = Instant::now();
    for request in 0.. {
        advance(SECOND).await;
        seats[request % 10].note(if request % 10 == 3 { Outcome::Failed } else { WELL }, MS);
        if is_ejected(&registry, &seats[3]) {
            break;
        }
        // By five failures in a row it would be after 44 seconds.
        assert!(begun.elapsed() < 30 * SECOND);
    }
    assert_eq!(registry.snapshot().counts().ejected, 1);
}

/// It never fails five times in a row, and all that is within the window went well until now.
#[tokio::test(start_paused = true)]
async fn at_load_a_member_that_fails_mostly_is_ejected_within_a_second() {
    let (registry, seats) = registry(plain(), 3);
    for _ in 0..40_000 {
        advance(MS).await;
        seats[0].note(WELL, MS);
    }
    let begun = Instant::now();
    for request in 0.. {
        advance(MS).await;
        seats[0].note(if request % 3 == 0 { WELL } else { BROKEN }, MS);
        if is_ejected(&registry, &seats[0]) {
            break;
        }
        assert!(begun.elapsed() < SECOND);
    }
}

#[tokio::test(start_paused = true)]
async fn few_requests_are_not_judged_by_their_share() {
    let (registry, seats) = registry(plain(), 3);
    for request in 0..19 {
        seats[0].note(if request % 3 == 0 { WELL } else { BROKEN }, MS);
    }
    assert_eq!(state(&registry, &seats[0]), State::Ready);
    fail(&seats[0], 1);
    assert!(is_ejected(&registry, &seats[0]));

    // Outside of the window they are no longer few more.
    for request in 0..19 {
        seats[1].note(if request % 3 == 0 { WELL } else { BROKEN }, MS);
    }
    advance(31 * SECOND).await;
    seats[1].note(WELL, MS);
    fail(&seats[1], 1);
    assert_eq!(state(&registry, &seats[1]), State::Ready);
}

#[tokio::test(start_paused = true)]
async fn what_says_nothing_of_the_member_counts_as_nothing() {
    let (registry, seats) = registry(plain(), 3);
    for _ in 0..100 {
        seats[0].note(Outcome::Cancelled, MS);
        seats[0].note(Outcome::Panicked, MS);
    }
    assert_eq!(state(&registry, &seats[0]), State::Ready);
    // They are no success either, which would end a row of failures.
    fail(&seats[0], 4);
    seats[0].note(Outcome::Cancelled, MS);
    seats[0].note(Outcome::Panicked, MS);
    fail(&seats[0], 1);
    assert!(is_ejected(&registry, &seats[0]));
}

#[tokio::test(start_paused = true)]
async fn a_broken_reply_counts_as_it_is_said() {
    let (registry, seats) = registry(plain().replies(false), 3);
    for _ in 0..1_000 {
        fail(&seats[0], 1);
        seats[0].note(BROKEN, MS);
        seats[0].note(BROKEN, MS);
    }
    assert_eq!(state(&registry, &seats[0]), State::Ready);
    fail(&seats[0], 5);
    assert!(is_ejected(&registry, &seats[0]));
}

#[tokio::test(start_paused = true)]
async fn a_member_returns_by_the_clock_and_is_asked_more_and_more() {
    let (registry, seats) = registry(plain(), 3);
    let keeper = tokio::spawn({
        let registry = Arc::clone(&registry);
        async move { registry.keep().await }
    });
    tokio::task::yield_now().await;
    let (ejected, seen) = (Instant::now(), registry.snapshot().version());
    fail(&seats[0], 5);
    let now = registry.changed(seen).await;
    assert_eq!(now.counts().ejected, 1);
    let now = registry.changed(now.version()).await;
    assert_eq!(now.counts().ready, 3);
    assert!(ejected.elapsed() >= 5 * SECOND && ejected.elapsed() < 5 * SECOND + 10 * MS);
    keeper.abort();
    assert!((share(&registry, &seats[0]) - 0.1).abs() < 0.01);
    advance(5 * SECOND).await;
    assert!((share(&registry, &seats[0]) - 0.5).abs() < 0.01);
    advance(5 * SECOND).await;
    assert!((share(&registry, &seats[0]) - 1.0).abs() < 0.01);
}

#[tokio::test(start_paused = true)]
async fn where_nobody_keeps_the_registry_a_member_returns_as_well() {
    let (registry, seats) = registry(plain(), 3);
    fail(&seats[0], 5);
    advance(5 * SECOND - MS).await;
    assert_eq!(share(&registry, &seats[0]), 0.0);
    advance(MS).await;
    // The snapshot is the same, and says the rest by itself.
    assert!(is_ejected(&registry, &seats[0]));
    assert!((share(&registry, &seats[0]) - 0.1).abs() < 0.01);
    registry.evict(Instant::now().into_std());
    assert_eq!(state(&registry, &seats[0]), State::Ready);
    assert!((share(&registry, &seats[0]) - 0.1).abs() < 0.01);
}

#[tokio::test(start_paused = true)]
async fn the_first_request_after_the_return_decides() {
    let (registry, seats) = registry(plain(), 3);
    fail(&seats[0], 5);
    advance(6 * SECOND).await;
    // It was under way before the return, and is late news.
    seats[0].note(Outcome::TimedOut, 2 * SECOND);
    registry.evict(Instant::now().into_std());
    assert_eq!(state(&registry, &seats[0]), State::Ready);
    seats[0].note(Outcome::Failed, SECOND / 2);
    assert_eq!(state(&registry, &seats[0]), State::Ejected { until: (Instant::now() + 10 * SECOND).into_std() });

    // What went well makes it one of five again.
    advance(10 * SECOND).await;
    seats[0].note(WELL, Duration::ZERO);
    fail(&seats[0], 4);
    registry.evict(Instant::now().into_std());
    assert_eq!(state(&registry, &seats[0]), State::Ready);
}

#[tokio::test(start_paused = true)]
async fn requests_that_fail_late_do_not_make_an_ejection_longer() {
    let (registry, seats) = registry(plain(), 3);
    fail(&seats[0], 5);
    let before = state(&registry, &seats[0]);
    advance(SECOND).await;
    fail(&seats[0], 100);
    assert_eq!(state(&registry, &seats[0]), before);
}

#[test]
fn no_more_are_ejected_than_the_ceiling_whoever_notes_it() {
    let (registry, seats) = registry(plain().at_most(0.3), 10);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let seats = &seats;
            scope.spawn(move || (0..1_000).for_each(|turn| fail(&seats[(turn * 7 + thread * 3) % 10], 1)));
        }
    });
    assert_eq!(registry.snapshot().counts().ejected, 3);
}

#[tokio::test(start_paused = true)]
async fn whom_the_ceiling_kept_is_ejected_when_there_is_room() {
    let (registry, seats) = registry(plain().at_most(0.5), 2);
    fail(&seats[0], 5);
    fail(&seats[1], 5);
    assert_eq!(state(&registry, &seats[1]), State::Ready);
    advance(5 * SECOND).await;
    fail(&seats[1], 1);
    assert!(is_ejected(&registry, &seats[1]));
    assert_eq!(state(&registry, &seats[0]), State::Ready);
}

/// Who is unhealthy is out as well, and who is drained is none of all.
#[tokio::test(start_paused = true)]
async fn the_ceiling_knows_who_else_is_out() {
    let (registry, seats) = registry(plain(), 5);
    registry.drain(seats[0].registration()).unwrap();
    registry.change_state(seats[1].registration(), |_, _| State::Unhealthy).unwrap();
    fail(&seats[2], 5);
    fail(&seats[3], 5);
    let counts = registry.snapshot().counts();
    assert_eq!((counts.ready, counts.draining, counts.ejected, counts.unhealthy), (2, 1, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn in_a_panic_all_are_asked_but_those_that_are_drained() {
    let (registry, seats) = registry(plain(), 5);
    registry.drain(seats[0].registration()).unwrap();
    for ill in &seats[1..3] {
        registry.change_state(ill.registration(), |_, _| State::Unhealthy).unwrap();
    }
    assert!(!registry.snapshot().is_panic());
    assert_eq!(share(&registry, &seats[1]), 0.0);
    registry.change_state(seats[3].registration(), |_, _| State::Unhealthy).unwrap();
    assert!(registry.snapshot().is_panic());
    let shares: Vec<_> = seats.iter().map(|seat| share(&registry, seat)).collect();
    assert_eq!(shares, [0.0, 1.0, 1.0, 1.0, 1.0]);
    // What comes out then is not held against them.
    fail(&seats[1], 100);
    registry.change_state(seats[1].registration(), |_, _| State::Ready).unwrap();
    assert!(!registry.snapshot().is_panic());
    assert_eq!(state(&registry, &seats[1]), State::Ready);
}

#[test]
fn an_outcome_of_a_generation_that_is_gone_changes_nothing() {
    let (registry, seats) = registry(plain(), 3);
    registry.register(Member::new("0000", 7), Duration::MAX).unwrap();
    fail(&seats[0], 100);
    assert_eq!(registry.snapshot().counts().ready, 3);
    drop(registry);
    fail(&seats[1], 100);
}

#[test]
fn without_health_outcomes_change_nothing() {
    let registry = Registry::new();
    registry.register(Member::new("a", 0), Duration::MAX).unwrap();
    let snapshot = registry.snapshot().keep();
    fail(snapshot.members()[0].seat(), 1_000);
    assert_eq!(registry.snapshot().version(), snapshot.version());
}

#[test]
fn to_note_an_outcome_allocates_nothing() {
    // With this ceiling nobody is ejected, though the registry is asked.
    let (_registry, seats) = registry(plain().at_most(0.0), 3);
    seats[0].note(WELL, MS);
    let before = ALLOCATIONS.get();
    for _ in 0..1_000 {
        seats[0].note(WELL, MS);
        fail(&seats[0], 10);
    }
    assert_eq!(ALLOCATIONS.get() - before, 0);
}

#[test]
#[should_panic(expected = "somebody was registered already")]
fn health_is_there_from_the_beginning() {
    let registry = Registry::new();
    registry.register(Member::new("a", 0), Duration::MAX).unwrap();
    drop(registry.with_health(Health::new()));
}

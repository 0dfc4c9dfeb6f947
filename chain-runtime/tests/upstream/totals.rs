//! What a registry counts, for metrics and for a page.

use std::time::Duration;

use chain_runtime::upstream::{Gone, Health, Member, Outcome, Refused, Registration, Registry, Source, State};
use tokio::time::{advance, sleep};

const LEASE: Duration = Duration::from_secs(10);

fn member(name: &str) -> Member<u16> {
    Member::new(name, 80)
}

#[tokio::test(start_paused = true)]
async fn who_comes_and_goes_is_counted_by_the_way() {
    let registry = Registry::new().with_limit(3);
    let [a, _, _] = ["a", "b", "c"].map(|name| registry.register(member(name), LEASE).unwrap());
    let again = registry.register(member("a"), LEASE).unwrap();
    assert_eq!(registry.heartbeat(&a), Err(Gone));
    assert_eq!(registry.register(member("d"), LEASE), Err(Refused::Full { limit: 3 }));
    registry.register(member("two words"), LEASE).unwrap_err();
    registry.remove(&again).unwrap();
    registry.remove(&again).unwrap_err();
    advance(LEASE).await;
    assert_eq!(registry.heartbeat(&again), Err(Gone));
    let totals = registry.totals();
    assert_eq!((totals.registered, totals.superseded, totals.removed, totals.evicted), (4, 1, 1, 2));
    assert_eq!((totals.late, totals.full, totals.misnamed), (2, 1, 1));
    assert_eq!(registry.limit(), 3);
}

/// Two lists, an error between them, and one that is refused.
struct Lists(u32);

impl Source<u16> for Lists {
    type Error = ();

    async fn next(&mut self) -> Option<Result<Vec<Member<u16>>, ()>> {
        self.0 += 1;
        match self.0 {
            1 => Some(Ok(vec![member("a"), member("b")])),
            2 => Some(Err(())),
            3 => Some(Ok(vec![member("b")])),
            4 => Some(Ok(vec![member("b"), member("b")])),
            _ => None,
        }
    }
}

#[tokio::test]
async fn what_a_source_tells_is_counted_by_what_became_of_it() {
    let registry = Registry::new();
    registry.follow(Lists(0), |_| {}).await;
    let totals = registry.totals();
    assert_eq!((totals.lists_taken, totals.lists_refused, totals.lists_failed), (2, 1, 1));
    assert_eq!((totals.registered, totals.removed), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn ejections_are_counted_by_their_cause() {
    let health = Health::new().failures(3, LEASE).success(0.5, 20, Duration::from_secs(30)).at_most(1.0);
    let registry = Registry::new().with_health(health);
    let of = |name: &str| registry.register(member(name), Duration::MAX).unwrap();
    let [row, lasting, rate, told, ill] = ["row", "lasting", "rate", "told", "ill"].map(of);
    let snapshot = registry.snapshot().keep();
    let note = |name: &str, ok| snapshot.get(name).unwrap().seat().note(Outcome::Replied { ok }, Duration::ZERO);
    (0..3).for_each(|_| note("row", false));
    note("lasting", false);
    sleep(LEASE).await;
    note("lasting", false);
    for _ in 0..20 {
        note("rate", false);
        note("rate", false);
        note("rate", true);
    }
    let until = tokio::time::Instant::now().into_std() + LEASE;
    registry.change_state(&told, |_, _| State::Ejected { until }).unwrap();
    registry.change_state(&ill, |_, _| State::Unhealthy).unwrap();
    let totals = registry.totals();
    let ejected = totals.ejected;
    assert_eq!((ejected.in_a_row, ejected.lasting, ejected.rate, ejected.told), (1, 1, 1, 1));
    assert_eq!(totals.unhealthy, 1);
    let each = [&row, &lasting, &rate, &told, &ill].map(|one| snapshot.get(&one.name).unwrap().seat().ejections());
    assert_eq!(each, [1, 1, 1, 1, 0]);
}

#[tokio::test(start_paused = true)]
async fn what_is_left_of_a_lease_is_told() {
    let registry = Registry::new();
    let a = registry.register(member("a"), LEASE).unwrap();
    let b = registry.register(member("b"), Duration::MAX).unwrap();
    advance(LEASE / 2).await;
    assert_eq!((registry.lease_left(&a), registry.lease_left(&b)), (Ok(Some(LEASE / 2)), Ok(None)));
    registry.heartbeat(&a).unwrap();
    assert_eq!(registry.lease_left(&a), Ok(Some(LEASE)));
    advance(LEASE).await;
    assert_eq!(registry.lease_left(&a), Err(Gone));
    let other = Registration { generation: a.generation, ..b };
    assert_eq!(registry.lease_left(&other), Err(Gone));
}

#[tokio::test(start_paused = true)]
async fn what_a_request_is_expected_to_take_is_told_where_it_is_known() {
    let registry = Registry::new();
    registry.register(member("a"), LEASE).unwrap();
    let seat = std::sync::Arc::clone(registry.snapshot().get("a").unwrap().seat());
    assert_eq!(seat.expected(), None);
    seat.note(Outcome::Replied { ok: true }, Duration::from_millis(20));
    let expected = seat.expected().unwrap();
    assert!((19..=20).contains(&expected.as_millis()), "{expected:?}");
}

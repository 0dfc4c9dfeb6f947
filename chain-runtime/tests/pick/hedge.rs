//! A second try if the first one takes long: the first reply wins, and the other lease ends as cancelled.

use std::cell::{Cell, RefCell};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chain_runtime::around::{Budget, Hedge};
use chain_runtime::upstream::{Balance, Lease, NoUpstream, PeakEwma, Pick, Registry, RoundRobin, Totals, Tried};
use chain_runtime::{chain, node};
use futures_util::FutureExt as _;
use tokio::time::{Instant, sleep};

use crate::support::ALLOCATIONS;
use crate::{registry, seats};

const MS: Duration = Duration::from_millis(1);

/// As many second tries as anybody wants.
fn plenty() -> Budget {
    Budget::new(Duration::from_secs(60), 10_000, 1_000.0)
}

fn hedge(delay: Duration) -> Hedge {
    Hedge::after(delay).budget(plenty())
}

/// Tries that take so many milliseconds each: what came of it and when, and when each try began.
async fn race(hedge: &Hedge, may_repeat: bool, takes: &[u32]) -> (usize, Duration, Vec<Duration>) {
    let began = Instant::now();
    let tries = RefCell::new(Vec::new());
    let ask = || async {
        let number = tries.borrow().len();
        tries.borrow_mut().push(began.elapsed());
        sleep(takes[number] * MS).await;
        number
    };
    let won = hedge.race(may_repeat, ask).await;
    let took = began.elapsed();
    (won, took, tries.take())
}

#[tokio::test(start_paused = true)]
async fn the_second_try_begins_only_after_the_delay() {
    let hedge = hedge(50 * MS);
    assert_eq!(race(&hedge, true, &[49]).await, (0, 49 * MS, vec![Duration::ZERO]));
    assert_eq!(race(&hedge, true, &[0]).await, (0, Duration::ZERO, vec![Duration::ZERO]));
    let (won, took, tries) = race(&hedge, true, &[200, 30]).await;
    assert_eq!((won, tries.len()), (1, 2));
    assert!((50 * MS..52 * MS).contains(&tries[1]) && (80 * MS..83 * MS).contains(&took), "{tries:?} {took:?}");
}

#[tokio::test(start_paused = true)]
async fn the_first_reply_wins_whosever_it_is() {
    let hedge = hedge(50 * MS);
    let (won, took, tries) = race(&hedge, true, &[70, 100]).await;
    assert_eq!((won, took, tries.len()), (0, 70 * MS, 2));
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_sent_twice_is_not() {
    assert_eq!(race(&hedge(50 * MS), false, &[500]).await, (0, 500 * MS, vec![Duration::ZERO]));
}

#[tokio::test(start_paused = true)]
async fn a_delay_without_end_is_none() {
    assert_eq!(race(&hedge(Duration::MAX), true, &[500]).await.0, 0);
}

#[tokio::test(start_paused = true)]
async fn a_budget_bounds_the_second_tries() {
    // A second try for four requests, and none besides.
    let hedge = Hedge::after(10 * MS).budget(Budget::new(Duration::from_secs(60), 0, 0.25));
    let mut second = 0;
    for _ in 0..40 {
        second += race(&hedge, true, &[30, 5]).await.2.len() - 1;
    }
    assert_eq!(second, 10);
}

/// What a try gives, and after how long.
async fn race_for_ok(tries: &[(u32, Result<u32, u32>)]) -> (Result<u32, u32>, Duration, usize) {
    let began = Instant::now();
    let next = Cell::new(0);
    let ask = || async {
        let (takes, gives) = tries[next.replace(next.get() + 1)];
        sleep(takes * MS).await;
        gives
    };
    let got = hedge(50 * MS).race_for(true, ask, Result::is_ok).await;
    (got, began.elapsed(), next.get())
}

#[tokio::test(start_paused = true)]
async fn what_does_not_win_waits_for_the_other() {
    // Before the delay it is kept.
    assert_eq!(race_for_ok(&[(10, Err(1))]).await, (Err(1), 10 * MS, 1));
    let (got, took, _) = race_for_ok(&[(60, Err(1)), (100, Ok(2))]).await;
    assert!(got == Ok(2) && took >= 150 * MS, "{got:?} {took:?}");
    let (got, took, _) = race_for_ok(&[(200, Ok(1)), (10, Err(2))]).await;
    assert_eq!((got, took), (Ok(1), 200 * MS));
    assert_eq!(race_for_ok(&[(60, Err(1)), (100, Err(2))]).await.0, Err(2));
    assert_eq!(race_for_ok(&[(200, Err(1)), (10, Err(2))]).await.0, Err(1));
}

/// By the member's number: it takes so many milliseconds, in steps of ten.
struct Takes(Vec<u32>);

/// Who has replied, and who was asked.
#[derive(Debug)]
struct Reply {
    won: usize,
    asked: Vec<usize>,
}

type Members = Pick<usize, RoundRobin>;

#[node]
async fn ask(takes: &Takes, pick: &Members, hedge: &Hedge) -> Result<Reply, NoUpstream> {
    let (tried, asked) = (Tried::new(), Mutex::new(Vec::new()));
    let ask = || async {
        let lease: Lease<usize> = pick.lease_beside(&tried)?;
        let member = *lease.endpoint();
        asked.lock().unwrap().push(member);
        for _ in 0..takes.0[member] / 10 {
            sleep(10 * MS).await;
        }
        lease.replied(true);
        Ok(member)
    };
    let won = hedge.race(true, ask).await?;
    Ok(Reply { won, asked: asked.into_inner().unwrap() })
}

chain! {
    #[send]
    struct Gateway { takes: Takes, pick: Members, hedge: Hedge }
    async fn() -> Result<Reply, NoUpstream> { ask }
}

fn gateway(registry: &Arc<Registry<usize>>, takes: &[u32]) -> Gateway {
    let pick = Pick::new(Arc::clone(registry), RoundRobin::new());
    Gateway { takes: Takes(takes.to_vec()), pick, hedge: hedge(45 * MS) }
}

fn totals(registry: &Registry<usize>) -> Vec<Totals> {
    seats(registry).iter().map(|seat| seat.totals()).collect()
}

fn in_flight(registry: &Registry<usize>) -> usize {
    seats(registry).iter().map(|seat| seat.in_flight()).sum()
}

#[tokio::test(start_paused = true)]
async fn the_lease_of_the_one_that_is_dropped_is_cancelled_at_whichever_await_it_stands() {
    for takes in [60, 90, 140, 1_000] {
        let registry = registry(2);
        let reply = gateway(&registry, &[takes, 10]).run().await.unwrap();
        assert_eq!((reply.won, reply.asked), (1, vec![0, 1]), "{takes}");
        let totals = totals(&registry);
        assert_eq!((in_flight(&registry), totals[0].cancelled, totals[1].ok), (0, 1, 1), "{totals:?}");
        assert_eq!(totals.iter().map(Totals::all).sum::<u64>(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_dropped_at_any_time_returns_all_leases_once() {
    for patience in (1..130).step_by(10) {
        let registry = registry(3);
        let gateway = gateway(&registry, &[100; 3]);
        let replied = tokio::time::timeout(patience * MS, gateway.run()).await.is_ok();
        let totals = totals(&registry);
        let sum = |of: fn(&Totals) -> u64| totals.iter().map(of).sum::<u64>();
        let tries = if patience < 45 { 1 } else { 2 };
        let ok = sum(|totals| totals.ok);
        assert_eq!((in_flight(&registry), ok, sum(Totals::all)), (0, u64::from(replied), tries), "after {patience} ms");
        assert_eq!(sum(|totals| totals.cancelled), tries - ok);
    }
}

#[tokio::test(start_paused = true)]
async fn the_two_never_go_to_the_same_member_while_there_is_another() {
    for members in [2, 3] {
        let gateway = gateway(&registry(members), &[100; 3]);
        let running = (0..20).map(|_| gateway.run());
        for reply in futures_util::future::join_all(running).await {
            let asked = reply.unwrap().asked;
            assert!(asked.len() == 2 && asked[0] != asked[1], "{asked:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_alone_is_asked_twice() {
    let registry = registry(1);
    assert_eq!(gateway(&registry, &[100]).run().await.unwrap().asked, [0, 0]);
    let totals = totals(&registry);
    assert_eq!((totals[0].ok, totals[0].cancelled), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_one_try_returns_the_other_lease_as_well() {
    let registry = registry(2);
    let pick = Pick::new(Arc::clone(&registry), RoundRobin::new());
    let tried = Tried::new();
    let ask = || async {
        let lease = pick.lease_beside(&tried).unwrap();
        sleep((100 - 90 * *lease.endpoint() as u32) * MS).await;
        // Without the message that a panic prints.
        std::panic::resume_unwind(Box::new(()));
    };
    assert!(AssertUnwindSafe(hedge(50 * MS).race(true, ask)).catch_unwind().await.is_err());
    assert_eq!((in_flight(&registry), totals(&registry).iter().map(Totals::all).sum::<u64>()), (0, 2));
}

#[tokio::test(start_paused = true)]
async fn the_delay_finds_the_p95_of_what_is_seen() {
    fastrand::seed(7);
    for begins in [MS, 10_000 * MS] {
        let hedge = Hedge::after_p95(begins).budget(plenty());
        assert_eq!(hedge.delay(), begins);
        let (mut second, mut delays) = (0, Vec::new());
        for number in 0..8_000 {
            // 10 to 110 ms, so the p95 is 105.
            let takes = [(); 2].map(|()| fastrand::u32(10..=110));
            let tries = race(&hedge, true, &takes).await.2.len();
            if number >= 4_000 {
                second += tries - 1;
                delays.push(hedge.delay());
            }
        }
        delays.sort_unstable();
        let median = delays[delays.len() / 2];
        println!("from {begins:?}: the delay is {median:?}, {second} second tries of 4,000");
        assert!((95 * MS..115 * MS).contains(&median), "{median:?}");
        assert!((140..260).contains(&second), "{second}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_fails_at_once_does_not_lower_the_delay() {
    let hedge = Hedge::after_p95(50 * MS);
    for _ in 0..100 {
        assert_eq!(hedge.race_for(true, || async { Err::<(), ()>(()) }, Result::is_ok).await, Err(()));
    }
    assert_eq!(hedge.delay(), 50 * MS);
    assert_eq!(hedge.race_for(true, || async { Ok::<(), ()>(()) }, Result::is_ok).await, Ok(()));
    assert!(hedge.delay() < 50 * MS);
}

#[tokio::test(start_paused = true)]
async fn a_race_allocates_nothing() {
    let gateway = gateway(&registry(2), &[100, 100]);
    let hedge = &gateway.hedge;
    let race = || async {
        let (tried, pick) = (Tried::new(), &gateway.pick);
        let ask = || async {
            let lease = pick.lease_beside(&tried).unwrap();
            sleep(100 * MS).await;
            lease.replied(true);
        };
        hedge.race(true, ask).await;
    };
    race().await;
    let before = ALLOCATIONS.get();
    for _ in 0..100 {
        race().await;
    }
    assert_eq!(ALLOCATIONS.get() - before, 0);
}

/// What is slow, ten times.
#[derive(Clone, Copy)]
enum Slow {
    /// All requests to the first of ten members.
    OneMember,
    /// Two of a hundred requests, whoever is asked.
    Some,
}

/// The p99 of 10,000 requests, one each 2 ms, to ten members; and the share of second tries.
async fn p99<B>(balance: B, slow: Slow, hedge: Option<Hedge>) -> (Duration, f64)
where
    B: Balance<usize, Table: Send + Sync> + Send + Sync + 'static,
{
    fastrand::seed(7);
    let (pick, hedge) = (Arc::new(Pick::new(registry(10), balance)), Arc::new(hedge));
    let (took, tries) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
    for _ in 0..10_000 {
        let (pick, hedge, took, tries) = (pick.clone(), hedge.clone(), took.clone(), tries.clone());
        tokio::spawn(async move {
            let (began, tried) = (Instant::now(), Tried::new());
            let ask = || async {
                let lease = pick.lease_beside(&tried).unwrap();
                tries.fetch_add(1, Relaxed);
                let is_slow = match slow {
                    Slow::OneMember => *lease.endpoint() == 0,
                    Slow::Some => fastrand::u32(..100) < 2,
                };
                sleep(fastrand::u32(20..=40) * if is_slow { 10 } else { 1 } * MS).await;
                lease.replied(true);
            };
            match &*hedge {
                Some(hedge) => hedge.race(true, ask).await,
                None => ask().await,
            }
            took.lock().unwrap().push(began.elapsed());
        });
        sleep(2 * MS).await;
    }
    sleep(1_000 * MS).await;
    let mut took = std::mem::take(&mut *took.lock().unwrap());
    took.sort_unstable();
    assert_eq!(took.len(), 10_000);
    (took[9_900], tries.load(Relaxed) as f64 / 10_000.0 - 1.0)
}

/// A fifth of the requests at most, and none for each second.
fn some(hedge: Hedge) -> Option<Hedge> {
    Some(hedge.budget(Budget::new(Duration::from_secs(10), 0, 0.2)))
}

#[tokio::test(start_paused = true)]
async fn one_of_ten_that_is_slow_is_not_seen_in_the_p99_where_there_is_a_second_try() {
    let (alone, _) = p99(RoundRobin::new(), Slow::OneMember, None).await;
    let (fixed, fixed_share) = p99(RoundRobin::new(), Slow::OneMember, some(Hedge::after(45 * MS))).await;
    let (p95, p95_share) = p99(RoundRobin::new(), Slow::OneMember, some(Hedge::after_p95(45 * MS))).await;
    let (p85, p85_share) = p99(RoundRobin::new(), Slow::OneMember, some(Hedge::after_quantile(0.85, 45 * MS))).await;
    println!(
        "one of ten is slow, round robin: p99 {alone:?}; with a second try after 45 ms {fixed:?} ({fixed_share:.3}), \
         the p95 {p95:?} ({p95_share:.3}), the p85 {p85:?} ({p85_share:.3})"
    );
    let (peak, _) = p99(PeakEwma::new(), Slow::OneMember, None).await;
    let (both, share) = p99(PeakEwma::new(), Slow::OneMember, some(Hedge::after_p95(45 * MS))).await;
    println!("the same, peak EWMA: p99 {peak:?}; with a second try after the p95 {both:?} ({share:.3})");
    assert!(alone >= 300 * MS, "or this shows nothing: {alone:?}");
    assert!(fixed < 100 * MS && (0.09..0.12).contains(&fixed_share), "{fixed:?} {fixed_share}");
    assert!(p85 < 100 * MS && (0.1..0.17).contains(&p85_share), "{p85:?} {p85_share}");
}

#[tokio::test(start_paused = true)]
async fn requests_that_are_slow_here_and_there_are_not_seen_in_the_p99_where_there_is_a_second_try() {
    let (alone, _) = p99(PeakEwma::new(), Slow::Some, None).await;
    let (p95, share) = p99(PeakEwma::new(), Slow::Some, some(Hedge::after_p95(45 * MS))).await;
    println!(
        "two of a hundred are slow, peak EWMA: p99 {alone:?}; with a second try after the p95 {p95:?} ({share:.3})"
    );
    assert!(alone >= 200 * MS, "or this shows nothing: {alone:?}");
    assert!(p95 < 100 * MS && (0.04..0.06).contains(&share), "{p95:?} {share}");
}

//! A block that runs again takes another member than those that it has tried.

use std::collections::HashSet;
use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chain_runtime::around::{Backoff, Budget, Retry};
use chain_runtime::nodes::User;
use chain_runtime::upstream::{
    Ask, Balance, Candidate, Lease, LeastRequests, Member, NoUpstream, PeakEwma, Pick, PickBy, Registry, Ring,
    RoundRobin, Subset, Tried, Untried, Zoned, tried,
};
use chain_runtime::{IntoReply, chain, node};
use futures_util::FutureExt as _;
use proptest::prelude::*;

use crate::{registry, seats};

/// Whom the tries of a request go to.
fn tries<B: Balance<usize>>(pick: &Pick<usize, B>, times: usize) -> Vec<usize> {
    let tried = Tried::new();
    (0..times).map(|_| *pick.lease_beside(&tried).unwrap().endpoint()).collect()
}

fn nobody_is_tried_twice<B: Balance<usize>>(balance: impl Fn() -> B) {
    fastrand::seed(7);
    for members in [1, 2, 3, 8, 100] {
        let weighed = Registry::new();
        for number in 0..members {
            // Drawing by weight alone finds the first one nearly always.
            let member = Member::new(format!("{number:04}"), number).weight(if number == 0 { 10_000 } else { 1 });
            let zone = if number % 2 == 0 { "a" } else { "b" };
            weighed.register(member.zone(zone), Duration::MAX).unwrap();
        }
        for registry in [registry(members), Arc::new(weighed)] {
            let pick = Pick::new(registry, balance());
            for _ in 0..200 {
                let tries = tries(&pick, members.min(8));
                assert_eq!(tries.iter().collect::<HashSet<_>>().len(), tries.len(), "{tries:?}");
            }
        }
    }
}

/// Takes the last one, whoever was tried.
struct Last;

impl<T> Balance<T> for Last {
    type Table = ();

    fn table(&self, _: &[Candidate<T>]) {}

    fn pick<'a>(&'a self, candidates: &'a [Candidate<T>], (): &'a (), _: &Ask<'_>) -> &'a Candidate<T> {
        &candidates[candidates.len() - 1]
    }
}

#[test]
fn nobody_is_tried_twice_while_there_is_another() {
    nobody_is_tried_twice(PeakEwma::new);
    nobody_is_tried_twice(LeastRequests::new);
    nobody_is_tried_twice(RoundRobin::new);
    nobody_is_tried_twice(Ring::new);
    nobody_is_tried_twice(|| Zoned::new("a", PeakEwma::new()));
    nobody_is_tried_twice(|| Zoned::new("a", Ring::new()).spill_over_at(1));
    // Beyond its part, where that has two or three.
    nobody_is_tried_twice(|| Subset::numbered(0, 50, PeakEwma::new()).members(2));
    nobody_is_tried_twice(|| Last);
}

fn who_is_alone_is_tried_again(balance: impl Balance<usize>) {
    assert_eq!(tries(&Pick::new(registry(1), balance), 5), [0; 5]);
}

#[test]
fn a_member_that_is_alone_is_tried_again() {
    who_is_alone_is_tried_again(PeakEwma::new());
    who_is_alone_is_tried_again(LeastRequests::new());
    who_is_alone_is_tried_again(RoundRobin::new());
    who_is_alone_is_tried_again(Ring::new());
    who_is_alone_is_tried_again(Zoned::new("a", PeakEwma::new()));
    who_is_alone_is_tried_again(Last);
}

#[test]
fn where_all_were_tried_the_balancer_says_who_is_next() {
    let pick = Pick::new(registry(3), Last);
    assert_eq!(tries(&pick, 6)[3..], [2, 2, 2]);
}

#[test]
fn who_is_not_ready_is_not_taken_for_another() {
    let registry = registry(3);
    let pick = Pick::new(Arc::clone(&registry), PeakEwma::new());
    registry.drain(seats(&registry)[1].registration()).unwrap();
    for _ in 0..100 {
        let tries = tries(&pick, 4);
        assert!(!tries.contains(&1) && tries[0] != tries[1], "{tries:?}");
    }
}

#[test]
fn a_new_generation_was_not_tried() {
    let registry = registry(1);
    let pick = Pick::new(Arc::clone(&registry), LeastRequests::new());
    let tried = Tried::new();
    let first = pick.lease_beside(&tried).unwrap().seat().generation();
    registry.register(Member::new("0000", 0), Duration::MAX).unwrap();
    let second = pick.lease_beside(&tried).unwrap().seat().generation();
    assert!(tried.contains(first) && tried.contains(second) && first != second);
}

#[test]
fn a_key_goes_on_to_the_next_along_the_ring() {
    let registry = registry(10);
    let pick: PickBy<User, usize, Ring> = Pick::new(Arc::clone(&registry), Ring::new()).by();
    for user in 0..100 {
        let user = User::new(format!("user-{user}")).unwrap();
        let tried = Tried::new();
        let owner = pick.lease_beside(&user, &tried).unwrap().seat().registration().clone();
        let next = *pick.lease_beside(&user, &tried).unwrap().endpoint();
        assert_eq!(*owner.name, *pick.lease(&user).unwrap().seat().name());
        // It is the one to which the key belongs where its owner is gone.
        registry.remove(&owner).unwrap();
        assert_eq!(next, *pick.lease(&user).unwrap().endpoint());
        registry.register(Member::new(&*owner.name, owner.name.parse().unwrap()), Duration::MAX).unwrap();
    }
}

#[test]
fn among_the_others_the_better_of_two_is_taken() {
    fastrand::seed(7);
    let registry = registry(4);
    let seats = seats(&registry);
    for seat in &seats {
        seat.note(chain_runtime::upstream::Outcome::Replied { ok: true }, Duration::from_millis(10));
    }
    let busy: Vec<_> = (0..20).map(|_| seats[3].begin().unwrap()).collect();
    let pick = Pick::new(registry, PeakEwma::new());
    let mut seen = [0; 4];
    for _ in 0..1_000 {
        let tried = Tried::new();
        tried.add(seats[0].generation());
        seen[*pick.lease_beside(&tried).unwrap().endpoint()] += 1;
    }
    drop(busy);
    assert!(seen[0] == 0 && seen[1] > 300 && seen[2] > 300 && seen[3] == 0, "{seen:?}");
}

/// What a try comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Try {
    Replies,
    /// It replies that it fails, and says so of its lease.
    Fails,
    /// It replies that it fails, and says nothing.
    FailsSilently,
    Hangs,
    Breaks,
    Panics,
}

#[derive(Debug, PartialEq)]
enum Reply {
    Ok,
    Failed,
    Late,
    Broken,
    NoUpstream,
}

impl IntoReply<Reply> for NoUpstream {
    fn into_reply(self) -> Reply {
        Reply::NoUpstream
    }
}

struct Broken;

impl IntoReply<Reply> for Broken {
    fn into_reply(self) -> Reply {
        Reply::Broken
    }
}

struct Late;

impl IntoReply<Reply> for Late {
    fn into_reply(self) -> Reply {
        Reply::Late
    }
}

/// What each member does, and who was asked.
struct Script {
    does: Vec<Try>,
    asked: Mutex<Vec<usize>>,
}

#[node]
async fn ask(script: &Script, lease: &Lease<usize>) -> Result<Reply, Broken> {
    let member = *lease.endpoint();
    script.asked.lock().unwrap().push(member);
    match script.does[member] {
        Try::Replies => return Ok(Reply::Ok),
        Try::Fails => lease.failed(),
        Try::FailsSilently => {}
        Try::Hangs => pending().await,
        Try::Breaks => return Err(Broken),
        // Without the message that a panic prints.
        Try::Panics => resume_unwind(Box::new(())),
    }
    Ok(Reply::Failed)
}

/// Gives each try so long.
struct Attempt(Duration);

#[node]
impl Attempt {
    async fn around<B: Future>(&self, block: Pin<&mut B>) -> Result<B::Output, Late> {
        tokio::time::timeout(self.0, block).await.map_err(|_| Late)
    }
}

type Again = Retry<fn(&Reply) -> bool>;

chain! {
    struct Gateway<B: Balance<usize>> { script: Script, again: Again, attempt: Attempt, pick: Untried<Pick<usize, B>> }
    async fn() -> Reply { tried => again { attempt { pick => ask } } }
}

chain! {
    struct Carts { script: Script, again: Again, pick: Untried<PickBy<User, usize, Ring>> }
    async fn(user: User) -> Reply { tried => again { pick => ask } }
}

const MS: Duration = Duration::from_millis(1);

fn again(attempts: u32) -> Again {
    Retry::new((|reply: &Reply| *reply != Reply::Ok) as fn(&Reply) -> bool)
        .attempts(attempts)
        .backoff(Backoff::exponential(MS, MS))
        .budget(Budget::new(Duration::from_secs(60), 1_000, 1_000.0))
}

fn gateway<B: Balance<usize>>(registry: &Arc<Registry<usize>>, balance: B, does: &[Try], attempts: u32) -> Gateway<B> {
    Gateway {
        script: Script { does: does.to_vec(), asked: Mutex::default() },
        again: again(attempts),
        attempt: Attempt(100 * MS),
        pick: Pick::new(Arc::clone(registry), balance).untried(),
    }
}

/// All but one of the members do this, and each request finds the one that replies.
async fn finds_the_one_that_replies(does: Try) {
    let registry = registry(3);
    let gateway = gateway(&registry, Last, &[Try::Replies, does, does], 3);
    for _ in 0..30 {
        assert_eq!(gateway.run().await, Reply::Ok, "{does:?}");
        let asked = std::mem::take(&mut *gateway.script.asked.lock().unwrap());
        assert_eq!(asked.iter().collect::<HashSet<_>>().len(), asked.len(), "{asked:?}");
    }
    assert!(seats(&registry).iter().all(|seat| seat.in_flight() == 0));
}

#[tokio::test(start_paused = true)]
async fn a_retry_goes_to_another_member_whatever_became_of_the_try() {
    for does in [Try::Fails, Try::FailsSilently, Try::Hangs, Try::Breaks] {
        finds_the_one_that_replies(does).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_goes_to_the_same_member_where_there_is_no_other() {
    let registry = registry(1);
    let gateway = gateway(&registry, PeakEwma::new(), &[Try::Fails], 3);
    assert_eq!(gateway.run().await, Reply::Failed);
    assert_eq!(*gateway.script.asked.lock().unwrap(), [0, 0, 0]);
    assert_eq!(seats(&registry)[0].totals().failed, 3);
}

#[tokio::test(start_paused = true)]
async fn the_next_request_has_tried_nobody() {
    let registry = registry(2);
    let gateway = gateway(&registry, Last, &[Try::Replies, Try::Fails], 2);
    for _ in 0..3 {
        assert_eq!(gateway.run().await, Reply::Ok);
    }
    assert_eq!(*gateway.script.asked.lock().unwrap(), [1, 0, 1, 0, 1, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_retry_by_a_key_goes_to_another_member() {
    let pick = Pick::new(registry(2), Ring::new()).by().untried();
    let does = vec![Try::Fails, Try::Replies];
    let carts = Carts { script: Script { does, asked: Mutex::default() }, again: again(2), pick };
    for user in 0..20 {
        assert_eq!(carts.run(User::new(format!("user-{user}")).unwrap()).await, Reply::Ok);
    }
    assert!(carts.script.asked.lock().unwrap().contains(&0), "or this shows nothing");
}

fn does() -> impl Strategy<Value = Try> {
    prop_oneof![
        Just(Try::Replies),
        Just(Try::Fails),
        Just(Try::FailsSilently),
        Just(Try::Hangs),
        Just(Try::Breaks),
        Just(Try::Panics),
    ]
}

proptest! {
    #[test]
    fn each_try_returns_its_lease_once(
        does in proptest::collection::vec(does(), 1..6),
        attempts in 1..5_u32,
        // When each request is given up, in milliseconds.
        requests in proptest::collection::vec(0..500_u64, 1..8),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let _entered = runtime.enter();
        let registry = registry(does.len());
        let gateway = gateway(&registry, LeastRequests::new(), &does, attempts);
        let mut asked_before = 0;
        for patience in requests {
            let run = tokio::time::timeout(Duration::from_millis(patience), gateway.run());
            _ = catch_unwind(AssertUnwindSafe(|| runtime.block_on(run)));
            let asked = gateway.script.asked.lock().unwrap_or_else(|asked| asked.into_inner()).clone();
            let tries = &asked[asked_before..];
            asked_before = asked.len();
            prop_assert!(tries.len() <= attempts as usize);
            let different = tries.iter().collect::<HashSet<_>>().len();
            prop_assert_eq!(different, tries.len().min(does.len()), "{:?}", tries);
            let seats = seats(&registry);
            for (seat, does) in seats.iter().zip(&does) {
                let times = asked.iter().filter(|asked| **asked == *seat.endpoint()).count() as u64;
                let totals = seat.totals();
                prop_assert_eq!((seat.in_flight(), totals.all()), (0, times));
                let counted = match does {
                    Try::Replies | Try::FailsSilently => totals.ok,
                    Try::Fails => totals.failed,
                    Try::Hangs | Try::Breaks => totals.cancelled,
                    Try::Panics => totals.panicked,
                };
                prop_assert_eq!(counted, times, "{:?} {:?}", does, totals);
            }
        }
    }
}

#[test]
fn a_run_that_is_dropped_during_the_pause_has_nothing_in_flight() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let _entered = runtime.enter();
    let registry = registry(2);
    let gateway = gateway(&registry, Last, &[Try::Replies, Try::Fails], 2);
    let mut run = Box::pin(gateway.run());
    assert!(run.as_mut().now_or_never().is_none());
    assert_eq!(*gateway.script.asked.lock().unwrap(), [1]);
    assert!(seats(&registry).iter().all(|seat| seat.in_flight() == 0));
    drop(run);
    assert_eq!(seats(&registry)[1].totals().all(), 1);
}

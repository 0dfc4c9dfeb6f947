//! How often each key may ask.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use chain_nodes_tests::head;
use chain_runtime::nodes::auth::{ApiKeys, Auth};
use chain_runtime::nodes::rate_limit::{FailureLimit, RateLimit, TooManyRequests};
use chain_runtime::nodes::{Key, Peer, User};
use chain_runtime::{chain, node};
use governor::Quota;
use governor::clock::FakeRelativeClock;
use http::Response;
use http::request::Parts;
use proptest::prelude::*;

fn number(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).expect("not nought")
}

fn user(name: &str) -> User {
    User::new(name).expect("a name")
}

fn peer(address: &str) -> Peer {
    address.parse::<SocketAddr>().expect("an address").into()
}

/// A key that is a number.
struct Number(u32);

impl Key for Number {
    fn feed<H: Hasher>(&self, hasher: &mut H) {
        self.0.hash(hasher);
    }
}

/// Two a second, three at once.
fn limit<K: Key>(clock: &FakeRelativeClock) -> RateLimit<K, FakeRelativeClock> {
    RateLimit::with_clock(Quota::per_second(number(2)), clock.clone()).burst(number(3))
}

#[test]
fn a_key_may_ask_again_when_it_was_told_to() {
    let clock = FakeRelativeClock::default();
    let limit = limit(&clock);
    let alice = user("alice");
    for _ in 0..3 {
        limit.check(&alice).expect("a burst of three");
    }
    let wait = limit.check(&alice).expect_err("a fourth").wait();
    assert_eq!(wait, Duration::from_millis(500));
    assert_eq!(limit.check(&alice).expect_err("refusing costs nothing").wait(), wait);
    clock.advance(wait - Duration::from_nanos(1));
    limit.check(&alice).expect_err("a moment too early");
    clock.advance(Duration::from_nanos(1));
    limit.check(&alice).expect("two a second");
    limit.check(&user("bob")).expect("bob has a quota of his own");
}

#[test]
fn threads_share_one_quota() {
    let clock = FakeRelativeClock::default();
    let limit = RateLimit::with_clock(Quota::per_second(number(1)).allow_burst(number(100)), clock);
    let alice = user("alice");
    let ask = || (0..200).filter(|_| limit.check(&alice).is_ok()).count();
    let let_through: usize = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
        asking.into_iter().map(|asking| asking.join().expect("no panic")).sum()
    });
    assert_eq!(let_through, 100);
}

#[test]
fn a_look_takes_nothing() {
    let clock = FakeRelativeClock::default();
    let limit = limit(&clock);
    let alice = user("alice");
    for _ in 0..3 {
        limit.peek(&alice).expect("there is some left");
        limit.check(&alice).expect("a burst of three");
    }
    assert_eq!(limit.peek(&alice), limit.check(&alice));
    limit.peek(&alice).expect_err("used up");
}

#[test]
fn peers_are_told_apart_by_their_network() {
    let clock = FakeRelativeClock::default();
    let limit = limit(&clock);
    let used_up = |address| (0..4).map(|_| limit.check(&peer(address))).any(|checked| checked.is_err());
    assert!(used_up("[2001:db8:0:1::1]:1"));
    limit.check(&peer("[2001:db8:0:1:ffff::2]:1")).expect_err("the same customer");
    limit.check(&peer("[2001:db8:0:2::1]:1")).expect("the next one");
    assert!(used_up("192.0.2.1:1"));
    limit.check(&peer("[::ffff:192.0.2.1]:2")).expect_err("the same address in an IPv6 socket");
    limit.check(&peer("192.0.2.2:1")).expect("the next address");
}

#[test]
fn whoever_makes_up_keys_gets_no_memory_and_does_not_free_who_used_up_the_quota() {
    let clock = FakeRelativeClock::default();
    let limit: RateLimit<User, _> = limit(&clock).keys(1_024);
    let abuser = user("abuser");
    for _ in 0..3 {
        limit.check(&abuser).expect("a burst of three");
    }
    for made_up in 0..1_000_000_u32 {
        limit.check(&user(&made_up.to_string())).expect("who is new may ask");
    }
    limit.check(&abuser).expect_err("it is still known");
    assert!(limit.forgotten() > 900_000, "{} of a million were forgotten", limit.forgotten());
    // Those that are full again make room without being counted.
    clock.advance(Duration::from_secs(2));
    let forgotten = limit.forgotten();
    limit.check(&user("alice")).expect("who is new may ask");
    limit.check(&abuser).expect("two a second");
    assert_eq!(limit.forgotten(), forgotten);
}

#[test]
fn a_key_may_be_as_long_as_it_likes() {
    let clock = FakeRelativeClock::default();
    let limit = limit(&clock);
    let long = |end: &str| "x".repeat(1_000_000) + end;
    assert!((0..4).map(|_| limit.check(&long("a"))).any(|checked| checked.is_err()));
    limit.check(&long("b")).expect("it differs in its last letter");
}

#[test]
#[should_panic(expected = "a hundred years")]
fn a_quota_that_no_clock_can_count_is_refused() {
    let _: RateLimit<User> = RateLimit::new(Quota::per_hour(number(1))).burst(number(u32::MAX));
}

#[node]
fn greet(user: &User) -> Response<String> {
    Response::new(user.to_string())
}

chain! {
    struct Guarded {
        by_peer: RateLimit<Peer>,
        wrong: FailureLimit<Peer>,
        auth: Auth,
        by_user: RateLimit<User>,
    }
    fn(request: Parts, peer: Peer) -> Response<String> { by_peer => wrong => auth => by_user => greet }
}

const ALICE: &str = "alice-0123456789";

fn guarded() -> Guarded {
    // One an hour: none comes back while the test runs.
    let limit = |burst| Quota::per_hour(number(1)).allow_burst(number(burst));
    Guarded {
        by_peer: RateLimit::new(limit(100)),
        wrong: FailureLimit::new(RateLimit::new(limit(10))),
        auth: Auth::new("r").api_keys(ApiKeys::new([("alice", ALICE)]).expect("good")),
        by_user: RateLimit::new(limit(20)),
    }
}

impl Guarded {
    fn ask(&self, address: &str, key: &str) -> Response<String> {
        self.run(head(&[("x-api-key", key)]), peer(address))
    }
}

#[test]
fn who_guesses_is_stopped_after_the_burst_and_nobody_else_is() {
    let guarded = guarded();
    let statuses: Vec<u16> = (0..500).map(|_| guarded.ask("192.0.2.1:1", "guessed").status().as_u16()).collect();
    assert!(statuses[..10].iter().all(|&status| status == 401));
    assert!(statuses[10..].iter().all(|&status| status == 429));
    assert_eq!(guarded.ask("192.0.2.1:1", ALICE).status(), 429, "not even with the right key");
    for _ in 0..20 {
        assert_eq!(guarded.ask("192.0.2.2:1", ALICE).status(), 200, "what succeeds is not counted");
    }
}

#[test]
fn a_peer_and_a_user_have_a_limit_each() {
    let guarded = guarded();
    let ask = |at: u32| guarded.ask(&format!("192.0.2.{}:1", at % 20), ALICE);
    assert!((0..20).all(|at| ask(at).status() == 200));
    let reply = ask(20);
    assert_eq!(reply.status(), 429, "from wherever it comes, it is one user");
    assert_eq!(reply.headers()["retry-after"], "3600");
    let refused = (0..101).filter(|_| guarded.ask("192.0.2.99:1", ALICE).status() == 429).count();
    assert_eq!(refused, 101);
}

/// GCRA as it stands in the books, for one key.
#[derive(Default)]
struct Model {
    full_at: u64,
}

impl Model {
    fn check(&mut self, now: u64, step: u64, burst: u32) -> Result<(), u64> {
        let full_at = self.full_at.max(now) + step;
        let earliest = full_at.saturating_sub(step * u64::from(burst));
        if earliest > now {
            return Err(earliest - now);
        }
        self.full_at = full_at;
        Ok(())
    }
}

proptest! {
    #[test]
    fn it_decides_as_the_algorithm_does(
        rate in 1_u32..1_000,
        burst in 1_u32..20,
        requests in prop::collection::vec((0_u32..12, 0_u64..400_000_000), 1..300),
    ) {
        let clock = FakeRelativeClock::default();
        let quota = Quota::per_second(number(rate)).allow_burst(number(burst));
        let limit = RateLimit::with_clock(quota, clock.clone());
        let step = u64::try_from(quota.replenish_interval().as_nanos()).expect("a second at most");
        let (mut models, mut now) = (HashMap::<u32, Model>::new(), 0);
        for (key, pause) in requests {
            // Half of the requests come at once.
            let pause = pause.saturating_sub(200_000_000);
            clock.advance(Duration::from_nanos(pause));
            now += pause;
            let said = limit.check(&Number(key)).map_err(|refused: TooManyRequests| refused.wait());
            let right = models.entry(key).or_default().check(now, step, burst).map_err(Duration::from_nanos);
            prop_assert_eq!(said, right);
        }
        prop_assert_eq!(limit.forgotten(), 0);
    }

    #[test]
    fn where_there_is_no_room_who_has_not_asked_for_long_is_let_through(
        requests in prop::collection::vec((0_u32..200, 0_u64..50_000_000), 1..600),
    ) {
        let clock = FakeRelativeClock::default();
        let quota = Quota::per_second(number(5)).allow_burst(number(4));
        let limit = RateLimit::with_clock(quota, clock.clone()).keys(16);
        let (mut asked, mut now) = (HashMap::<u32, u64>::new(), 0);
        for (key, pause) in requests {
            clock.advance(Duration::from_nanos(pause));
            now += pause;
            let said = limit.check(&Number(key)).is_ok();
            let full_again = asked.insert(key, now).is_none_or(|last| now - last >= 4 * 200_000_000);
            prop_assert!(said || !full_again);
        }
    }
}

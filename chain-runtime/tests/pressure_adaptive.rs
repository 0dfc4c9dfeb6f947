//! `Adaptive` as a node: which requests are let in, wait, or are turned away, and what is given back.
#![cfg(all(feature = "pressure", feature = "http"))]

mod support;

use std::future::{Future, pending, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use chain_runtime::around::{Deadline, Expired};
use chain_runtime::nodes::Key;
use chain_runtime::pressure::{
    Adaptive, Aimd, Anyone, ByPriority, Fair, Fixed, Level, LevelCell, Limit, Priority, Reason, TurnedAway,
};
use chain_runtime::{chain, node};
use futures_util::FutureExt as _;
use futures_util::future::join_all;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use http::{Request, Response};
use support::ALLOCATIONS;
use tokio::sync::oneshot;
use tokio::time::{advance, sleep};

const MS: Duration = Duration::from_millis(1);

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(future)
}

fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

async fn ask<L: Limit, B: Future>(limit: &Adaptive<Anyone, L>, block: B) -> Result<B::Output, TurnedAway> {
    limit.around(pin!(block)).await
}

async fn ask_as<B: Future>(limit: &Ranked, priority: Priority, block: B) -> Result<B::Output, TurnedAway> {
    limit.around(&limit.enter(&priority), pin!(block)).await
}

/// Whether a panic of the block goes on to who polls.
async fn panics<L: Limit>(limit: &Adaptive<Anyone, L>) -> bool {
    AssertUnwindSafe(ask(limit, async { panic!("on purpose") })).catch_unwind().await.is_err()
}

struct User(u32);

impl Key for User {
    fn feed<H: std::hash::Hasher>(&self, hasher: &mut H) {
        std::hash::Hash::hash(&self.0, hasher);
    }
}

type Plain = Adaptive<Anyone, Fixed>;
type Ranked = Adaptive<ByPriority, Fixed>;
type Shared = Adaptive<Fair<User>, Fixed>;

fn reason<T: std::fmt::Debug>(outcome: Result<T, TurnedAway>) -> Reason {
    outcome.unwrap_err().reason
}

// Room

#[test]
fn as_many_run_as_the_limit_says_and_the_rest_waits() {
    run(async {
        let limit = Plain::fixed(2).queue(8);
        let (mut one, mut two) = (pin!(ask(&limit, pending::<()>())), pin!(ask(&limit, sleep(20 * MS))));
        let mut three = pin!(ask(&limit, async { 3 }));
        assert!(
            poll(one.as_mut()).is_pending() && poll(two.as_mut()).is_pending() && poll(three.as_mut()).is_pending()
        );
        let status = limit.status();
        assert_eq!((status.in_flight, status.waiting_in_all(), status.limit), (2, 1, 2));
        assert_eq!(two.await, Ok(()));
        assert_eq!(three.await, Ok(3));
        assert_eq!((limit.status().in_flight, limit.status().turned_away_in_all()), (1, 0));
    });
}

#[test]
fn a_limit_of_none_lets_none_pass() {
    run(async {
        let limit = Plain::fixed(0).queue(8);
        assert_eq!(reason(ask(&limit, async {}).await), Reason::Late);
        assert_eq!(reason(ask(&Plain::fixed(0).queue(0), async {}).await), Reason::Full);
    });
}

#[test]
fn without_a_queue_who_finds_no_room_is_turned_away_at_once() {
    run(async {
        let limit = Plain::fixed(1).queue(0);
        let mut one = pin!(ask(&limit, pending::<()>()));
        assert!(poll(one.as_mut()).is_pending());
        let polled = poll(pin!(ask(&limit, async {})));
        assert!(matches!(polled, Poll::Ready(Err(TurnedAway { reason: Reason::Full, .. }))), "{polled:?}");
        assert_eq!(limit.status().turned_away(Reason::Full, Priority::Default), 1);
    });
}

#[test]
fn a_permit_is_given_back_where_the_block_panics_or_is_dropped() {
    run(async {
        let limit = Plain::fixed(1).queue(1);
        assert!(panics(&limit).await);
        assert_eq!(limit.status().in_flight, 0);
        {
            let mut dropped = pin!(ask(&limit, pending::<()>()));
            assert!(poll(dropped.as_mut()).is_pending());
            assert_eq!(limit.status().in_flight, 1);
        }
        assert_eq!(limit.status().in_flight, 0);
    });
}

// The queue

/// Asks in this order while the one place is taken, and says who was served in which order.
async fn served(limit: &Ranked, asks: &[(u32, Priority)], after: Duration) -> Vec<u32> {
    let order = Mutex::new(Vec::new());
    let (release, released) = oneshot::channel::<()>();
    let mut holds = pin!(ask_as(limit, Priority::Default, released));
    let mut all = FuturesUnordered::new();
    assert!(poll(holds.as_mut()).is_pending());
    for (id, priority) in asks {
        let order = &order;
        let mut waits = ask_as(limit, *priority, async { order.lock().unwrap().push(*id) }).boxed_local();
        assert!(poll(waits.as_mut()).is_pending());
        all.push(waits);
    }
    advance(after).await;
    release.send(()).unwrap();
    let _ = holds.await;
    while all.next().await.is_some() {}
    assert_eq!((limit.status().in_flight, limit.status().waiting_in_all()), (0, 0));
    drop(all);
    order.into_inner().unwrap()
}

use Priority::{Critical, Sheddable};

#[test]
fn what_matters_more_is_served_first_and_else_who_came_first() {
    run(async {
        let limit = Ranked::fixed(1);
        let asks = [(1, Sheddable), (2, Priority::Default), (3, Critical), (4, Priority::Default), (5, Critical)];
        assert_eq!(served(&limit, &asks, MS).await, [3, 5, 2, 4, 1]);
    });
}

#[test]
fn under_overload_who_came_last_is_served_first() {
    run(async {
        let limit = Ranked::fixed(1).patience(20 * MS).target(100 * MS);
        // Somebody sheddable has waited for as long as the patience, and nobody critical has.
        let asks = [(1, Sheddable), (2, Critical), (3, Sheddable), (4, Critical)];
        let order = Mutex::new(Vec::new());
        let mut holds = pin!(ask_as(&limit, Critical, sleep(30 * MS)));
        assert!(poll(holds.as_mut()).is_pending());
        let asks = asks.map(|(id, priority)| {
            let (limit, order) = (&limit, &order);
            async move {
                // One a millisecond; whoever waits from before the queue was found to be overloaded goes after 20 ms.
                sleep((15 + id) * MS).await;
                ask_as(limit, priority, async { order.lock().unwrap().push(id) }).await
            }
        });
        let early = async {
            sleep(MS).await;
            ask_as(&limit, Sheddable, async { order.lock().unwrap().push(0) }).await
        };
        let (_, early, _) = tokio::join!(holds, early, join_all(asks));
        assert_eq!(reason(early), Reason::Late);
        assert_eq!(*order.lock().unwrap(), [2, 4, 3, 1]);
    });
}

#[test]
fn one_waits_for_as_long_as_the_patience_and_under_overload_for_as_long_as_the_target() {
    run(async {
        let limit = Plain::fixed(1).patience(50 * MS).target(5 * MS);
        let mut holds = pin!(ask(&limit, pending::<()>()));
        assert!(poll(holds.as_mut()).is_pending());
        let began = tokio::time::Instant::now();
        let wait = || async { (reason(ask(&limit, async {}).await), began.elapsed().as_millis()) };
        let later = |after: u64| async move { sleep(after as u32 * MS).await };
        let (first, second, third) = tokio::join!(
            wait(),
            async {
                later(30).await;
                wait().await
            },
            async {
                later(60).await;
                wait().await
            },
        );
        // Tokio's timers have the grain of a millisecond.
        for ((reason, at), expected) in [(first, 50), (second, 80), (third, 65)] {
            assert_eq!(reason, Reason::Late);
            assert!((expected..=expected + 2).contains(&at), "{at} for {expected}");
        }
        let status = limit.status();
        assert_eq!(status.turned_away(Reason::Late, Priority::Default), 3);
        assert_eq!((status.busy_for, status.waiting_in_all()), (Duration::ZERO, 0));
    });
}

#[test]
fn a_full_queue_lets_go_of_what_matters_less() {
    run(async {
        let limit = Ranked::fixed(1).queue(2);
        let asks = [(1, Sheddable), (2, Priority::Default), (3, Critical), (4, Sheddable), (5, Critical)];
        let mut holds = pin!(ask_as(&limit, Critical, sleep(MS)));
        assert!(poll(holds.as_mut()).is_pending());
        let asks = asks.map(|(id, priority)| {
            let limit = &limit;
            async move { ask_as(limit, priority, async { id }).await.map_err(|away| away.reason) }
        });
        let (_, outcomes) = tokio::join!(holds, join_all(asks));
        // All wait in the order of their priority; the fourth matters less than those who wait.
        let expected = [Err(Reason::Outranked), Err(Reason::Outranked), Ok(3), Err(Reason::Full), Ok(5)];
        assert_eq!(outcomes, expected);
        assert_eq!(limit.status().turned_away(Reason::Outranked, Sheddable), 1);
        assert_eq!(limit.status().turned_away(Reason::Full, Sheddable), 1);
    });
}

#[test]
fn users_take_turns_and_who_has_more_than_a_share_has_to_go() {
    run(async {
        // The hash is drawn at random: with one try in 128 both are of one share, and then the next limit has another one.
        for _ in 0..8 {
            let limit = Shared::fixed(1).queue(4);
            let (greedy, modest) = (User(1), User(2));
            let mut holds = pin!(async { limit.around(&limit.enter(&modest), pin!(sleep(MS))).await });
            assert!(poll(holds.as_mut()).is_pending());
            let order = Mutex::new(Vec::new());
            let ask = |user: &User, id: u32| {
                let (limit, order, asked) = (&limit, &order, limit.enter(user));
                async move { limit.around(&asked, pin!(async { order.lock().unwrap().push(id) })).await }.boxed_local()
            };
            let mut asks: Vec<_> = (0..5).map(|id| ask(&greedy, id)).collect();
            asks.extend((5..7).map(|id| ask(&modest, id)));
            asks.push(ask(&greedy, 7));
            let (_, outcomes) = tokio::join!(holds, join_all(asks));
            let outcomes: Vec<_> = outcomes.into_iter().map(|outcome| outcome.map_err(|away| away.reason)).collect();
            if outcomes[5].is_err() {
                continue;
            }
            let (full, share) = (Err(Reason::Full), Err(Reason::Share));
            assert_eq!(outcomes, [Ok(()), Ok(()), share, share, full, Ok(()), Ok(()), full]);
            assert_eq!(*order.lock().unwrap(), [0, 5, 1, 6]);
            return;
        }
        panic!("two users were of one share eight times");
    });
}

// Dropped at every await

#[test]
fn who_is_dropped_while_it_waits_gives_up_its_place_and_a_permit_it_was_just_given() {
    run(async {
        let limit = Plain::fixed(1).queue(2);
        let (release, released) = oneshot::channel::<()>();
        let mut first = pin!(ask(&limit, released));
        assert!(poll(first.as_mut()).is_pending());
        {
            let mut gone = pin!(ask(&limit, async {}));
            assert!(poll(gone.as_mut()).is_pending());
            assert_eq!(limit.status().waiting_in_all(), 1);
        }
        assert_eq!(limit.status().waiting_in_all(), 0);
        let mut last = pin!(ask(&limit, async { "last" }));
        {
            let mut granted = pin!(ask(&limit, async {}));
            assert!(poll(granted.as_mut()).is_pending() && poll(last.as_mut()).is_pending());
            release.send(()).unwrap();
            assert!(poll(first.as_mut()).is_ready());
            // It has the permit, and does not know it.
            assert_eq!((limit.status().in_flight, limit.status().waiting_in_all()), (1, 1));
        }
        assert_eq!((limit.status().in_flight, limit.status().waiting_in_all()), (1, 0));
        assert_eq!(poll(last.as_mut()), Poll::Ready(Ok("last")));
        assert_eq!(limit.status().in_flight, 0);
    });
}

#[test]
fn a_deadline_around_it_ends_the_wait() {
    run(async {
        let limit = Plain::fixed(1).patience(50 * MS);
        let mut holds = pin!(ask(&limit, pending::<()>()));
        assert!(poll(holds.as_mut()).is_pending());
        let outer = Deadline::within(10 * MS);
        assert_eq!(outer.around(pin!(ask(&limit, async {}))).await, Err(Expired));
        assert_eq!((limit.status().waiting_in_all(), limit.status().turned_away_in_all()), (0, 0));
    });
}

struct PanicsWhereItIsWoken;

impl Wake for PanicsWhereItIsWoken {
    fn wake(self: Arc<Self>) {
        panic!("on purpose");
    }
}

/// Two panics at once would end the process.
#[test]
fn a_waker_that_panics_takes_nothing_from_others_also_where_a_block_panics() {
    run(async {
        let limit = Plain::fixed(1).queue(8);
        let (fails, failed) = oneshot::channel::<()>();
        let mut holds = pin!(AssertUnwindSafe(ask(&limit, async { failed.await.unwrap() })).catch_unwind());
        assert!(poll(holds.as_mut()).is_pending());
        let waker = Waker::from(Arc::new(PanicsWhereItIsWoken));
        let (mut one, mut two) = (pin!(ask(&limit, async { 1 })), pin!(ask(&limit, async { 2 })));
        assert!(one.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        assert!(poll(two.as_mut()).is_pending());
        drop(fails);
        assert!(matches!(poll(holds.as_mut()), Poll::Ready(Err(_))), "the block's own panic");
        assert_eq!((poll(one.as_mut()), poll(two.as_mut())), (Poll::Ready(Ok(1)), Poll::Ready(Ok(2))));
        assert_eq!((limit.status().in_flight, limit.status().waiting_in_all()), (0, 0));
    });
}

// The level

#[test]
fn the_level_lowers_the_limit_and_turns_away_what_may_be_shed() {
    run(async {
        let level = Arc::new(LevelCell::new(Level::Calm));
        let limit = Ranked::fixed(4).under(Arc::clone(&level)).patience(5 * MS);
        let ask = |priority: Priority| {
            let limit = &limit;
            async move { ask_as(limit, priority, async {}).await.map_err(|away| away.reason) }
        };
        level.set(Level::Critical);
        assert_eq!(ask(Sheddable).await, Err(Reason::Level));
        assert_eq!(ask(Priority::Default).await, Ok(()));
        let hold = || ask_as(&limit, Critical, sleep(60 * MS));
        let (mut one, mut two) = (pin!(hold()), pin!(hold()));
        assert!(poll(one.as_mut()).is_pending() && poll(two.as_mut()).is_pending());
        // Half of four are in.
        assert_eq!(ask(Priority::Default).await, Err(Reason::Level));
        assert_eq!(ask(Critical).await, Err(Reason::Late));
        level.set(Level::High);
        assert_eq!(ask(Sheddable).await, Ok(()), "three of four");
        let mut three = pin!(hold());
        assert!(poll(three.as_mut()).is_pending());
        assert_eq!(ask(Sheddable).await, Err(Reason::Level));
        assert_eq!(ask(Priority::Default).await, Err(Reason::Late));
        level.set(Level::Calm);
        assert_eq!(ask(Sheddable).await, Ok(()));
        assert_eq!(limit.status().turned_away(Reason::Level, Sheddable), 2);
    });
}

#[test]
fn who_waits_is_let_in_once_the_level_is_down_and_another_one_asks() {
    run(async {
        let level = Arc::new(LevelCell::new(Level::Critical));
        let limit = Ranked::fixed(2).under(Arc::clone(&level));
        let mut holds = pin!(ask_as(&limit, Critical, pending::<()>()));
        let mut waits = pin!(ask_as(&limit, Critical, async { "in" }));
        assert!(poll(holds.as_mut()).is_pending() && poll(waits.as_mut()).is_pending());
        level.set(Level::Calm);
        let mut asks = pin!(ask_as(&limit, Critical, async { "next" }));
        assert!(poll(asks.as_mut()).is_pending(), "it does not overtake");
        assert_eq!(poll(waits.as_mut()), Poll::Ready(Ok("in")));
        assert_eq!(poll(asks.as_mut()), Poll::Ready(Ok("next")));
    });
}

#[test]
fn who_waits_goes_in_at_the_end_of_its_patience_where_the_level_came_down_and_nobody_else_came() {
    run(async {
        let level = Arc::new(LevelCell::new(Level::Critical));
        let limit = Ranked::fixed(4).under(Arc::clone(&level));
        let mut holds = [0, 1].map(|_| Box::pin(ask_as(&limit, Critical, pending::<()>())));
        assert!(holds.iter_mut().all(|held| poll(held.as_mut()).is_pending()));
        let mut waits = [0, 1, 2].map(|_| Box::pin(ask_as(&limit, Critical, sleep(10 * MS))));
        assert!(waits.iter_mut().all(|waits| poll(waits.as_mut()).is_pending()));
        level.set(Level::Calm);
        // Nobody leaves, and nobody comes: there is room for two of the three.
        let outcomes = join_all(waits).await;
        let served = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!((served, limit.status().turned_away(Reason::Late, Critical)), (2, 1), "{outcomes:?}");
        assert_eq!((limit.status().in_flight, limit.status().waiting_in_all()), (2, 0));
    });
}

// In a chain

#[node]
fn classify(request: &Request<()>) -> Priority {
    request.uri().path()[1..].parse().unwrap_or_default()
}

#[node]
fn user(request: &Request<()>) -> User {
    User(request.uri().path().len() as u32)
}

#[node]
async fn answer(_request: &Request<()>) -> Response<String> {
    sleep(MS).await;
    Response::new("hello".to_owned())
}

struct Upstream;

chain! {
    struct Nested {
        outer: Adaptive<Fair<User, ByPriority>>,
        inner: Adaptive<ByPriority<Upstream>, Aimd>,
        inmost: Adaptive<ByPriority, Box<dyn Limit + Send>>,
    }
    async fn(request: Request<()>) -> Response<String> {
        classify => user => outer { inner { inmost { answer } } }
    }
}

#[test]
fn limits_of_different_forms_stand_in_each_other_and_reply_as_http() {
    run(async {
        let gateway = Nested {
            outer: Adaptive::default(),
            inner: Adaptive::new(Aimd::new()),
            inmost: Adaptive::new(Box::new(Fixed(0)) as Box<dyn Limit + Send>).queue(0),
        };
        let reply = gateway.run(Request::get("/critical").body(()).unwrap()).await;
        assert_eq!(reply.status(), 503);
        let seconds: u64 = reply.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=3).contains(&seconds), "{seconds}");
        assert_eq!(gateway.inmost.status().turned_away(Reason::Full, Critical), 1);
        assert_eq!((gateway.outer.status().in_flight, gateway.inner.status().in_flight), (0, 0));
    });
}

// Cost

#[test]
fn the_future_is_as_large_as_is_said() {
    let (plain, ranked) = (Plain::fixed(1), Ranked::fixed(1));
    assert!(size_of_val(&plain.around(pin!(async {}))) <= 656);
    assert!(size_of_val(&ranked.around(&ranked.enter(&Critical), pin!(async {}))) <= 656);
}

#[test]
fn no_request_allocates_whether_it_is_let_in_waits_or_is_turned_away() {
    run(async {
        let limit = Ranked::fixed(1).queue(2);
        let round = || async {
            let ask = |priority: Priority| {
                let limit = &limit;
                async move { limit.around(&limit.enter(&priority), pin!(tokio::task::yield_now())).await.is_ok() }
            };
            tokio::join!(ask(Critical), ask(Sheddable), ask(Sheddable), ask(Sheddable), ask(Critical))
        };
        round().await;
        let before = ALLOCATIONS.get();
        let outcomes = round().await;
        assert_eq!(ALLOCATIONS.get() - before, 0);
        assert_eq!(outcomes, (true, true, false, false, true));
        let _ = poll_fn(|_| Poll::Ready(())).await;
    });
}

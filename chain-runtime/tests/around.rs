//! The ready around nodes, each by its contract, on blocks written by hand.
#![cfg(all(feature = "tokio", feature = "retry", feature = "tracing"))]

mod support;

use std::cell::Cell;
use std::future::{Future, pending, poll_fn, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use chain_runtime::around::{
    Backoff, Budget, CatchPanic, Concurrency, Deadline, Expired, Instrumented, Overloaded, Retry, Timer, TokioTimer,
    Wait,
};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use proptest::prelude::*;
use support::ALLOCATIONS;
use tokio::time::{Instant, sleep, timeout};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber, info_span};

const MS: Duration = Duration::from_millis(1);

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(future)
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Uses up so much of tokio's time, and does not suspend.
fn busy(time: Duration) {
    assert!(poll(pin!(tokio::time::advance(time))).is_pending());
}

/// Says that it was dropped.
struct Dropped<'a>(&'a Cell<bool>);

impl Drop for Dropped<'_> {
    fn drop(&mut self) {
        self.0.set(true);
    }
}

// Deadline

#[test]
fn what_is_ready_in_time_is_ready_and_what_is_not_expires() {
    run(async {
        let deadline = Deadline::within(50 * MS);
        for (takes, done) in [(0, true), (49, true), (51, false), (5000, false)] {
            let began = Instant::now();
            let done_by = deadline.around(pin!(sleep(takes * MS))).await;
            assert_eq!(done_by, if done { Ok(()) } else { Err(Expired) }, "{takes} ms");
            // Tokio's timer counts whole milliseconds, and rounds up.
            assert!(began.elapsed() <= takes.min(50) * MS + MS, "{takes} ms took {:?}", began.elapsed());
        }
    });
}

#[test]
fn a_deadline_that_has_passed_polls_nothing() {
    run(async {
        let never = || poll_fn(|_| -> Poll<()> { panic!("polled") });
        assert_eq!(Deadline::until(TokioTimer.now()).around(pin!(never())).await, Err(Expired));
        assert_eq!(Deadline::within(Duration::ZERO).around(pin!(never())).await, Err(Expired));
        // Nor does an inner one, where the outer one has passed while the block was busy.
        let inner = pin!(async {
            busy(6 * MS);
            Deadline::within(1000 * MS).around(pin!(never())).await
        });
        assert_eq!(Deadline::within(5 * MS).around(inner).await, Ok(Err(Expired)));
        // Where the block suspends then, it is too late.
        let mut polled = 0;
        let suspends = pin!(poll_fn(|context| {
            busy(6 * MS);
            polled += 1;
            context.waker().wake_by_ref();
            if polled == 2 { Poll::Ready(()) } else { Poll::Pending }
        }));
        assert_eq!(Deadline::within(5 * MS).around(suspends).await, Err(Expired));
    });
}

#[test]
fn a_limit_that_no_clock_will_show_is_none() {
    run(async {
        let block = pin!(async { (sleep(1000 * MS).await, Deadline::current()) });
        assert_eq!(Deadline::within(Duration::MAX).around(block).await, Ok(((), None)));
    });
}

#[test]
fn what_is_current_is_gone_after_each_poll_also_after_a_panic() {
    run(async {
        let deadline = Deadline::within(50 * MS);
        let mut waits = pin!(async {
            let before = Deadline::current();
            sleep(MS).await;
            (before, Deadline::current())
        });
        {
            let mut around = pin!(deadline.around(waits.as_mut()));
            assert!(poll(around.as_mut()).is_pending());
            assert_eq!(Deadline::current(), None);
            let (before, after) = around.await.unwrap();
            assert!(before.is_some() && before == after);
        }
        let mut panics = Box::pin(async { deadline.around(pin!(poll_fn(|_| -> Poll<()> { panic!("midway") }))).await });
        catch_unwind(AssertUnwindSafe(|| poll(panics.as_mut()))).unwrap_err();
        assert_eq!(Deadline::current(), None);
    });
}

proptest! {
    /// Nested deadlines end at the soonest of them, whichever it is, and each block is told of the soonest around it.
    #[test]
    fn nested_deadlines_are_the_soonest(limits in prop::collection::vec(1..100_u32, 1..5), takes in 0..100_u32) {
        fn nest<'a>(limits: &'a [u32], takes: u32, told: &'a Mutex<Vec<Duration>>)
            -> Pin<Box<dyn Future<Output = Result<(), usize>> + 'a>>
        {
            Box::pin(async move {
                let Some((limit, inner)) = limits.split_first() else {
                    let left = Deadline::current().unwrap().saturating_duration_since(TokioTimer.now());
                    told.lock().unwrap().push(left);
                    sleep(takes * MS).await;
                    return Ok(());
                };
                let block = pin!(nest(inner, takes, told));
                match Deadline::within(*limit * MS).around(block).await {
                    Ok(inner) => inner,
                    Err(Expired) => Err(limits.len()),
                }
            })
        }
        let told = Mutex::new(Vec::new());
        let soonest = *limits.iter().min().unwrap();
        let (ended, after) = run(async {
            let began = Instant::now();
            (nest(&limits, takes, &told).await, began.elapsed())
        });
        prop_assert_eq!(told.into_inner().unwrap(), [soonest * MS]);
        if takes < soonest {
            prop_assert_eq!(ended, Ok(()));
        } else if takes > soonest {
            // The outermost of the soonest has the timer, and gives up.
            let outermost = limits.iter().position(|limit| *limit == soonest).unwrap();
            prop_assert_eq!(ended, Err(limits.len() - outermost));
        }
        prop_assert!(after <= takes.min(soonest) * MS + MS, "{:?}", after);
    }
}

// CatchPanic

#[test]
fn a_panic_in_any_poll_becomes_an_error_after_the_block_unwound() {
    run(async {
        let gone = Cell::new(false);
        let block = pin!(async {
            let _held = Dropped(&gone);
            sleep(MS).await;
            panic!("out of {}", "paper");
        });
        let panicked = CatchPanic.around::<_>(block).await.map(|(): ()| ()).unwrap_err();
        assert_eq!(panicked.message(), Some("out of paper"));
        assert!(gone.get(), "what the block held is dropped by the panic itself");
        assert_eq!(panicked.to_string(), "panicked: out of paper");
        assert_eq!(CatchPanic.around(pin!(ready(200))).await.unwrap(), 200);
    });
}

#[test]
fn a_payload_that_is_no_text_is_kept() {
    let panicked = run(CatchPanic.around(pin!(async { std::panic::panic_any(7_u8) }))).map(|(): ()| ()).unwrap_err();
    assert_eq!(panicked.message(), None);
    assert_eq!(panicked.into_payload().downcast_ref(), Some(&7_u8));
}

/// Panics when it is dropped, with one more of its kind, for so many times.
struct Bomb(u32);

impl Drop for Bomb {
    fn drop(&mut self) {
        if self.0 > 0 {
            std::panic::panic_any(Self(self.0 - 1));
        }
    }
}

#[test]
fn what_was_panicked_with_may_panic_when_it_is_dropped() {
    for fuse in 0..4 {
        let block = pin!(async { std::panic::panic_any(Bomb(fuse)) });
        let panicked = run(CatchPanic.around(block)).map(|(): ()| ()).unwrap_err();
        assert!(panicked.payload().is::<Bomb>() && panicked.message().is_none());
        assert!(catch_unwind(AssertUnwindSafe(|| drop(panicked))).is_ok(), "{fuse}");
    }
    // Who takes it out has it as it is.
    let block = pin!(async { std::panic::panic_any(Bomb(0)) });
    let panicked = run(CatchPanic.around(block)).map(|(): ()| ()).unwrap_err();
    assert!(panicked.into_payload().is::<Bomb>());
}

// Concurrency

#[test]
fn a_permit_is_given_back_on_every_way_out() {
    run(async {
        let limit = Concurrency::shed(1);
        assert_eq!(limit.around(pin!(ready(1))).await, Ok(1));
        assert_eq!(limit.available(), 1);
        {
            let mut waits = pin!(async { limit.around(pin!(pending::<()>())).await });
            assert!(poll(waits.as_mut()).is_pending());
            assert_eq!(limit.available(), 0);
            let unpolled = pin!(poll_fn(|_| -> Poll<()> { panic!("polled") }));
            assert_eq!(limit.around(unpolled).await, Err(Overloaded));
        }
        assert_eq!(limit.available(), 1, "dropped midway");
        let mut panics = Box::pin(async { limit.around(pin!(async { panic!("midway") })).await.map(|(): ()| ()) });
        catch_unwind(AssertUnwindSafe(|| poll(panics.as_mut()))).unwrap_err();
        assert_eq!(limit.available(), 1, "panicked");
        assert_eq!(Concurrency::shed(0).around(pin!(ready(1))).await, Err(Overloaded));
    });
}

#[test]
fn never_more_at_once_than_the_limit_on_many_threads() {
    const LIMIT: usize = 3;
    let limit = Concurrency::shed(LIMIT);
    let (now, most, ran) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicU64::new(0));
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                for _ in 0..2000 {
                    let mut yielded = false;
                    let block = pin!(poll_fn(|_| {
                        if !yielded {
                            yielded = true;
                            most.fetch_max(now.fetch_add(1, Relaxed) + 1, Relaxed);
                            thread::yield_now();
                            return Poll::Pending;
                        }
                        now.fetch_sub(1, Relaxed);
                        ran.fetch_add(1, Relaxed);
                        Poll::Ready(())
                    }));
                    let mut around = pin!(limit.around(block));
                    while poll(around.as_mut()).is_pending() {}
                }
            });
        }
    });
    assert!(most.into_inner() <= LIMIT);
    assert!(ran.into_inner() > 0);
    assert_eq!(limit.available(), LIMIT);
}

#[test]
fn those_who_wait_come_in_turn_and_not_for_longer_than_their_patience() {
    run(async {
        let limit: Arc<Concurrency<Wait>> = Arc::new(Concurrency::wait(1, 50 * MS).queue(2));
        let order = Arc::new(Mutex::new(Vec::new()));
        let began = Instant::now();
        let requests: Vec<_> = (0..4)
            .map(|request| {
                let (limit, order) = (Arc::clone(&limit), Arc::clone(&order));
                tokio::spawn(async move {
                    let outcome = limit.around(pin!(async { sleep(40 * MS).await })).await;
                    order.lock().unwrap().push((request, outcome, began.elapsed().as_millis() / 10 * 10));
                })
            })
            .collect();
        for request in requests {
            request.await.unwrap();
        }
        // The first runs; the second and third wait, which is as many as may; the third has waited for 50 ms when the second
        // is at 10.
        let expected = [(3, Err(Overloaded), 0), (0, Ok(()), 40), (2, Err(Overloaded), 50), (1, Ok(()), 80)];
        assert_eq!(*order.lock().unwrap(), expected);
        assert_eq!((limit.available(), limit.waiting()), (1, 0));
    });
}

#[test]
fn who_is_dropped_while_waiting_loses_no_permit() {
    run(async {
        let limit = Concurrency::wait(1, 1000 * MS);
        let mut first = Box::pin(async { limit.around(pin!(pending::<()>())).await });
        assert!(poll(first.as_mut()).is_pending());
        assert!(timeout(MS, limit.around(pin!(ready(())))).await.is_err());
        assert_eq!(limit.waiting(), 0);
        drop(first);
        assert_eq!(limit.available(), 1);
        assert_eq!(limit.around(pin!(ready(2))).await, Ok(2));
    });
}

#[test]
fn a_sooner_deadline_ends_the_wait() {
    run(async {
        let limit = Concurrency::wait(0, 1000 * MS);
        let began = Instant::now();
        {
            let waits = pin!(async { limit.around(pin!(ready(()))).await });
            assert_eq!(Deadline::within(20 * MS).around(waits).await, Err(Expired));
        }
        assert!(began.elapsed() <= 21 * MS);
        assert_eq!(limit.waiting(), 0);
    });
}

// Instrumented

/// Writes down which spans are entered and left.
#[derive(Clone, Default)]
struct Spans {
    log: Arc<Mutex<Vec<&'static str>>>,
}

impl Spans {
    fn push(&self, what: &'static str) {
        self.log.lock().unwrap().push(what);
    }

    fn take(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.log.lock().unwrap())
    }
}

impl Subscriber for Spans {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        self.push("new");
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {
        self.push("event");
    }
    fn enter(&self, _: &Id) {
        self.push("enter");
    }
    fn exit(&self, _: &Id) {
        self.push("exit");
    }
    fn try_close(&self, _: Id) -> bool {
        self.push("close");
        true
    }
}

#[test]
fn a_span_is_entered_for_each_poll_and_closed_at_the_end() {
    let spans = Spans::default();
    let _default = tracing::subscriber::set_default(spans.clone());
    let node: Instrumented = Instrumented::new(|| info_span!("upstream"));
    {
        let block = pin!(async {
            tokio::task::yield_now().await;
            tracing::info!("inside");
            200
        });
        let mut around = pin!(node.around(block));
        assert_eq!(spans.take(), [""; 0], "not before the first poll");
        assert!(poll(around.as_mut()).is_pending());
        assert_eq!(spans.take(), ["new", "enter", "exit"]);
        assert_eq!(poll(around.as_mut()), Poll::Ready(200));
        assert_eq!(spans.take(), ["enter", "event", "exit", "close"]);
    }
    let mut panics = Box::pin(async { node.around(pin!(async { panic!("midway") })).await });
    catch_unwind(AssertUnwindSafe(|| poll(panics.as_mut()).map(|(): ()| ()))).unwrap_err();
    assert_eq!(spans.take(), ["new", "enter", "exit", "close"]);
    {
        let mut dropped = Box::pin(async { node.around(pin!(pending::<()>())).await });
        assert!(poll(dropped.as_mut()).is_pending());
        drop(dropped);
        assert_eq!(spans.take(), ["new", "enter", "exit", "close"]);
    }
}

// Retry

/// Tries until the reply is no longer 503, and says how often, with what came out.
async fn tried<P: chain_runtime::around::Policy<u16>>(
    retry: &Retry<P>,
    mut replies: impl Iterator<Item = u16>,
) -> (u32, u16) {
    retry.enter();
    let mut attempt = 1;
    loop {
        let reply = replies.next().unwrap();
        let Some(pause) = retry.again(attempt, &reply) else { return (attempt, reply) };
        pause.await;
        attempt += 1;
    }
}

const UNAVAILABLE: fn(&u16) -> bool = |status| *status == 503;

#[test]
fn a_reply_that_is_not_worth_it_stays_and_tries_are_counted() {
    run(async {
        let retry = Retry::new(UNAVAILABLE);
        assert_eq!(tried(&retry, [200].into_iter()).await, (1, 200));
        assert_eq!(tried(&retry, [404, 503].into_iter()).await, (1, 404));
        assert_eq!(tried(&retry, [503, 503, 200].into_iter()).await, (3, 200));
        for (attempts, tries) in [(0, 1), (1, 1), (2, 2), (5, 5)] {
            let retry = Retry::new(UNAVAILABLE).attempts(attempts);
            assert_eq!(tried(&retry, std::iter::repeat(503)).await, (tries, 503));
        }
    });
}

#[test]
fn retries_are_a_share_of_the_requests() {
    run(async {
        // One retry for ten requests, and no reserve.
        let retry = Retry::new(UNAVAILABLE).budget(Budget::new(Duration::from_secs(60), 0, 0.1));
        let mut tries = 0;
        for _ in 0..100 {
            tries += tried(&retry.clone(), std::iter::repeat(503)).await.0;
        }
        assert_eq!(tries, 110);
    });
}

#[test]
fn nobody_sleeps_past_a_deadline() {
    run(async {
        let retry = Retry::new(UNAVAILABLE).attempts(100).backoff(Backoff::exponential(1000 * MS, 1000 * MS));
        let began = Instant::now();
        let block = pin!(tried(&retry, std::iter::repeat(503)));
        // A pause is drawn from up to 1 s: one that ends within 1 ms comes once in a thousand.
        let (_, reply) = Deadline::within(MS).around(block).await.unwrap();
        assert_eq!(reply, 503);
        assert!(began.elapsed() <= MS);
    });
}

#[test]
fn a_retry_that_is_dropped_while_it_pauses_is_not_paid() {
    run(async {
        let budget = Budget::new(Duration::from_secs(60), 0, 1.0);
        let retry =
            Retry::new(UNAVAILABLE).backoff(Backoff::exponential(10_000 * MS, 10_000 * MS)).budget(budget.clone());
        retry.enter();
        let mut again = Box::pin(retry.again(1, &503).unwrap());
        if poll(again.as_mut()).is_pending() {
            drop(again);
            assert!(budget.withdraw(TokioTimer.now()));
            assert!(!budget.withdraw(TokioTimer.now()));
        }
    });
}

proptest! {
    /// Every base, from nanoseconds to ages, at every attempt.
    #[test]
    fn a_ceiling_is_what_it_would_be_without_limits_to_numbers(
        base in prop_oneof![(0..3_000_u64).prop_map(Duration::from_nanos), any::<Duration>()],
        cap in prop_oneof![(0..10_000_u64).prop_map(Duration::from_millis), any::<Duration>()],
        attempt in prop_oneof![1..200_u32, any::<u32>()],
    ) {
        let mut ceiling = base.as_nanos();
        for _ in 1..attempt {
            if ceiling == 0 || ceiling >= cap.as_nanos() {
                break;
            }
            ceiling *= 2;
        }
        let backoff = Backoff::exponential(base, cap);
        prop_assert_eq!(backoff.ceiling(attempt).as_nanos(), ceiling.min(cap.as_nanos()));
    }

    #[test]
    fn a_pause_is_up_to_its_ceiling(base in 0..10_000_u64, cap in 0..10_000_u64, attempt in 1..40_u32) {
        let backoff = Backoff::exponential(Duration::from_micros(base), Duration::from_micros(cap));
        let ceiling = u128::from(base).saturating_mul(1 << (attempt - 1)).min(u128::from(cap));
        prop_assert_eq!(backoff.ceiling(attempt).as_micros(), ceiling);
        let paused = run(async {
            let began = Instant::now();
            let retry = Retry::new(UNAVAILABLE).attempts(u32::MAX).backoff(backoff);
            retry.again(attempt, &503).unwrap().await;
            began.elapsed()
        });
        prop_assert!(paused <= backoff.ceiling(attempt) + MS);
    }
}

// What all promise

#[test]
fn nothing_allocates_where_nothing_fails() {
    run(async {
        let waits = || async { sleep(MS).await };
        let retry = Retry::new(UNAVAILABLE);
        let span: Instrumented = Instrumented::new(|| info_span!("upstream"));
        let (sheds, queues) = (Concurrency::shed(1), Concurrency::wait(1, 10 * MS));
        let deadline = Deadline::within(50 * MS);
        for warm in [false, true] {
            let before = ALLOCATIONS.get();
            deadline.around(pin!(waits())).await.unwrap();
            CatchPanic.around(pin!(waits())).await.unwrap();
            sheds.around(pin!(waits())).await.unwrap();
            queues.around(pin!(waits())).await.unwrap();
            span.around(pin!(waits())).await;
            assert!(retry.again(1, &200).is_none());
            retry.again(1, &503).unwrap().await;
            if warm {
                assert_eq!(ALLOCATIONS.get() - before, 0);
            }
        }
    });
}

/// The table in the documentation of `around`: bytes beside the block's own, which here are those of the reference.
#[test]
#[cfg(target_pointer_width = "64")]
fn futures_are_as_small_as_is_said() {
    let span: Instrumented = Instrumented::new(|| info_span!("upstream"));
    let sizes = [
        ("CatchPanic", size_of_val(&CatchPanic.around(pin!(ready(())))), 48),
        ("Instrumented", size_of_val(&span.around(pin!(ready(())))), 88),
        ("Concurrency, shedding", size_of_val(&Concurrency::shed(1).around(pin!(ready(())))), 56),
        ("Concurrency, waiting", size_of_val(&Concurrency::wait(1, MS).around(pin!(ready(())))), 480),
        ("Deadline", size_of_val(&Deadline::within(MS).around(pin!(ready(())))), 256),
        ("Retry", size_of_val(&Retry::new(UNAVAILABLE).again(1, &200)), 240),
    ];
    for (node, bytes, at_most) in sizes {
        assert!(bytes <= at_most, "{node}: {bytes} bytes, not {at_most}");
    }
}

/// Gives up after so long, and is moved into whatever polls it.
async fn limited(limit: Duration) -> Result<(), Expired> {
    Deadline::within(limit).around(pin!(pending::<()>())).await
}

#[test]
fn a_deadline_that_was_polled_under_a_sooner_one_keeps_its_own_time() {
    run(async {
        let began = Instant::now();
        let mut job = Box::pin(limited(100 * MS));
        // Polled for the first time under a deadline that is sooner, and not done by then.
        assert_eq!(Deadline::within(50 * MS).around(pin!(job.as_mut())).await, Err(Expired));
        assert!(began.elapsed() < 60 * MS);
        assert_eq!(timeout(60_000 * MS, job).await, Ok(Err(Expired)));
        assert!(began.elapsed() < 110 * MS, "{:?}", began.elapsed());
    });
}

#[test]
fn who_waits_for_a_permit_keeps_its_patience_when_it_is_moved_out_from_under_a_sooner_deadline() {
    run(async {
        let began = Instant::now();
        let limit = Concurrency::wait(0, 100 * MS);
        let mut waits = Box::pin(async { limit.around(pin!(ready(()))).await });
        assert_eq!(Deadline::within(50 * MS).around(pin!(waits.as_mut())).await, Err(Expired));
        assert_eq!(timeout(60_000 * MS, waits).await, Ok(Err(Overloaded)));
        assert!(began.elapsed() < 110 * MS, "{:?}", began.elapsed());
    });
}

#[test]
fn who_would_wait_for_a_permit_when_the_deadline_has_passed_ends_with_that() {
    run(async {
        let limit = Concurrency::wait(0, 1000 * MS);
        {
            let block = pin!(async {
                busy(30 * MS);
                limit.around(pin!(ready(()))).await
            });
            assert_eq!(Deadline::within(20 * MS).around(block).await, Err(Expired));
        }
        assert_eq!(limit.waiting(), 0);
    });
}

#[test]
fn a_deadline_that_is_up_together_with_a_sooner_one_is_woken_when_that_is_gone() {
    run(async {
        let block = |limit: u32| async move { Deadline::within(limit * MS).around(pin!(pending::<()>())).await };
        let mut jobs: FuturesUnordered<_> = [block(100)].into_iter().collect();
        {
            let mut sooner = pin!(async { Deadline::within(50 * MS).around(pin!(jobs.next())).await });
            assert!(futures_util::future::poll_immediate(sooner.as_mut()).await.is_none());
            // This thread is busy with something else until both are up.
            tokio::time::advance(200 * MS).await;
            assert_eq!(sooner.await, Err(Expired));
        }
        assert_eq!(timeout(1000 * MS, jobs.next()).await, Ok(Some(Err(Expired))));
    });
}

#[test]
fn a_permit_that_comes_when_its_request_is_dropped_goes_to_the_next() {
    run(async {
        let limit = Concurrency::wait(1, 1000 * MS);
        let at = Instant::now() + 20 * MS;
        let holds = async { limit.around(pin!(tokio::time::sleep_until(at))).await };
        // Dropped at just that time, as `select!` drops what it did not take.
        let gives_way = async {
            tokio::select! {
                biased;
                () = tokio::time::sleep_until(at) => None,
                done = async { limit.around(pin!(ready(1))).await } => Some(done),
            }
        };
        let comes_next = async { limit.around(pin!(ready(2))).await };
        let ends = tokio::join!(biased; holds, gives_way, comes_next);
        assert_eq!(ends, (Ok(()), None, Ok(2)));
        assert_eq!((limit.available(), limit.waiting()), (1, 0));
    });
}

//! A pause is found in the node that it hit, by the machine's own clock.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread::sleep;
use std::time::Duration;

use chain_runtime::observe::Way::In;
use chain_runtime::telemetry::pauses::{Cause, Ledger, Woken};
use chain_runtime::telemetry::{Clock as _, Manual, Meter, Tsc, Whose};
use chain_runtime::{chain, node};

const LONG: Duration = Duration::from_millis(20);
/// So much of it is found at least: the kernel's figures are from a little before.
const FOUND: u64 = 8_000_000;

/// Whom to wake.
#[derive(Default)]
struct Waits(Mutex<Option<Waker>>);

#[node]
fn quick() {}
#[node]
fn sleeps() {
    sleep(LONG);
}
#[node]
async fn waits(waits: &Waits) -> u32 {
    poll_fn(|context| {
        let mut waker = waits.0.lock().expect("nobody panics");
        if waker.is_some() {
            return Poll::Ready(7);
        }
        *waker = Some(context.waker().clone());
        Poll::Pending
    })
    .await
}

chain! {
    #[observe(meter)]
    struct Paused { meter: Meter, woken: Waits }
    async fn() -> u32 { quick => sleeps => waits }
}

#[test]
fn a_pause_is_found_in_its_node_and_its_run() {
    let clock = Tsc::new();
    let ledger = Arc::new(Ledger::new(clock.clone()));
    let meter = Meter::builder(Paused::CHAIN).clock(clock).pauses(ledger.clone()).build();
    let paused = Paused { meter, woken: Waits::default() };
    {
        let mut run = pin!(Woken::new(paused.run(), ledger));
        let mut context = Context::from_waker(Waker::noop());
        assert!(run.as_mut().poll(&mut context).is_pending());
        let waker = paused.woken.0.lock().expect("nobody panics").clone().expect("it waits");
        waker.wake();
        // The runtime does something else meanwhile.
        sleep(LONG);
        assert_eq!(run.as_mut().poll(&mut context), Poll::Ready(7));
    }

    let (snapshot, keeps) = (paused.meter.snapshot(), paused.meter.kept());
    let [quick, sleeps, waits] = &snapshot.nodes[..] else { panic!("three nodes") };
    // What a machine that is busy does to it is not said here.
    let blocked = if cfg!(target_os = "linux") { Cause::Blocked } else { Cause::Busy };
    let of = |node: &chain_runtime::telemetry::NodeTotals, cause| node.pauses.of(cause);
    assert!(of(sleeps, blocked).0 == 1 && of(sleeps, blocked).1 > FOUND, "{:?}", sleeps.pauses);
    assert_eq!(of(sleeps, Cause::Late), (0, 0));
    assert!(of(waits, Cause::Late).0 == 1 && of(waits, Cause::Late).1 > FOUND, "{:?}", waits.pauses);
    assert_eq!((of(quick, blocked), of(waits, blocked)), ((0, 0), (0, 0)));

    let pauses = &keeps.slowest[0].pauses;
    let find = |cause| pauses.iter().find(|pause| pause.cause == cause).expect("a pause");
    assert_eq!(find(blocked).whose, Some(Whose::Running(1, In)));
    assert_eq!(find(Cause::Late).whose, Some(Whose::Waiting(2, In)));
    assert!(pauses.iter().all(|pause| pause.start < pause.end && pause.end <= keeps.slowest[0].took), "{pauses:?}");

    let mut none = snapshot.clone();
    none.subtract(&snapshot).expect("the same chain");
    assert!(none.nodes.iter().all(|node| node.pauses.nanos() == 0));
}

#[test]
fn pauses_are_not_looked_for_where_nobody_wants_them() {
    let meter = Meter::builder(Paused::CHAIN).without_pauses().build();
    let paused = Paused { meter, woken: Waits::default() };
    assert!(Box::pin(paused.run()).as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let snapshot = paused.meter.snapshot();
    assert_eq!((snapshot.ended, snapshot.nodes[1].pauses.nanos()), (1, 0));
}

chain! {
    #[observe(meter)]
    struct Waiting { meter: Meter<Manual>, woken: Waits }
    async fn() -> u32 { waits }
}

/// Of a run that waits for ten seconds, and of others on its thread that are polled late meanwhile.
#[test]
fn a_poll_of_another_that_was_late_while_a_run_had_still_to_wait_is_no_pause_of_it() {
    let of_the_wait = |others: Duration, late: Duration, then: Duration| {
        let clock = Manual::new();
        let ledger = Arc::new(Ledger::new(clock.clone()));
        let meter = Meter::builder(Waiting::CHAIN).clock(clock.clone()).pauses(ledger.clone()).build();
        let waiting = Waiting { meter, woken: Waits::default() };
        let mut run = Box::pin(waiting.run());
        let mut context = Context::from_waker(Waker::noop());
        assert!(run.as_mut().poll(&mut context).is_pending());
        clock.advance(others);
        let woken = clock.now();
        clock.advance(late);
        ledger.late(woken, clock.now()).expect("a pause of the thread");
        clock.advance(then);
        assert_eq!(run.as_mut().poll(&mut context), Poll::Ready(7));
        drop(run);
        waiting.meter.snapshot().nodes[0].pauses.of(Cause::Late).0
    };
    let second = Duration::from_secs(1);
    assert_eq!(of_the_wait(5 * second, LONG, 5 * second), 0);
    assert_eq!(of_the_wait(10 * second, LONG, Duration::ZERO), 1, "the poll that ends the wait was late");
}

//! What a limit is told: which blocks are samples, which are lost, and when a window is over.
#![cfg(feature = "pressure")]

use std::future::{Future, pending};
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use chain_runtime::around::{Deadline, Expired};
use chain_runtime::pressure::{Adaptive, Anyone, Fixed, Limit, Sample, TurnedAway};
use futures_util::FutureExt as _;
use tokio::time::{sleep, timeout};

const MS: Duration = Duration::from_millis(1);

type Plain = Adaptive<Anyone, Fixed>;

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(future)
}

fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

async fn ask<L: Limit, B: Future>(limit: &Adaptive<Anyone, L>, block: B) -> Result<B::Output, TurnedAway> {
    limit.around(pin!(block)).await
}

/// Whether a panic of the block goes on to who polls.
async fn panics<L: Limit>(limit: &Adaptive<Anyone, L>) -> bool {
    AssertUnwindSafe(ask(limit, async { panic!("on purpose") })).catch_unwind().await.is_err()
}

/// Writes down what it is told.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<Sample>>>);

impl Limit for Told {
    fn limit(&self) -> usize {
        100
    }
    fn update(&mut self, sample: &Sample) -> usize {
        self.0.lock().unwrap().push(*sample);
        100
    }
}

/// Milliseconds of the mean, how many replied, how many were lost.
type Noted = (Option<u128>, u64, u64);

fn told() -> (Adaptive<Anyone, Told>, impl Fn() -> Vec<Noted>) {
    let told = Told::default();
    let read = told.clone();
    let limit = Adaptive::new(told).window(Duration::ZERO).at_least(1);
    let read = move || {
        let samples = std::mem::take(&mut *read.0.lock().unwrap());
        samples.iter().map(|it| (it.round_trip.map(|time| time.as_millis()), it.replied, it.lost)).collect()
    };
    (limit, read)
}

#[test]
fn a_sample_is_a_block_that_replied() {
    run(async {
        let (limit, samples) = told();
        ask(&limit, sleep(20 * MS)).await.unwrap();
        assert_eq!(samples(), [(Some(20), 1, 0)]);
        let _ = timeout(5 * MS, ask(&limit, pending::<()>())).await;
        assert!(panics(&limit).await);
        assert_eq!(samples(), []);
    });
}

#[test]
fn what_takes_too_long_is_lost_whether_it_replies_or_is_cancelled() {
    run(async {
        let (limit, samples) = told();
        let limit = limit.timeout(50 * MS);
        ask(&limit, sleep(60 * MS)).await.unwrap();
        assert_eq!(samples(), [(None, 0, 1)]);
        assert!(timeout(60 * MS, ask(&limit, pending::<()>())).await.is_err());
        assert_eq!(samples(), [(None, 0, 1)]);
        assert!(timeout(40 * MS, ask(&limit, pending::<()>())).await.is_err());
        assert_eq!(samples(), []);
    });
}

#[test]
fn what_a_deadline_inside_ended_is_lost() {
    run(async {
        let (limit, samples) = told();
        let deadline = Deadline::within(20 * MS);
        assert_eq!(ask(&limit, deadline.around(pin!(pending::<()>()))).await, Ok(Err(Expired)));
        assert_eq!(samples(), [(None, 0, 1)]);
    });
}

#[test]
fn what_another_limit_inside_turned_away_says_nothing() {
    run(async {
        let (limit, samples) = told();
        let inner = Plain::fixed(0).queue(4);
        assert!(ask(&limit, ask(&inner, async {})).await.unwrap().is_err());
        assert_eq!(samples(), []);
    });
}

#[test]
fn a_window_is_as_long_as_it_has_to_be() {
    run(async {
        let told = Told::default();
        let limit: Adaptive<Anyone, Told> = Adaptive::new(told.clone()).window(100 * MS).at_least(10);
        let count = || std::mem::take(&mut *told.0.lock().unwrap()).iter().map(|it| it.replied).collect::<Vec<_>>();
        // Ten in 100 ms, and one more that ends it.
        for _ in 0..11 {
            ask(&limit, sleep(10 * MS)).await.unwrap();
        }
        assert_eq!(count(), [11]);
        // Few: what there is after ten times the time is given up.
        for _ in 0..8 {
            sleep(150 * MS).await;
            ask(&limit, async {}).await.unwrap();
        }
        assert_eq!(count(), Vec::<u64>::new());
    });
}

#[test]
fn a_limit_that_grows_lets_those_in_who_wait() {
    struct Grows(usize);
    impl Limit for Grows {
        fn limit(&self) -> usize {
            self.0
        }
        fn update(&mut self, _: &Sample) -> usize {
            self.0 += 2;
            self.0
        }
    }
    run(async {
        let limit: Adaptive<Anyone, Grows> = Adaptive::new(Grows(1)).window(Duration::ZERO).at_least(1);
        let mut first = pin!(ask(&limit, async { tokio::task::yield_now().await }));
        assert!(poll(first.as_mut()).is_pending());
        let mut rest: Vec<_> = (0..4).map(|_| ask(&limit, pending::<()>()).boxed_local()).collect();
        for waits in &mut rest {
            assert!(poll(waits.as_mut()).is_pending());
        }
        assert_eq!((limit.status().in_flight, limit.status().waiting_in_all()), (1, 4));
        // One leaves, which makes the limit three.
        assert!(poll(first.as_mut()).is_ready());
        assert_eq!((limit.status().in_flight, limit.status().waiting_in_all()), (3, 1));
    });
}

//! A run gives back what it takes for a while, wherever it is dropped, and what it counts is counted.
#![cfg(all(feature = "pool", feature = "retry", feature = "tokio", feature = "http-body"))]

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use bytes::Bytes;
use chain_runtime::around::{
    Backoff, Budget, CatchPanic, Concurrency, Deadline, Permit, Retry, Wait, WholeConcurrency,
};
use chain_runtime::tailed::Tailed;
use chain_runtime::{Pool, chain, node};
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tokio::task::yield_now;
use tokio::time::{Instant, advance};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);

type Reply = Response<Tailed<Full<Bytes>, Option<Permit>>>;

/// Works in memory of the pool, and then does not say that it went well.
#[node]
async fn work(pool: &Arc<Pool<String>>, request: &Request<()>) -> Response<Full<Bytes>> {
    let mut line = pool.get_owned();
    yield_now().await;
    line.push_str(request.uri().path());
    let short = pool.get();
    yield_now().await;
    drop(short);
    let mut reply = Response::new(Full::from(line.clone()));
    *reply.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    reply
}

chain! {
    struct Nested {
        whole: WholeConcurrency<Reply>,
        room: Concurrency,
        queue: Concurrency<Wait>,
        again: Retry<fn(&Reply) -> bool>,
        attempt: Deadline,
        pool: Arc<Pool<String>>,
    }
    async fn(request: Request<()>) -> Reply {
        whole { room { queue { again { attempt { CatchPanic { work } } } } } }
    }
}

/// One retry for each request, and no reserve: so the balance tells who was counted, and what was paid.
fn nested(budget: &Budget) -> Nested {
    let worth: fn(&Reply) -> bool = |reply| reply.status() == StatusCode::SERVICE_UNAVAILABLE;
    Nested {
        whole: WholeConcurrency::shed(1),
        room: Concurrency::shed(1),
        queue: Concurrency::wait(1, HOUR),
        again: Retry::new(worth).backoff(Backoff::exponential(SECOND, SECOND)).attempts(2).budget(budget.clone()),
        attempt: Deadline::within(HOUR),
        pool: Arc::new(Pool::default()),
    }
}

fn nothing_is_out(chain: &Nested) {
    assert_eq!((chain.whole.available(), chain.room.available(), chain.queue.available()), (1, 1, 1));
    assert_eq!((chain.queue.waiting(), chain.pool.stats().in_use), (0, 0));
    assert_eq!(Deadline::current(), None);
}

/// Polls a run so often, and says whether it came to its end before.
async fn polled(run: impl Future, polls: usize) -> bool {
    let mut run = pin!(run);
    for _ in 0..polls {
        if run.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
            return true;
        }
        // Whatever it waits for.
        advance(SECOND).await;
    }
    false
}

#[tokio::test(start_paused = true)]
async fn what_a_run_takes_comes_back_wherever_it_is_dropped() {
    let mut ends = None;
    for polls in 0..20 {
        // A budget forgets: each run has its own.
        let budget = Budget::new(Duration::from_secs(60), 0, 1.0);
        let chain = nested(&budget);
        let began = Instant::now().into_std();
        let is_over = polled(chain.run(Request::new(())), polls).await;
        nothing_is_out(&chain);
        if polls == 1 {
            assert_eq!(budget.balance(began), 1, "a request is counted, also where its first try is never answered");
        }
        if is_over {
            ends.get_or_insert(polls);
        }
    }
    assert!(ends.is_some_and(|polls| polls > 4), "{ends:?}: it was dropped in each try and in the pause");
}

#[tokio::test(start_paused = true)]
async fn a_retry_is_paid_when_its_pause_is_over_and_not_before() {
    let budget = Budget::new(Duration::from_secs(60), 0, 1.0);
    let chain = nested(&budget);
    let balance = || budget.balance(Instant::now().into_std());
    {
        let mut run = pin!(chain.run(Request::new(())));
        let mut poll = || assert!(run.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        poll();
        assert_eq!(balance(), 1, "the request was counted when it came");
        while balance() > 0 {
            poll();
        }
        // It is taken for the time of the pause, in which the run is dropped.
    }
    assert_eq!(balance(), 1);
    nothing_is_out(&chain);
}

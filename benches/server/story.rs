//! The load of the founding story, in process: 120,000 requests a second through the 37 nodes, on one core, in an open
//! loop.

use std::collections::VecDeque;
use std::hint::{black_box, spin_loop};
use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use chain_benches::poll::block_on;
use chain_runtime::Pool;
use chain_runtime::observe::Observes;
use chain_runtime::telemetry::Meter;
use hdrhistogram::Histogram;
use http::request::Parts;
use http::{HeaderMap, StatusCode};

use crate::boxed::{Boxed, Cx};
use crate::calls;
use crate::nodes::{Gateway, Observed, Visit};
use crate::requests;

/// Requests a second.
pub(crate) const RATE: u64 = 120_000;
/// What is driven. `idle` has the same schedule and no work: it shows the machine's own noise. `metered` is the chain with a meter.
pub(crate) const KINDS: [&str; 5] = ["idle", "chain", "metered", "calls", "boxed"];
/// Requests that can be under way at once; more wait, and their waiting counts.
const PLACES: usize = 64;
/// Before anything is counted.
const WARM_UP: Duration = Duration::from_millis(300);

static REQUESTS: LazyLock<Vec<Parts>> = LazyLock::new(requests::parsed);
/// Times, counters and the slowest runs.
static METERED: LazyLock<Observed<Meter>> = LazyLock::new(|| Observed::with(1, Meter::of(Observed::<Meter>::CHAIN)));
static POOL: LazyLock<Pool<Visit>> = LazyLock::new(Pool::default);

/// What a run came to.
pub(crate) struct Run {
    /// Nanoseconds from when a request was due to its reply.
    pub latency: Histogram<u64>,
    /// The share of the time that the core spent on requests.
    pub busy: f64,
}

/// One kind, on this thread.
pub(crate) fn run(kind: &str, lasts: Duration) -> Run {
    let gateway: &'static Gateway = Box::leak(Box::new(Gateway::new(1)));
    let boxed: &'static Boxed = Box::leak(Box::new(Boxed::new()));
    match kind {
        "idle" => idle(lasts),
        "chain" => driven(lasts, |index| by_chain(gateway, index, status)),
        "metered" => driven(lasts, |index| by_chain(&*METERED, index, status)),
        "calls" => driven(lasts, |index| by_calls(gateway, index, status)),
        "boxed" => driven(lasts, |index| {
            Box::pin(by_boxes(gateway, boxed, index, status)) as Pin<Box<dyn Future<Output = StatusCode>>>
        }),
        _ => panic!("nothing is called `{kind}`"),
    }
}

/// What callgrind counts in: the gateway is made outside, since governor's clock begins with a calibration.
pub(crate) const COUNTED: &str = "counted_by_callgrind";

/// So many requests one after another.
pub(crate) fn counted(kind: &str, requests: u64) {
    let (gateway, boxed) = (Gateway::new(1), Boxed::new());
    // What is made at first use is made before.
    one_after_another(kind, &gateway, &boxed, 64);
    counted_by_callgrind(kind, &gateway, &boxed, requests);
}

#[inline(never)]
fn counted_by_callgrind(kind: &str, gateway: &Gateway, boxed: &Boxed, requests: u64) {
    one_after_another(black_box(kind), gateway, boxed, requests);
}

#[inline(never)]
fn one_after_another(kind: &str, gateway: &Gateway, boxed: &Boxed, requests: u64) {
    for index in 0..requests {
        black_box(match kind {
            "chain" => block_on(by_chain(gateway, index, status)),
            "metered" => block_on(by_chain(&*METERED, index, status)),
            "calls" => block_on(by_calls(gateway, index, status)),
            "boxed" => block_on(by_boxes(gateway, boxed, index, status)),
            _ => panic!("nothing is called `{kind}`"),
        });
    }
}

fn status(status: StatusCode, headers: &HeaderMap) -> StatusCode {
    black_box(headers);
    status
}

async fn by_chain<M: Observes, T>(gateway: &Observed<M>, index: u64, seen: fn(StatusCode, &HeaderMap) -> T) -> T {
    let request = request(index);
    let mut visit = POOL.get();
    let status = gateway.run(&request.method, &request.uri, &request.headers, &mut visit).await;
    seen(status, &visit.headers)
}

async fn by_calls<T>(gateway: &Gateway, index: u64, seen: fn(StatusCode, &HeaderMap) -> T) -> T {
    let request = request(index);
    let mut visit = POOL.get();
    let status = calls::run(gateway, &request.method, &request.uri, &request.headers, &mut visit).await;
    seen(status, &visit.headers)
}

async fn by_boxes<T>(gateway: &Gateway, boxed: &Boxed, index: u64, seen: fn(StatusCode, &HeaderMap) -> T) -> T {
    let request = request(index);
    let mut cx = Cx::new(&request.method, &request.uri, &request.headers);
    let status = boxed.run(gateway, &mut cx).await;
    seen(status, &cx.response)
}

fn request(index: u64) -> &'static Parts {
    &REQUESTS[index as usize % REQUESTS.len()]
}

/// All kinds give the same replies, or nothing is measured.
pub(crate) fn agree() {
    let seen = |status, headers: &HeaderMap| (status, headers.clone());
    let [one, two, three] = [1, 1, 1].map(Gateway::new);
    let boxed = Boxed::new();
    let mut refused = 0;
    for index in 0..REQUESTS.len() as u64 {
        let chain = block_on(by_chain(&one, index, seen));
        assert_eq!(chain, block_on(by_calls(&two, index, seen)), "request {index}: the calls reply otherwise");
        assert_eq!(
            chain,
            block_on(by_boxes(&three, &boxed, index, seen)),
            "request {index}: the boxed one replies otherwise"
        );
        refused += usize::from(chain.0 != StatusCode::OK);
    }
    assert!(refused > 0 && refused < REQUESTS.len() / 2, "{refused} of {} are refused", REQUESTS.len());
}

fn due(started: Instant, number: u64) -> Instant {
    started + Duration::from_nanos(number * 1_000_000_000 / RATE)
}

fn total(lasts: Duration) -> u64 {
    ((WARM_UP + lasts).as_secs_f64() * RATE as f64) as u64
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("these are bounds")
}

/// Looks at the clock, and does nothing when a request is due.
fn idle(lasts: Duration) -> Run {
    let mut latency = histogram();
    let started = Instant::now();
    for number in 0..total(lasts) {
        let due = due(started, number);
        let now = loop {
            let now = Instant::now();
            if now >= due {
                break now;
            }
            spin_loop();
        };
        if due >= started + WARM_UP {
            latency.saturating_record((now - due).as_nanos() as u64);
        }
    }
    Run { latency, busy: 0.0 }
}

/// A request under way, in memory that is used again.
struct Place<F> {
    future: Pin<Box<Option<F>>>,
    due: Instant,
}

/// The least executor: what is due begins, and what has suspended goes on in turn.
fn driven<F: Future<Output = StatusCode>>(lasts: Duration, begin: impl Fn(u64) -> F) -> Run {
    let mut latency = histogram();
    let mut places: Vec<_> = (0..PLACES).map(|_| Place { future: Box::pin(None::<F>), due: Instant::now() }).collect();
    let mut free: Vec<_> = (0..PLACES).collect();
    let mut suspended = VecDeque::with_capacity(PLACES);
    let mut context = Context::from_waker(Waker::noop());
    let total = total(lasts);
    let mut busy = Duration::ZERO;
    let started = Instant::now();
    let (mut begun, mut done) = (0, 0);
    while done < total {
        let mut now = Instant::now();
        let due = due(started, begun);
        let index = if begun < total && now >= due && !free.is_empty() {
            let index = free.pop().expect("one is free");
            places[index].due = due;
            places[index].future.set(Some(begin(begun)));
            begun += 1;
            index
        } else if let Some(index) = suspended.pop_front() {
            index
        } else {
            spin_loop();
            continue;
        };
        let place = &mut places[index];
        let poll = place.future.as_mut().as_pin_mut().expect("it is under way").poll(&mut context);
        match poll {
            Poll::Pending => suspended.push_back(index),
            Poll::Ready(status) => {
                black_box(status);
                place.future.set(None);
                free.push(index);
                done += 1;
            }
        }
        let began = std::mem::replace(&mut now, Instant::now());
        if place.due >= started + WARM_UP {
            busy += now - began;
            if poll.is_ready() {
                latency.saturating_record((now - place.due).as_nanos() as u64);
            }
        }
    }
    Run { latency, busy: busy.as_secs_f64() / (started.elapsed() - WARM_UP).as_secs_f64() }
}

//! Two latencies apart: the time of the gateway itself, and the time of an upstream.
#![cfg(all(feature = "pressure", feature = "http"))]

mod support;

use std::future::{Future, pending, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use chain_runtime::around::{Deadline, Expired};
use chain_runtime::pressure::{Adaptive, Anyone, Elsewhere, Gradient2, Judge, Limit, Sample, Verdict};
use chain_runtime::{chain, node};
use http::{Request, Response};
use support::ALLOCATIONS;
use tokio::task::JoinSet;
use tokio::time::{advance, sleep};

const MS: Duration = Duration::from_millis(1);

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(future)
}

async fn ask<L: Limit, B: Future>(limit: &Adaptive<Anyone, L>, block: B) -> B::Output {
    limit.around(pin!(block)).await.unwrap()
}

async fn away<B: Future>(elsewhere: &Elsewhere, block: B) -> B::Output {
    elsewhere.around(pin!(block)).await
}

/// Writes down what it is told: milliseconds, or that it was lost.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<Option<u128>>>>);

impl Limit for Told {
    fn limit(&self) -> usize {
        100
    }
    fn update(&mut self, sample: &Sample) -> usize {
        self.0.lock().unwrap().push(sample.round_trip.map(|time| time.as_millis()));
        100
    }
}

fn told() -> (Adaptive<Anyone, Told>, impl Fn() -> Vec<Option<u128>>) {
    let told = Told::default();
    let read = told.clone();
    let limit = Adaptive::new(told).window(Duration::ZERO).at_least(1);
    (limit, move || std::mem::take(&mut *read.0.lock().unwrap()))
}

/// Uses up so much of tokio's time, and does not suspend.
fn busy(time: Duration) {
    assert!(pin!(advance(time)).poll(&mut Context::from_waker(Waker::noop())).is_pending());
}

#[test]
fn waiting_elsewhere_is_not_its_own_and_waiting_and_work_here_is() {
    run(async {
        let (limit, samples) = told();
        let elsewhere = Elsewhere::new();
        let block = async {
            sleep(3 * MS).await;
            let upstream = async {
                busy(5 * MS);
                sleep(100 * MS).await;
                busy(7 * MS);
                sleep(100 * MS).await;
            };
            away(&elsewhere, upstream).await;
            sleep(11 * MS).await;
        };
        ask(&limit, block).await;
        // Tokio's timers have a grain of a millisecond, and there are four.
        let own = samples()[0].unwrap();
        assert!((26..=30).contains(&own), "{own}");
    });
}

/// A future that is woken some time before it is polled.
struct WokenEarly(u32);

impl Future for WokenEarly {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.0 += 1;
        match self.0 {
            1 => {
                let waker = context.waker().clone();
                tokio::spawn(async move {
                    sleep(50 * MS).await;
                    waker.wake();
                    // The worker has other things to do.
                    busy(30 * MS);
                });
                Poll::Pending
            }
            _ => Poll::Ready(()),
        }
    }
}

#[test]
fn the_time_from_being_woken_to_being_polled_is_its_own() {
    run(async {
        let (limit, samples) = told();
        let elsewhere = Elsewhere::new();
        ask(&limit, away(&elsewhere, WokenEarly(0))).await;
        let own = samples()[0].unwrap();
        assert!((30..=31).contains(&own), "{own}");
    });
}

#[test]
fn what_is_elsewhere_for_an_inner_limit_is_so_for_the_outer_one_and_counts_once() {
    run(async {
        let ((outer, outer_samples), (inner, inner_samples)) = (told(), told());
        let (one, two) = (Elsewhere::new(), Elsewhere::new());
        let upstream = away(&one, away(&two, sleep(50 * MS)));
        let block = async {
            sleep(10 * MS).await;
            ask(&inner, async {
                sleep(20 * MS).await;
                upstream.await
            })
            .await;
        };
        ask(&outer, block).await;
        let (outer, inner) = (outer_samples()[0].unwrap(), inner_samples()[0].unwrap());
        assert!((30..=33).contains(&outer) && (20..=22).contains(&inner), "{outer} {inner}");
    });
}

#[test]
fn what_two_wait_for_elsewhere_at_once_counts_once() {
    run(async {
        let ((outer, outer_samples), (inner, inner_samples)) = (told(), told());
        let (one, two) = (Elsewhere::new(), Elsewhere::new());
        let block = async {
            sleep(40 * MS).await;
            tokio::join!(away(&one, sleep(100 * MS)), away(&two, sleep(60 * MS)), async {
                ask(&inner, away(&two, sleep(80 * MS))).await;
            });
        };
        ask(&outer, block).await;
        let (outer, inner) = (outer_samples()[0].unwrap(), inner_samples()[0].unwrap());
        assert!((40..=44).contains(&outer) && inner <= 1, "{outer} {inner}");
    });
}

#[test]
fn who_is_still_elsewhere_when_another_is_back_is_elsewhere_at_a_deadline() {
    run(async {
        let (limit, samples) = told();
        let (elsewhere, inner) = (Elsewhere::new(), told().0);
        for is_inner in [false, true] {
            let run = async {
                let other = async {
                    match is_inner {
                        false => away(&elsewhere, sleep(10 * MS)).await,
                        true => ask(&inner, sleep(10 * MS)).await,
                    }
                };
                let block = async { tokio::join!(biased; away(&elsewhere, pending::<()>()), other) };
                Deadline::within(200 * MS).around(pin!(ask(&limit, block))).await
            };
            {
                let mut run = pin!(run);
                let mut poll = || assert!(run.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
                poll();
                advance(20 * MS).await;
                poll();
                advance(300 * MS).await;
            }
            assert_eq!(samples(), [], "the time went by elsewhere");
        }
    });
}

#[test]
fn a_limit_that_stands_elsewhere_goes_by_what_is_elsewhere() {
    run(async {
        let ((outer, outer_samples), (inner, inner_samples)) = (told(), told());
        let elsewhere = Elsewhere::new();
        ask(&outer, away(&elsewhere, ask(&inner, sleep(50 * MS)))).await;
        let (outer, inner) = (outer_samples()[0].unwrap(), inner_samples()[0].unwrap());
        assert!(outer <= 1 && (50..=51).contains(&inner), "{outer} {inner}");
    });
}

#[test]
fn a_deadline_that_is_up_is_charged_to_who_took_the_time() {
    run(async {
        let (limit, samples) = told();
        let (elsewhere, deadline) = (Elsewhere::new(), Deadline::within(40 * MS));
        // Inside of what is elsewhere: an upstream's business.
        let upstream = async { deadline.around(pin!(pending::<()>())).await };
        assert_eq!(ask(&limit, away(&elsewhere, upstream)).await, Err(Expired));
        assert!(samples()[0].unwrap() <= 1);
        // Around it: it was elsewhere for most of the time.
        let abandoned = async { deadline.around(pin!(away(&elsewhere, pending::<()>()))).await };
        assert_eq!(ask(&limit, abandoned).await, Err(Expired));
        assert_eq!(samples(), []);
        // The gateway itself took it.
        let own = async {
            deadline
                .around(pin!(async {
                    sleep(30 * MS).await;
                    away(&elsewhere, pending::<()>()).await
                }))
                .await
        };
        assert_eq!(ask(&limit, own).await, Err(Expired));
        assert_eq!(samples(), [None]);
    });
}

#[test]
fn a_deadline_around_the_limit_is_charged_to_who_took_the_time() {
    run(async {
        let (limit, samples) = told();
        let limit = limit.timeout(60 * MS);
        let (elsewhere, deadline) = (Elsewhere::new(), Deadline::within(100 * MS));
        let outer = async |own: Duration| {
            let block = async {
                sleep(own).await;
                away(&elsewhere, pending::<()>()).await;
            };
            deadline.around(pin!(ask(&limit, block))).await
        };
        assert_eq!(outer(10 * MS).await, Err(Expired));
        assert_eq!(samples(), [], "it was elsewhere for most of the time, and its own was less than the time-out");
        assert_eq!(outer(55 * MS).await, Err(Expired));
        assert_eq!(samples(), [None]);
        // Somebody else gives it up, long before the deadline.
        let given_up = tokio::time::timeout(30 * MS, deadline.around(pin!(ask(&limit, pending::<()>())))).await;
        assert!(given_up.is_err());
        assert_eq!(samples(), []);
    });
}

#[test]
fn a_block_that_is_dropped_in_another_run_is_not_charged_to_that() {
    run(async {
        let (limit, samples) = told();
        let elsewhere = Elsewhere::new();
        let mut other = Box::pin(ask(&limit, away(&elsewhere, pending::<()>())));
        assert!(poll_fn(|context| Poll::Ready(other.as_mut().poll(context))).await.is_pending());
        advance(500 * MS).await;
        ask(&limit, async {
            sleep(20 * MS).await;
            drop(other)
        })
        .await;
        let own = samples()[0].unwrap();
        assert!((20..=21).contains(&own), "{own}");
        assert_eq!(limit.status().in_flight, 0);
    });
}

#[test]
fn a_reply_is_what_a_judge_says_it_is() {
    run(async {
        let (limit, samples) = told();
        let judge = Judge::new(|status: &u16| match status {
            503 => Verdict::Lost,
            429 => Verdict::Ignored,
            _ => Verdict::Replied,
        });
        for (status, expected) in [(200, vec![Some(0)]), (503, vec![None]), (429, vec![])] {
            ask(&limit, async { judge.around(pin!(async { status })).await }).await;
            assert_eq!(samples(), expected, "{status}");
        }
        // One elsewhere says nothing to the limit around that.
        let elsewhere = Elsewhere::new();
        ask(&limit, away(&elsewhere, async { judge.around(pin!(async { 503 })).await })).await;
        assert_eq!(samples(), [Some(0)]);
    });
}

#[test]
fn being_elsewhere_allocates_nothing_once_it_is_warm() {
    run(async {
        let (limit, elsewhere) = (Adaptive::<Anyone, _>::fixed(1), Elsewhere::new());
        let round = || ask(&limit, away(&elsewhere, tokio::task::yield_now()));
        round().await;
        let before = ALLOCATIONS.get();
        round().await;
        assert_eq!(ALLOCATIONS.get() - before, 0);
    });
}

// One slow upstream

/// How an upstream fares: so many at once without waiting, so long for each.
struct Server {
    takes: Mutex<Duration>,
    places: tokio::sync::Semaphore,
}

impl Server {
    fn new() -> Self {
        Self { takes: Mutex::new(10 * MS), places: tokio::sync::Semaphore::new(20) }
    }
    async fn serve(&self) {
        let _place = self.places.acquire().await.unwrap();
        let takes = *self.takes.lock().unwrap();
        sleep(takes).await;
    }
}

struct A(Server);
struct B(Server);

enum Route {
    A,
    B,
}

#[node]
fn route(request: &Request<()>) -> Route {
    if request.uri().path() == "/a" { Route::A } else { Route::B }
}

#[node]
async fn proxy_a(a: &A) -> Response<String> {
    a.0.serve().await;
    Response::default()
}

#[node]
async fn proxy_b(b: &B) -> Response<String> {
    b.0.serve().await;
    Response::default()
}

chain! {
    struct Gateway {
        global: Adaptive,
        elsewhere: Elsewhere,
        limit_a: Adaptive,
        limit_b: Adaptive,
        a: A,
        b: B,
    }
    async fn(request: Request<()>) -> Response<String> {
        global {
            match route {
                Route::A => elsewhere { limit_a { proxy_a } },
                Route::B => elsewhere { limit_b { proxy_b } },
            }
        }
    }
}

/// Two requests a millisecond, one for each, for so many milliseconds. Says how many of each were served.
async fn load(gateway: &Arc<Gateway>, ms: u32) -> (u32, u32) {
    let mut asks = JoinSet::new();
    for _ in 0..ms {
        for path in ["/a", "/b"] {
            let gateway = Arc::clone(gateway);
            asks.spawn(async move {
                let reply = gateway.run(Request::get(path).body(()).unwrap()).await;
                (path, reply.status() == 200)
            });
        }
        sleep(MS).await;
    }
    let all = asks.join_all().await;
    let served = |of: &str| all.iter().filter(|(path, served)| *path == of && *served).count() as u32;
    (served("/a"), served("/b"))
}

#[test]
fn one_slow_upstream_makes_its_own_limit_smaller_and_no_other() {
    run(async {
        let limit = || Adaptive::new(Gradient2::new().initial(40).max(60).seed(5));
        let gateway = Arc::new(Gateway {
            global: Adaptive::new(Gradient2::new().initial(150).max(200).seed(6)),
            elsewhere: Elsewhere::new(),
            limit_a: limit(),
            limit_b: limit(),
            a: A(Server::new()),
            b: B(Server::new()),
        });
        let (a, b) = load(&gateway, 2_000).await;
        assert_eq!((a, b), (2_000, 2_000));
        let before = (gateway.global.status().limit, gateway.limit_b.status().limit);
        assert!(gateway.limit_a.status().limit >= 40);

        // A takes ten times as long, and so can serve a fifth of what comes.
        *gateway.a.0.takes.lock().unwrap() = 100 * MS;
        let (a, b) = load(&gateway, 4_000).await;
        let (global, limit_a) = (gateway.global.status(), gateway.limit_a.status());
        assert!(limit_a.limit <= 25, "{limit_a:?}");
        assert!(global.limit >= before.0 && gateway.limit_b.status().limit >= before.1, "{before:?} {global:?}");
        assert_eq!(b, 4_000, "all of B were served");
        assert!(a > 500, "A serves what it can: {a}");
        assert_eq!((global.turned_away_in_all(), global.in_flight), (0, 0));
    });
}

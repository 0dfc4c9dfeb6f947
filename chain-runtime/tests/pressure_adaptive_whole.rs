//! `WholeAdaptive`: a permit that goes with the reply's body.
#![cfg(all(feature = "pressure", feature = "http-body"))]

use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use chain_runtime::around::Deadline;
use chain_runtime::pressure::{
    Adaptive, Admitted, Anyone, ByPriority, Fixed, Limit, Priority, Reason, Sample, WholeAdaptive,
};
use chain_runtime::tailed::Tailed;
use chain_runtime::{chain, node};
use futures_util::FutureExt as _;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use tokio::time::sleep;

const MS: Duration = Duration::from_millis(1);

type Reply<L = Fixed> = Response<Tailed<Full<Bytes>, Option<Admitted<L>>>>;

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(future)
}

fn reply<L: Limit>() -> Reply<L> {
    Response::new(Full::from("hello").into())
}

#[test]
fn the_permit_is_held_until_the_body_is_sent_or_dropped() {
    run(async {
        let room: WholeAdaptive<Reply, Anyone, Fixed> = Adaptive::fixed(2).queue(0).into();
        let (one, two) =
            (room.around(pin!(async { reply() })).await.unwrap(), room.around(pin!(async { reply() })).await);
        assert_eq!(room.status().in_flight, 2);
        assert_eq!(room.around(pin!(async { reply() })).await.unwrap_err().reason, Reason::Full);
        assert_eq!(one.into_body().collect().await.unwrap().to_bytes(), "hello");
        assert_eq!(room.status().in_flight, 1);
        drop(two);
        assert_eq!(room.status().in_flight, 0);
    });
}

#[test]
fn without_a_reply_it_is_given_back_where_the_block_is_dropped_or_panics() {
    run(async {
        let room: WholeAdaptive<Reply, Anyone, Fixed> = Adaptive::fixed(1).queue(0).into();
        assert!(Deadline::within(MS).around(pin!(room.around(pin!(pending())))).await.is_err());
        assert_eq!(room.status().in_flight, 0);
        let panics = async { room.around(pin!(async { panic!("on purpose") })).await };
        assert!(AssertUnwindSafe(panics).catch_unwind().await.is_err());
        assert_eq!(room.status().in_flight, 0);
    });
}

#[test]
fn who_waits_is_let_in_when_a_body_is_at_its_end() {
    run(async {
        let room: WholeAdaptive<Reply, Anyone, Fixed> = Adaptive::fixed(1).into();
        let first = room.around(pin!(async { reply() })).await.unwrap();
        let ends = async {
            sleep(20 * MS).await;
            drop(first);
        };
        let (second, ()) = tokio::join!(async { room.around(pin!(async { reply() })).await }, ends);
        assert!(second.is_ok());
        assert_eq!(room.status().in_flight, 1);
    });
}

/// Writes down milliseconds.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<Option<u128>>>>);

impl Limit for Told {
    fn limit(&self) -> usize {
        10
    }
    fn update(&mut self, sample: &Sample) -> usize {
        self.0.lock().unwrap().push(sample.round_trip.map(|time| time.as_millis()));
        10
    }
}

#[test]
fn a_sample_ends_with_the_head() {
    run(async {
        let told = Told::default();
        let limit = Adaptive::new(told.clone()).window(Duration::ZERO).at_least(1);
        let room: WholeAdaptive<Reply<Told>, Anyone, Told> = limit.into();
        let slow = async {
            sleep(20 * MS).await;
            reply()
        };
        let reply = room.around(pin!(slow)).await.unwrap();
        sleep(500 * MS).await;
        drop(reply);
        assert_eq!(*told.0.lock().unwrap(), [Some(20)]);
    });
}

#[node]
fn classify(request: &Request<()>) -> Priority {
    request.uri().path()[1..].parse().unwrap_or_default()
}

#[node]
async fn answer(_request: &Request<()>) -> Response<Full<Bytes>> {
    sleep(MS).await;
    Response::new(Full::from("hello"))
}

chain! {
    struct Gateway { room: WholeAdaptive<Reply, ByPriority, Fixed> }
    async fn(request: Request<()>) -> Reply { classify => room { answer } }
}

#[test]
fn in_a_chain_it_goes_by_priority() {
    run(async {
        let gateway = Gateway { room: Adaptive::fixed(1).queue(1).into() };
        let ask = |path| gateway.run(Request::get(path).body(()).unwrap());
        let sent = async |path| {
            let reply = ask(path).await;
            (reply.status().as_u16(), reply.into_body().collect().await.is_ok())
        };
        let all = tokio::join!(sent("/default"), sent("/sheddable"), sent("/critical"));
        assert_eq!(all, ((200, true), (503, true), (200, true)));
        assert_eq!(gateway.room.status().turned_away(Reason::Outranked, Priority::Sheddable), 1);
        assert_eq!(gateway.room.status().in_flight, 0);
    });
}

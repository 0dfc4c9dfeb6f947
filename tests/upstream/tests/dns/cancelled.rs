//! Futures that are dropped midway, at each of their awaits.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use chain_runtime::upstream::{Dns, Resolver, Source as _};
use hickory_proto::op::ResponseCode;

use crate::server::{Mood, Server};
use crate::support::{Clock, Make, SECOND, address, known, real};

/// Polls so often, each time when something may have come, and drops it. Returns what it gave, if it did.
async fn polled<F: Future>(future: F, times: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..times {
        if let Poll::Ready(output) = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await {
            return Some(output);
        }
        real(SECOND / 200).await;
    }
    None
}

#[tokio::test(start_paused = true)]
async fn a_round_that_is_dropped_at_any_await_was_none() {
    let (_clock, server) = (Clock::hold(), Server::start());
    server.service("_http._tcp.orders.test", 5, &[(1, 1, 80, "a.test"), (1, 1, 80, "b.test")]);
    server.host("a.test", 5, &["10.0.0.1"]);
    server.host("b.test", 5, &["10.0.0.2"]);
    // Of one permit, none may be lost.
    let resolver = known(Resolver::at([server.address]).with_at_once(1));
    let mut source = Dns::service(&resolver, "_http._tcp.orders.test", address as Make).unwrap();
    let mut times = 0;
    let list = loop {
        times += 1;
        assert!(times < 200, "it never completes");
        if let Some(told) = polled(source.next(), times).await {
            break told;
        }
    };
    assert!(times > 3, "it was dropped midway");
    let names: Vec<_> = list.unwrap().unwrap().into_iter().map(|member| member.name.to_string()).collect();
    assert_eq!(names, ["10.0.0.1:80", "10.0.0.2:80"]);
    assert_eq!(resolver.asked().failed, 0, "what was cancelled has not failed");
}

/// Whoever waits anew does not wait longer.
#[tokio::test(start_paused = true)]
async fn a_wait_that_is_dropped_goes_on_in_the_next() {
    let (clock, server) = (Clock::hold(), Server::start());
    server.host("orders.test", 10, &["10.0.0.7"]);
    let mut source = Dns::host(&known(Resolver::at([server.address])), "orders.test", 80, address as Make).unwrap();
    source.next().await.unwrap().unwrap();
    server.host("orders.test", 10, &["10.0.0.8"]);
    for _ in 0..9 {
        assert!(polled(source.next(), 2).await.is_none());
        clock.pass(SECOND).await;
    }
    assert_eq!(server.asked(), 2);
    clock.pass(2 * SECOND).await;
    let members = source.next().await.unwrap().unwrap();
    assert_eq!(&*members[0].name, "10.0.0.8:80");
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_dropped_leaves_its_place_to_the_next() {
    let (clock, server) = (Clock::hold(), Server::start());
    let resolver = known(Resolver::at([server.address]).with_threshold(0.5, 2, 60 * SECOND));
    server.mood(Mood::Code(ResponseCode::ServFail));
    let mut source = Dns::host(&resolver, "orders.test", 80, address as Make).unwrap();
    assert!(source.next().await.unwrap().unwrap_err().to_string().contains("isolated"));
    server.mood(Mood::Silent);
    clock.pass(6 * SECOND).await;
    let before = resolver.asked();
    assert!(polled(source.next(), 3).await.is_none(), "a probe is under way");
    server.mood(Mood::Well);
    server.host("orders.test", 10, &["10.0.0.7"]);
    let members = source.next().await.unwrap().unwrap();
    assert_eq!(&*members[0].name, "10.0.0.7:80");
    assert_eq!((resolver.asked().failed, resolver.isolation()), (before.failed, None));
}

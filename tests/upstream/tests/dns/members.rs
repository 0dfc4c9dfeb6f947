//! Which members an answer makes, and when it is asked for anew.

use std::sync::Arc;

use crate::server::Server;
use crate::support::{Clock, Followed, SECOND, host};

#[tokio::test(start_paused = true)]
async fn an_answer_is_asked_for_anew_when_it_has_run_out() {
    let (clock, server) = (Clock::hold(), Server::start());
    server.host("orders.test", 30, &["10.0.0.7", "10.0.0.8", "2001:db8::7"]);
    let followed = Followed::start(host(&server, "orders.test"));
    assert_eq!(followed.told(1).await, "3 added, 0 removed, 0 with another weight, 0 kept");
    assert_eq!(followed.names(), ["10.0.0.7:80", "10.0.0.8:80", "[2001:db8::7]:80"]);
    server.host("orders.test", 30, &["10.0.0.8", "10.0.0.9"]);
    clock.pass(29 * SECOND).await;
    assert_eq!(server.asked(), 2, "A and AAAA");
    clock.pass(5 * SECOND).await;
    assert_eq!(followed.told(2).await, "1 added, 2 removed, 0 with another weight, 1 kept");
    assert_eq!(server.asked(), 4);
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_takes_nothing_new_and_finishes_what_it_has() {
    let (clock, server) = (Clock::hold(), Server::start());
    server.host("orders.test", 10, &["10.0.0.7", "10.0.0.8"]);
    let followed = Followed::start(host(&server, "orders.test"));
    followed.told(1).await;
    let (stays, goes) = (followed.seat("10.0.0.8:80"), followed.seat("10.0.0.7:80"));
    let request = goes.begin().unwrap();
    server.host("orders.test", 10, &["10.0.0.8"]);
    clock.pass(12 * SECOND).await;
    followed.told(2).await;
    assert!(goes.begin().is_none(), "nothing new");
    assert_eq!(goes.in_flight(), 1, "what it has goes on");
    assert!(Arc::ptr_eq(&stays, &followed.seat("10.0.0.8:80")), "with its latency and its health");
    drop(request);
    assert_eq!(goes.in_flight(), 0);
}

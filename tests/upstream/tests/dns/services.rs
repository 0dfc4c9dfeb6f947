//! Services: priorities, weights, ports and targets.

use std::net::SocketAddr;

use chain_runtime::upstream::{Dns, Resolved, Resolver, Source as _};
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;

use crate::server::Server;
use crate::support::{Clock, Followed, Make, SECOND, address, known};

const NAME: &str = "_http._tcp.orders.test";

fn service(server: &Server) -> Dns<Make> {
    Dns::service(&known(Resolver::at([server.address])), NAME, address as Make).unwrap()
}

fn weights(of: &[(&str, u32)]) -> Vec<(String, u32)> {
    of.iter().map(|&(name, weight)| (name.to_owned(), weight)).collect()
}

/// Three targets, each with an address that ends as it is called.
fn hosts(server: &Server) {
    for (host, last) in [("a.test", 1), ("b.test", 2), ("c.test", 3)] {
        server.host(host, 5, &[&format!("10.0.0.{last}")]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_lowest_priority_is_used_with_its_weights_and_ports() {
    let (_clock, server) = (Clock::hold(), Server::start());
    hosts(&server);
    server.service(
        NAME,
        30,
        &[(20, 9, 83, "c.test"), (10, 0, 81, "a.test"), (10, 60, 82, "B.Test"), (10, 5, 84, "b.test")],
    );
    let followed = Followed::start(service(&server).weight(2));
    followed.told(1).await;
    assert_eq!(followed.weights(), weights(&[("10.0.0.1:81", 2), ("10.0.0.2:82", 120), ("10.0.0.2:84", 10)]));
    assert_eq!(server.asked_for("c.test"), 0, "nobody needs to know");
    assert_eq!(server.asked_for("b.test"), 2, "once, and not for each port");
}

#[tokio::test(start_paused = true)]
async fn the_next_priority_is_used_while_the_lowest_has_nobody() {
    let (clock, server) = (Clock::hold(), Server::start());
    hosts(&server);
    server.service(NAME, 5, &[(20, 1, 80, "b.test"), (10, 1, 80, "a.test")]);
    let followed = Followed::start(service(&server));
    followed.told(1).await;
    assert_eq!(followed.names(), ["10.0.0.1:80"]);
    server.no_host("a.test", 5);
    clock.pass(6 * SECOND).await;
    followed.told(2).await;
    assert_eq!(followed.names(), ["10.0.0.2:80"], "at once");
    hosts(&server);
    clock.pass(6 * SECOND).await;
    followed.told(3).await;
    assert_eq!(followed.names(), ["10.0.0.1:80"]);
}

#[tokio::test(start_paused = true)]
async fn a_target_that_fails_keeps_its_own_last_good_answer() {
    let (clock, server) = (Clock::hold(), Server::start());
    hosts(&server);
    server.service(NAME, 5, &[(10, 1, 80, "a.test"), (10, 1, 80, "b.test")]);
    let followed = Followed::start(service(&server));
    followed.told(1).await;
    server.code("a.test", RecordType::A, ResponseCode::ServFail);
    server.code("a.test", RecordType::AAAA, ResponseCode::ServFail);
    server.host("b.test", 5, &["10.0.0.22"]);
    clock.pass(6 * SECOND).await;
    let said = followed.told(3).await;
    assert_eq!(followed.names(), ["10.0.0.1:80", "10.0.0.22:80"]);
    assert!(said.contains("_http._tcp.orders.test is not resolved"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_says_it_is_not_there_is_gone_at_once() {
    let (clock, server) = (Clock::hold(), Server::start());
    hosts(&server);
    server.service(NAME, 5, &[(10, 1, 80, "a.test"), (10, 1, 80, ".")]);
    let followed = Followed::start(service(&server));
    followed.told(1).await;
    assert_eq!(followed.names(), ["10.0.0.1:80"], "beside others it is nobody");
    server.service(NAME, 5, &[(0, 0, 0, ".")]);
    clock.pass(6 * SECOND).await;
    assert_eq!(followed.heard()[1], "0 added, 1 removed, 0 with another weight, 0 kept");
    assert!(followed.told(3).await.ends_with("_http._tcp.orders.test has no addresses"));
    assert_eq!(server.asked_for("."), 0);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_nobody_knows_keeps_its_members_for_a_while() {
    let (clock, server) = (Clock::hold(), Server::start());
    hosts(&server);
    server.service(NAME, 5, &[(10, 1, 80, "a.test")]);
    let followed = Followed::start(service(&server));
    followed.told(1).await;
    server.no_host(NAME, 5);
    clock.pass(25 * SECOND).await;
    assert_eq!(followed.names(), ["10.0.0.1:80"]);
    clock.pass(20 * SECOND).await;
    assert!(followed.names().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_name_of_a_service_comes_without_its_protocol() {
    let (_clock, server) = (Clock::hold(), Server::start());
    hosts(&server);
    server.service(NAME, 5, &[(10, 1, 8080, "A.test")]);
    let said = |found: Resolved<'_>| (found.name.to_owned(), found.target.to_owned(), found.address);
    let mut source = Dns::service(&known(Resolver::at([server.address])), NAME, said).unwrap();
    let members = source.next().await.unwrap().unwrap();
    let expected = ("orders.test".to_owned(), "a.test".to_owned(), SocketAddr::from(([10, 0, 0, 1], 8080)));
    assert_eq!(members[0].endpoint, expected);
}

#[tokio::test(start_paused = true)]
async fn a_service_with_more_targets_than_are_taken_asks_for_no_more() {
    let (_clock, server) = (Clock::hold(), Server::start());
    let names: Vec<String> = (0..40).map(|at| format!("t{at:02}.test")).collect();
    for (at, name) in names.iter().enumerate() {
        server.host(name, 30, &[&format!("10.0.0.{at}")]);
    }
    let records: Vec<_> = names.iter().map(|name| (1, 1, 80, &**name)).collect();
    server.service(NAME, 30, &records);
    let followed = Followed::start(service(&server).at_most(8));
    assert!(followed.told(2).await.contains("32 addresses of _http._tcp.orders.test are left out: at most 8"));
    assert_eq!((followed.names().len(), server.asked()), (8, 1 + 2 * 8));
}

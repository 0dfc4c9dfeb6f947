//! The members that an answer makes, and when it is asked for again.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use chain_runtime::upstream::{Dns, Family, Registry, Resolved, Resolver, Source as _};

use crate::server::{Server, alias, v4};
use crate::support::{Clock, Followed, SECOND, host, known};

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

#[tokio::test(start_paused = true)]
async fn a_time_to_live_counts_within_limits() {
    for (ttl, before, after) in [(0, 4, 6), (1, 4, 6), (20, 19, 23), (86_400, 299, 331)] {
        let (clock, server) = (Clock::hold(), Server::start());
        server.host("orders.test", ttl, &["10.0.0.7"]);
        let followed = Followed::start(host(&server, "orders.test"));
        followed.told(1).await;
        clock.pass(before * SECOND).await;
        assert_eq!(server.asked(), 2, "{ttl} s");
        clock.pass((after - before) * SECOND).await;
        assert_eq!(server.asked(), 4, "{ttl} s");
    }
}

#[tokio::test(start_paused = true)]
async fn the_least_time_to_live_counts() {
    let (clock, server) = (Clock::hold(), Server::start());
    server.records("orders.test", 200, &[("orders.test", alias("a.test"))]);
    server.host("a.test", 10, &["10.0.0.7"]);
    let followed = Followed::start(host(&server, "orders.test"));
    followed.told(1).await;
    clock.pass(12 * SECOND).await;
    assert_eq!(server.asked_for("a.test"), 4);
}

#[tokio::test(start_paused = true)]
async fn neither_order_nor_case_makes_a_change() {
    let (clock, server) = (Clock::hold(), Server::start());
    server.host("orders.test", 5, &["10.0.0.7", "10.0.0.8", "10.0.0.9"]);
    let followed = Followed::start(host(&server, "Orders.TEST"));
    followed.told(1).await;
    let version = followed.registry.snapshot().version();
    for addresses in [["10.0.0.9", "10.0.0.8", "10.0.0.7"], ["10.0.0.8", "10.0.0.9", "10.0.0.7"]] {
        server.records("orders.test", 5, &addresses.map(|address| ("oRDERS.tesT", v4(address))));
        clock.pass(6 * SECOND).await;
    }
    assert!(server.asked() >= 6);
    assert_eq!((followed.registry.snapshot().version(), followed.heard().len()), (version, 1));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_too_long_for_a_datagram_comes_over_tcp() {
    let (_clock, server) = (Clock::hold(), Server::start());
    let all: Vec<IpAddr> = (0..200_u8).map(|last| IpAddr::from([10, 0, 0, last])).collect();
    server.addresses("orders.test", 30, &all);
    let followed = Followed::start(host(&server, "orders.test"));
    followed.told(1).await;
    assert_eq!((followed.names().len(), server.over_tcp()), (200, 1));
}

/// A message is 64 KiB at most, and has room for 4,000 addresses of IPv4. So these are two, for a short name.
#[tokio::test(start_paused = true)]
async fn of_5000_addresses_1000_are_taken_and_always_the_same() {
    let (clock, server) = (Clock::hold(), Server::start());
    let v4 = (0..3_000_u16).map(|n| IpAddr::from([10, 0, (n >> 8) as u8, n as u8]));
    let v6 = (0..2_000_u16).map(|n| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, n]));
    let mut all: Vec<IpAddr> = v4.chain(v6).collect();
    server.addresses("o", 5, &all);
    let followed = Followed::start(host(&server, "o"));
    let said = followed.told(2).await;
    assert_eq!(followed.heard()[0], "1000 added, 0 removed, 0 with another weight, 0 kept");
    assert!(said.contains("4000 addresses of o are left out: at most 1000"), "{said}");
    let names = followed.names();
    all.reverse();
    server.addresses("o", 5, &all);
    clock.pass(6 * SECOND).await;
    assert!(server.asked() > 4);
    assert_eq!((followed.names(), followed.heard().len()), (names, 2));
}

#[tokio::test(start_paused = true)]
async fn one_kind_of_addresses_is_asked_for_where_it_is_said() {
    let (_clock, server) = (Clock::hold(), Server::start());
    server.host("orders.test", 30, &["10.0.0.7", "2001:db8::7"]);
    let followed = Followed::start(host(&server, "orders.test").family(Family::V6).weight(3).zone("a"));
    followed.told(1).await;
    assert_eq!(followed.weights(), [("[2001:db8::7]:80".to_owned(), 3)]);
    assert_eq!(followed.seat("[2001:db8::7]:80").zone(), Some("a"));
    assert_eq!(server.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_literal_address_is_its_own_answer() {
    let server = Server::start();
    let registry: Registry<SocketAddr> = Registry::new();
    for literal in ["10.0.0.7", "::1", "[2001:db8::7]"] {
        // It completes: nothing else will come.
        registry
            .follow(host(&server, literal).weight(2), |told| assert!(told.to_string().starts_with("1 added")))
            .await;
    }
    let snapshot = registry.snapshot();
    let names: Vec<_> = snapshot.members().iter().map(|entry| (entry.seat().name(), entry.weight().get())).collect();
    assert_eq!(names, [("10.0.0.7:80", 2), ("[2001:db8::7]:80", 2), ("[::1]:80", 2)]);
    assert_eq!(server.asked(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_name_comes_with_the_address() {
    let (_clock, server) = (Clock::hold(), Server::start());
    server.host("orders.test", 30, &["10.0.0.7"]);
    let resolver = known(Resolver::at([server.address]));
    let said = |found: Resolved<'_>| format!("{} {} {}", found.name, found.target, found.address);
    let mut source = Dns::host(&resolver, "Orders.Test.", 8080, said).unwrap();
    let members = source.next().await.unwrap().unwrap();
    assert_eq!((&*members[0].name, &*members[0].endpoint), ("10.0.0.7:8080", "orders.test orders.test 10.0.0.7:8080"));
}

#[test]
fn what_is_no_name_is_refused_at_once() {
    let resolver = Resolver::at([]);
    let refused = |host: &str, port| Dns::host(&resolver, host, port, |found| found.address).unwrap_err().to_string();
    assert_eq!(
        refused("bücher.example", 80),
        "`bücher.example` cannot be asked for: write an international name in its ASCII form, `xn--..`"
    );
    assert!(refused("10.0.0.300", 80).contains("neither an address nor a name"));
    assert!(refused("orders.test", 0).contains("a port of 0"));
    assert!(Dns::service(&resolver, "10.0.0.7", |found| found.address).is_err());
}

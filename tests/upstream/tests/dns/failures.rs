//! A resolver that fails: the last good answer stays.

use chain_runtime::upstream::{Dns, Resolver};
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;

use crate::server::{Mood, Server};
use crate::support::{Clock, Followed, Make, SECOND, address, gives_answers, host, known, real, until};

#[tokio::test(start_paused = true)]
async fn whatever_a_resolver_does_the_last_good_answer_stays_and_it_is_told_once() {
    for (mood, why) in [
        (Mood::Silent, "timed out"),
        (Mood::Code(ResponseCode::ServFail), "Server Failure"),
        (Mood::Code(ResponseCode::Refused), "Query Refused"),
        (Mood::Code(ResponseCode::NotImp), "Not Implemented"),
        (Mood::Garbage, "timed out"),
        (Mood::WrongId, "timed out"),
        (Mood::WrongQuestion, ""),
        (Mood::Cut, ""),
    ] {
        let (clock, server) = (Clock::hold(), Server::start());
        server.host("orders.test", 5, &["10.0.0.7", "10.0.0.8"]);
        let followed = Followed::start(host(&server, "orders.test"));
        followed.told(1).await;
        let version = followed.registry.snapshot().version();
        server.mood(mood);
        server.host("orders.test", 5, &["10.0.0.9"]);
        clock.pass(11 * SECOND).await;
        let said = followed.told(2).await;
        assert!(said.starts_with("the members stay as they are: orders.test is not resolved: "), "{mood:?}: {said}");
        assert!(said.contains(why), "{mood:?}: {said}");
        assert_eq!(followed.registry.snapshot().version(), version, "{mood:?}");
        server.mood(Mood::Well);
        clock.pass(12 * SECOND).await;
        assert_eq!(followed.names(), ["10.0.0.9:80"], "{mood:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_resolver_that_is_well_again_is_told_where_nothing_has_changed() {
    let (clock, server) = (Clock::hold(), Server::start());
    server.host("orders.test", 5, &["10.0.0.7"]);
    let followed = Followed::start(host(&server, "orders.test"));
    followed.told(1).await;
    server.mood(Mood::Code(ResponseCode::ServFail));
    clock.pass(7 * SECOND).await;
    followed.told(2).await;
    server.mood(Mood::Well);
    clock.pass(7 * SECOND).await;
    assert_eq!(followed.told(3).await, "0 added, 0 removed, 0 with another weight, 1 kept");
}

/// Some firewalls drop questions for AAAA. Whoever waits for the answer to both has none.
#[tokio::test(start_paused = true)]
async fn one_kind_that_fails_does_not_hold_up_the_other() {
    let (clock, server) = (Clock::hold(), Server::start());
    server.host("orders.test", 5, &["10.0.0.7"]);
    server.code("orders.test", RecordType::AAAA, ResponseCode::ServFail);
    let followed = Followed::start(host(&server, "orders.test"));
    assert!(followed.told(2).await.contains("Server Failure"));
    assert_eq!(followed.names(), ["10.0.0.7:80"]);
    server.host("orders.test", 5, &["10.0.0.8"]);
    server.code("orders.test", RecordType::AAAA, ResponseCode::ServFail);
    clock.pass(6 * SECOND).await;
    assert_eq!(followed.names(), ["10.0.0.8:80"]);
}

#[tokio::test(start_paused = true)]
async fn a_resolver_that_fails_is_asked_ever_less_often() {
    let (clock, server) = (Clock::hold(), Server::start());
    // So many samples that it is not isolated.
    let resolver = known(Resolver::at([server.address]).with_threshold(1.0, u32::MAX, 60 * SECOND));
    server.mood(Mood::Code(ResponseCode::ServFail));
    let followed = Followed::start(Dns::host(&resolver, "orders.test", 80, address as Make).unwrap());
    followed.told(1).await;
    // 1, 2, 4, 8, .. seconds after each other, with up to a tenth less.
    let mut rounds = Vec::new();
    for _ in 0..6 {
        clock.pass(10 * SECOND).await;
        rounds.push(resolver.asked().failed / 2);
    }
    assert!(rounds[0] >= 4 && rounds[5] <= 7, "{rounds:?}");
    followed.told(1).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_not_there_is_a_failure_and_the_next_one_is_asked() {
    let (clock, server) = (Clock::hold(), Server::start());
    server.host("orders.test", 5, &["10.0.0.7"]);
    let nobody = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    gives_answers(false);
    let alone = Followed::start(Dns::host(&known(Resolver::at([nobody])), "orders.test", 80, address as Make).unwrap());
    let beside = known(Resolver::at([nobody, server.address]));
    let beside = Followed::start(Dns::host(&beside, "orders.test", 80, address as Make).unwrap());
    clock.pass(3 * SECOND).await;
    assert!(alone.told(1).await.contains("orders.test is not resolved"));
    assert_eq!(beside.names(), ["10.0.0.7:80"]);
    let none = Followed::start(Dns::host(&Resolver::at([]), "orders.test", 80, address as Make).unwrap());
    assert!(none.told(1).await.contains("no connections available"));
}

#[tokio::test(start_paused = true)]
async fn a_query_takes_as_long_as_it_may_and_no_longer() {
    let (clock, server) = (Clock::hold(), Server::start());
    server.mood(Mood::Silent);
    let resolver = known(Resolver::at([server.address]).with_timeout(SECOND));
    let followed = Followed::start(Dns::host(&resolver, "orders.test", 80, address as Make).unwrap());
    until("a question", || server.asked() >= 2).await;
    clock.pass(SECOND * 9 / 10).await;
    assert!(followed.heard().is_empty());
    clock.pass(SECOND / 5).await;
    followed.told(1).await;
    assert_eq!(resolver.asked().failed, 2);
}

#[tokio::test(start_paused = true)]
async fn so_many_questions_at_once_and_no_more() {
    let (clock, server) = (Clock::hold(), Server::start());
    let names: Vec<String> = (0..20).map(|at| format!("t{at}.test")).collect();
    let records: Vec<_> = names.iter().map(|name| (1, 1, 80, &**name)).collect();
    server.service("_http._tcp.orders.test", 30, &records);
    let resolver = known(Resolver::at([server.address]).with_at_once(3));
    let service = Dns::service(&resolver, "_http._tcp.orders.test", address as Make).unwrap();
    let _followed = Followed::start(service);
    until("the service", || server.asked() >= 1).await;
    server.mood(Mood::Silent);
    let before = resolver.asked().queries;
    real(SECOND / 20).await;
    // Time stands still, so nothing is asked again: what is asked is under way.
    let under_way = server.asked() as u64 - resolver.asked().queries;
    assert!(under_way <= 3, "{under_way} after {before}");
    clock.pass(2 * SECOND).await;
    assert!(resolver.asked().queries > before, "the next ones have their turn");
}

//! Names that no longer exist.

use crate::server::{Server, alias};
use crate::support::{Clock, Followed, SECOND, host};

#[tokio::test(start_paused = true)]
async fn the_members_of_a_name_that_is_gone_stay_for_a_while_and_are_removed_then() {
    for gone in ["no such name", "no addresses", "an alias of nobody"] {
        let (clock, server) = (Clock::hold(), Server::start());
        server.host("orders.test", 5, &["10.0.0.7"]);
        let followed = Followed::start(host(&server, "orders.test"));
        followed.told(1).await;
        match gone {
            "no such name" => server.no_host("orders.test", 10),
            "no addresses" => server.host("orders.test", 10, &[]),
            _ => {
                server.records("orders.test", 10, &[("orders.test", alias("nobody.test"))]);
                server.no_host("nobody.test", 10);
            }
        }
        clock.pass(6 * SECOND).await;
        let said = followed.told(2).await;
        assert!(said.contains("orders.test has no addresses any more; those that it had are kept for 30 s"), "{said}");
        clock.pass(24 * SECOND).await;
        assert_eq!(followed.names(), ["10.0.0.7:80"], "{gone}");
        clock.pass(7 * SECOND).await;
        assert_eq!(followed.heard()[2], "0 added, 1 removed, 0 with another weight, 0 kept", "{gone}");
        assert!(followed.told(4).await.ends_with("orders.test has no addresses"));
        // What comes back is there again at the next question.
        server.host("orders.test", 5, &["10.0.0.7"]);
        clock.pass(12 * SECOND).await;
        assert_eq!(followed.told(5).await, "1 added, 0 removed, 0 with another weight, 0 kept", "{gone}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_gone_for_a_moment_changes_nothing() {
    let (clock, server) = (Clock::hold(), Server::start());
    server.host("orders.test", 5, &["10.0.0.7"]);
    let followed = Followed::start(host(&server, "orders.test"));
    followed.told(1).await;
    let version = followed.registry.snapshot().version();
    for round in 0..3 {
        server.no_host("orders.test", 5);
        clock.pass(20 * SECOND).await;
        server.host("orders.test", 5, &["10.0.0.7"]);
        clock.pass(12 * SECOND).await;
        // It is told that it is gone, and that all is well again.
        assert_eq!(followed.told(3 + 2 * round).await, "0 added, 0 removed, 0 with another weight, 1 kept");
    }
    assert_eq!(followed.registry.snapshot().version(), version);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_never_was_is_told_once_and_asked_for_as_its_zone_says() {
    let (clock, server) = (Clock::hold(), Server::start());
    server.no_host("orders.test", 60);
    let followed = Followed::start(host(&server, "orders.test"));
    assert_eq!(followed.told(1).await, "the members stay as they are: orders.test has no addresses");
    clock.pass(59 * SECOND).await;
    assert_eq!(server.asked(), 2);
    clock.pass(10 * SECOND).await;
    assert_eq!(server.asked(), 4);
    followed.told(1).await;
}

/// All of one kind are gone, and the others are not: nothing is to be waited for.
#[tokio::test(start_paused = true)]
async fn addresses_of_one_kind_are_gone_at_once_where_there_are_others() {
    let (clock, server) = (Clock::hold(), Server::start());
    server.host("orders.test", 5, &["10.0.0.7", "2001:db8::7"]);
    let followed = Followed::start(host(&server, "orders.test"));
    followed.told(1).await;
    server.host("orders.test", 5, &["10.0.0.7"]);
    clock.pass(6 * SECOND).await;
    followed.told(2).await;
    assert_eq!(followed.names(), ["10.0.0.7:80"]);
}

/// Times that no clock can show do not end.
#[tokio::test(start_paused = true)]
async fn members_may_be_kept_for_good() {
    use std::time::Duration;
    let (clock, server) = (Clock::hold(), Server::start());
    server.host("orders.test", 5, &["10.0.0.7"]);
    let dns = host(&server, "orders.test").grace(Duration::MAX).refresh(5 * SECOND, Duration::MAX);
    let followed = Followed::start(dns);
    followed.told(1).await;
    server.no_host("orders.test", 10);
    clock.pass(60 * SECOND).await;
    assert!(followed.told(2).await.contains("orders.test has no addresses any more"));
    assert_eq!(followed.names(), ["10.0.0.7:80"]);
    // It is still followed.
    server.host("orders.test", 5, &["10.0.0.8"]);
    clock.pass(12 * SECOND).await;
    assert_eq!(followed.names(), ["10.0.0.8:80"]);
}

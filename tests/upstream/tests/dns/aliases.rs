//! Names that are other names for others.

use crate::server::{Server, alias, v4};
use crate::support::{Clock, Followed, SECOND, host};

#[tokio::test(start_paused = true)]
async fn aliases_are_followed_within_a_reply_and_beyond_it() {
    let (_clock, server) = (Clock::hold(), Server::start());
    server.records(
        "orders.test",
        30,
        &[("b.test", v4("10.0.0.7")), ("a.test", alias("b.test")), ("orders.test", alias("A.test"))],
    );
    let within = Followed::start(host(&server, "orders.test"));
    within.told(1).await;
    assert_eq!(within.names(), ["10.0.0.7:80"]);

    server.records("long.test", 30, &[("long.test", alias("c1.test"))]);
    for at in 1..10 {
        let (this, next) = (format!("c{at}.test"), format!("c{}.test", at + 1));
        server.records(&this, 30, &[(&this, alias(&next))]);
    }
    server.host("c10.test", 30, &["10.0.0.8"]);
    let beyond = Followed::start(host(&server, "long.test"));
    beyond.told(1).await;
    assert_eq!(beyond.names(), ["10.0.0.8:80"]);
}

#[tokio::test(start_paused = true)]
async fn a_circle_of_aliases_is_a_failure_and_asks_no_further() {
    let (clock, server) = (Clock::hold(), Server::start());
    server.host("orders.test", 5, &["10.0.0.7"]);
    let followed = Followed::start(host(&server, "orders.test"));
    followed.told(1).await;
    server.records("orders.test", 5, &[("orders.test", alias("a.test"))]);
    server.records("a.test", 5, &[("a.test", alias("b.test"))]);
    server.records("b.test", 5, &[("b.test", alias("orders.test"))]);
    clock.pass(6 * SECOND).await;
    let said = followed.told(2).await;
    assert!(said.ends_with("orders.test is not resolved: its aliases lead in a circle, or too far"), "{said}");
    assert!(server.asked_for("b.test") <= 4, "two questions of each round, for A and AAAA");
    assert_eq!(followed.names(), ["10.0.0.7:80"], "the last good answer stays");
}

#[tokio::test(start_paused = true)]
async fn too_many_aliases_are_a_failure() {
    let (_clock, server) = (Clock::hold(), Server::start());
    for at in 0..40 {
        let (this, next) = (format!("c{at}.test"), format!("c{}.test", at + 1));
        server.records(&this, 30, &[(&this, alias(&next))]);
    }
    let followed = Followed::start(host(&server, "c0.test"));
    assert!(followed.told(1).await.contains("too far"));
    assert_eq!(server.asked_for("c13.test"), 0);
}

/// A server that brings along what nobody has asked for may want to have traffic that is not its own.
#[tokio::test(start_paused = true)]
async fn records_of_other_names_are_ignored() {
    let (_clock, server) = (Clock::hold(), Server::start());
    server.records(
        "orders.test",
        30,
        &[("evil.test", v4("10.6.6.6")), ("orders.test", v4("10.0.0.7")), ("other.test", alias("evil.test"))],
    );
    let followed = Followed::start(host(&server, "orders.test"));
    followed.told(1).await;
    assert_eq!(followed.names(), ["10.0.0.7:80"]);
}

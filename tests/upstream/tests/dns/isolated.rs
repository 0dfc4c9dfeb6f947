//! A resolver that is ill is left in peace, and comes back by itself.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use chain_runtime::upstream::{Dns, Resolver, Source as _};
use hickory_proto::op::ResponseCode;

use crate::server::{Mood, Server};
use crate::support::{Clock, Followed, Make, SECOND, address, gives_answers, known, real};

const MINUTE: Duration = Duration::from_secs(60);

fn follow(resolver: &Resolver, host: &str) -> Followed {
    Followed::start(Dns::host(resolver, host, 80, address as Make).unwrap())
}

/// Two names of one resolver, which is isolated at the end, within a minute from the first failure.
async fn isolated(clock: &Clock, server: &Server) -> (Resolver, [Followed; 2]) {
    let resolver = known(Resolver::at([server.address]));
    server.host("a.test", 30, &["10.0.0.7"]);
    server.host("b.test", 30, &["10.0.0.8"]);
    let both = ["a.test", "b.test"].map(|host| follow(&resolver, host));
    for followed in &both {
        followed.told(1).await;
    }
    clock.pass(20 * SECOND).await;
    assert!(resolver.isolation().is_none());
    server.mood(Mood::Code(ResponseCode::ServFail));
    // From now on, at most 13 s until they ask.
    for _ in 0..73 {
        clock.pass(SECOND).await;
        if resolver.isolation().is_some() {
            return (resolver, both);
        }
    }
    panic!("{resolver:?} is not isolated within a minute");
}

#[tokio::test(start_paused = true)]
async fn a_resolver_that_is_ill_is_isolated_and_probed_at_growing_intervals_by_one_query() {
    let (clock, server) = (Clock::hold(), Server::start());
    let (resolver, both) = isolated(&clock, &server).await;
    let isolation = resolver.isolation().unwrap();
    assert!(isolation.queries >= 10 && 2 * isolation.failed >= isolation.queries, "{isolation:?}");
    assert_eq!(isolation.until - isolation.since, 5 * SECOND);
    clock.pass(60 * SECOND).await;
    for (followed, name) in both.iter().zip(["10.0.0.7:80", "10.0.0.8:80"]) {
        let said = followed.last();
        assert!(said.contains("the resolver is isolated for"), "{:?}", followed.heard());
        assert!(said.contains("it is probed in"), "{said}");
        assert_eq!(followed.names(), [name], "the last good answer stays");
    }
    // By now the rest is a minute long, or almost: 5, 10, 20, 40 s, and up to a tenth more until somebody comes.
    clock.pass(60 * SECOND).await;
    let (before, told) = (server.asked(), both.each_ref().map(|followed| followed.heard().len()));
    clock.pass(10 * MINUTE).await;
    let probes = server.asked() - before;
    assert!((8..=10).contains(&probes), "{probes} within ten minutes");
    assert_eq!(both.each_ref().map(|followed| followed.heard().len()), told, "it is told once");
}

#[tokio::test(start_paused = true)]
async fn a_resolver_that_is_well_again_is_asked_by_all_at_once() {
    let (clock, server) = (Clock::hold(), Server::start());
    let (resolver, both) = isolated(&clock, &server).await;
    server.mood(Mood::Well);
    server.host("a.test", 30, &["10.0.0.17"]);
    server.host("b.test", 30, &["10.0.0.18"]);
    clock.pass(4 * SECOND).await;
    assert!(resolver.isolation().is_some(), "it has its rest");
    clock.pass(2 * SECOND).await;
    assert_eq!(resolver.isolation(), None);
    assert_eq!(both.each_ref().map(Followed::names), [["10.0.0.17:80"], ["10.0.0.18:80"]]);
    assert_eq!(both.each_ref().map(Followed::last).map(|said| said.starts_with("1 added")), [true, true]);
}

#[tokio::test(start_paused = true)]
async fn whoever_comes_while_a_resolver_is_isolated_does_not_ask_it() {
    let (clock, server) = (Clock::hold(), Server::start());
    let (resolver, _both) = isolated(&clock, &server).await;
    server.host("c.test", 30, &["10.0.0.9"]);
    let before = server.asked_for("c.test");
    let third = follow(&resolver, "c.test");
    assert!(third.told(1).await.contains("c.test is not asked for: the resolver is isolated"));
    assert_eq!(server.asked_for("c.test"), before);
    server.mood(Mood::Well);
    clock.pass(12 * SECOND).await;
    assert_eq!(third.names(), ["10.0.0.9:80"]);
}

#[tokio::test(start_paused = true)]
async fn names_that_do_not_exist_isolate_nobody() {
    let (clock, server) = (Clock::hold(), Server::start());
    let resolver = known(Resolver::at([server.address]));
    let _followed: Vec<_> = (0..20).map(|at| follow(&resolver, &format!("nobody{at}.test"))).collect();
    clock.pass(MINUTE).await;
    assert!(resolver.asked().queries >= 40, "{:?}", resolver.asked());
    assert_eq!((resolver.asked().failed, resolver.isolation()), (0, None));
}

/// Who comes during the probe is told to come back after the next one. The probe goes well, so nobody waits that long.
#[tokio::test(start_paused = true)]
async fn whoever_was_refused_during_a_probe_asks_when_it_has_gone_well() {
    let (clock, server) = (Clock::hold(), Server::start());
    let resolver = Resolver::at([server.address]).with_threshold(0.5, 2, MINUTE).with_rest(20 * SECOND, MINUTE);
    let resolver = known(resolver);
    server.mood(Mood::Code(ResponseCode::ServFail));
    let first = follow(&resolver, "a.test");
    assert!(first.told(1).await.contains("isolated"));
    server.mood(Mood::Silent);
    let before = server.asked();
    for _ in 0..100 {
        clock.pass(SECOND / 4).await;
        if server.asked() > before {
            break;
        }
    }
    assert_eq!(resolver.asked().under_way, 1, "the probe");
    let second = follow(&resolver, "b.test");
    assert!(second.told(1).await.contains("isolated"));
    server.mood(Mood::Well);
    server.host("a.test", 30, &["10.0.0.7"]);
    server.host("b.test", 30, &["10.0.0.8"]);
    // The probe was not answered when it was sent first. It is sent again by and by.
    gives_answers(false);
    clock.pass(2 * SECOND).await;
    gives_answers(true);
    clock.pass(SECOND).await;
    assert_eq!((resolver.isolation(), second.names()), (None, vec!["10.0.0.8:80".to_owned()]));
}

/// A probe may take longer than the rest after which there would be another.
#[tokio::test(start_paused = true)]
async fn whoever_is_due_while_a_probe_is_under_way_waits() {
    let (_clock, server) = (Clock::hold(), Server::start());
    let rest = SECOND / 20;
    let resolver = Resolver::at([server.address]).with_threshold(0.5, 2, MINUTE).with_rest(rest, rest);
    server.mood(Mood::Code(ResponseCode::ServFail));
    let mut sources = ["a.test", "b.test"].map(|host| Dns::host(&resolver, host, 80, address as Make).unwrap());
    for source in &mut sources {
        assert!(source.next().await.unwrap().is_err());
    }
    server.mood(Mood::Silent);
    tokio::time::advance(SECOND).await;
    let [probes, waits] = sources.each_mut();
    let mut probe = pin!(probes.next());
    for _ in 0..3 {
        assert!(poll_fn(|cx| Poll::Ready(probe.as_mut().poll(cx))).await.is_pending());
    }
    assert_eq!(resolver.asked().under_way, 1);
    tokio::time::advance(2 * rest).await;
    let (mut polls, mut next) = (0, pin!(waits.next()));
    let counted = poll_fn(|cx| {
        polls += 1;
        next.as_mut().poll(cx)
    });
    tokio::select! {
        told = counted => panic!("{:?}", told.map(|told| told.map(drop))),
        () = real(SECOND / 10) => {}
    }
    assert!(polls < 10, "{polls} times");
}

//! What each way in which a try ends reports about the member. Nothing is in flight after it.

use std::io;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use chain_runtime::around::Deadline;
use chain_runtime::proxy::{Error, Forward, Settings};
use chain_runtime::upstream::{Pick, RoundRobin, Totals};
use futures_util::poll;
use futures_util::stream::{self, Stream, StreamExt as _};
use http_body::Frame;
use http_body_util::{BodyExt as _, Full, StreamBody};
use tokio::time::timeout;

use super::upstreams::{Scripted, nobody};
use super::{LONG, client, given_up_at_each_poll, head, limits, members, node, seat, send, totals};

/// Sends a request with this path, reads the reply to its end, and returns what is noted of the member then.
async fn noted(path: &str, settings: Settings) -> (Totals, Result<u16, Error>) {
    let upstream = Scripted::new().await;
    let registry = members(&[upstream.at]);
    let node = node(&registry, settings);
    upstream.go_on();
    let reply = send(&node, "GET", path).await;
    let status = match reply {
        Ok(reply) => {
            let status = reply.status().as_u16();
            let _ = timeout(LONG, reply.into_body().collect()).await.expect("in time");
            Ok(status)
        }
        Err(error) => Err(error),
    };
    let seat = seat(&registry, "0");
    assert_eq!(seat.in_flight(), 0, "{path}");
    (seat.totals(), status)
}

#[tokio::test]
async fn a_reply_is_a_good_one_unless_its_status_is_a_5xx() {
    for (path, wanted) in [
        ("/", totals(1, 0, 0, 0, 0)),
        ("/status/301", totals(1, 0, 0, 0, 0)),
        ("/status/404", totals(1, 0, 0, 0, 0)),
        ("/status/429", totals(1, 0, 0, 0, 0)),
        ("/status/500", totals(0, 1, 0, 0, 0)),
        ("/status/503", totals(0, 1, 0, 0, 0)),
        ("/half", totals(1, 0, 0, 0, 0)),
        ("/half-500", totals(0, 1, 0, 0, 0)),
    ] {
        assert_eq!(noted(path, Settings::default()).await.0, wanted, "{path}");
    }
}

#[tokio::test]
async fn which_5xx_counts_the_settings_say_and_a_4xx_never_does() {
    let settings = || Settings::default().blames(|status| status != 501);
    assert_eq!(noted("/status/501", settings()).await.0, totals(1, 0, 0, 0, 0));
    assert_eq!(noted("/status/502", settings()).await.0, totals(0, 1, 0, 0, 0));
    assert_eq!(noted("/status/400", Settings::default().blames(|_| true)).await.0, totals(1, 0, 0, 0, 0));
}

#[tokio::test]
async fn what_is_no_reply_is_a_failure() {
    for path in ["/closes", "/no-http", "/two-lengths", "/switches"] {
        let (noted, reply) = noted(path, Settings::default()).await;
        assert!(matches!(reply, Err(Error::Broken(_) | Error::Reply(_))), "{path}: {reply:?}");
        assert_eq!(noted, totals(0, 0, 1, 0, 0), "{path}");
    }
    let registry = members(&[nobody().await]);
    let refused = send(&node(&registry, Settings::default()), "GET", "/").await;
    assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
    assert_eq!(seat(&registry, "0").totals(), totals(0, 0, 1, 0, 0));
}

#[tokio::test]
async fn a_reply_that_breaks_off_midway_is_a_failure_and_one_that_stalls_there_is_late() {
    assert_eq!(noted("/breaks", Settings::default()).await.0, totals(0, 0, 1, 0, 0));
    let short = limits(|limits| limits.silence = Duration::from_millis(50));
    assert_eq!(noted("/stalls", short).await.0, totals(0, 0, 0, 1, 0));
}

#[tokio::test]
async fn one_that_is_silent_has_timed_out_by_whatever_limit() {
    let first_byte = limits(|limits| limits.first_byte = Duration::from_millis(50));
    let (late, reply) = noted("/silent", first_byte).await;
    assert!(matches!(reply, Err(Error::Silent)), "{reply:?}");
    assert_eq!(late, totals(0, 0, 0, 1, 0));
    let whole = limits(|limits| limits.whole = Some(Duration::from_millis(50)));
    let (late, reply) = noted("/silent", whole).await;
    assert!(matches!(reply, Err(Error::Expired)), "{reply:?}");
    assert_eq!(late, totals(0, 0, 0, 1, 0));

    let upstream = Scripted::new().await;
    let registry = members(&[upstream.at]);
    let node = node(&registry, Settings::default());
    let deadline = Deadline::within(Duration::from_millis(50));
    deadline.around(pin!(node.enter(head("GET", "/silent"), Full::default(), &client()))).await.expect_err("late");
    let seat = seat(&registry, "0");
    assert_eq!((seat.totals(), seat.in_flight()), (totals(0, 0, 0, 1, 0), 0));
}

#[tokio::test]
async fn what_is_the_clients_doing_says_nothing_of_the_member() {
    let upstream = Scripted::new().await;
    let registry = members(&[upstream.at]);
    let node = node(&registry, limits(|limits| limits.body = 3));
    let large = send(&node, "POST", "/").await.expect_err("too large");
    assert!(matches!(large, Error::TooLarge), "{large}");
    assert_eq!(seat(&registry, "0").totals(), Totals::default(), "nobody was picked for it");
}

/// Sends what this stream yields as the body of a request that is under way when something is wrong with it.
async fn noted_of_body(
    body: impl Stream<Item = io::Result<Frame<Bytes>>> + Send + Unpin + 'static,
    settings: Settings,
) -> (Totals, Error) {
    let upstream = Scripted::new().await;
    let registry = members(&[upstream.at]);
    let node = Forward::new(Pick::new(registry.clone(), RoundRobin::new()), settings);
    let client = client();
    let entered = node.enter(head("POST", "/silent"), StreamBody::new(body), &client);
    let error = timeout(LONG, entered).await.expect("in time").expect_err("no reply");
    let seat = seat(&registry, "0");
    assert_eq!(seat.in_flight(), 0, "{error}");
    (seat.totals(), error)
}

#[tokio::test]
async fn nor_does_what_shows_when_the_request_is_under_way() {
    let data = || Ok(Frame::data(Bytes::from_static(b"a body")));
    let cancelled = totals(0, 0, 0, 0, 1);

    let (noted, large) = noted_of_body(stream::iter([data()]), limits(|limits| limits.body = 3)).await;
    assert!(matches!(large, Error::TooLarge), "{large}");
    assert_eq!(noted, cancelled);
    let malformed = stream::iter([data(), Err(io::Error::other("malformed"))]);
    let (noted, malformed) = noted_of_body(malformed, Settings::default()).await;
    assert!(matches!(malformed, Error::BadBody(_)), "{malformed}");
    assert_eq!(noted, cancelled);

    // Whoever is waited for when the time is up is at fault.
    let slow = || stream::iter([data()]).chain(stream::pending());
    let short = limits(|limits| limits.silence = Duration::from_millis(50));
    let (noted, late) = noted_of_body(slow(), short).await;
    assert!(matches!(late, Error::SlowClient), "{late}");
    assert_eq!(noted, cancelled);
    let whole = limits(|limits| limits.whole = Some(Duration::from_millis(50)));
    let (noted, late) = noted_of_body(slow(), whole).await;
    assert!(matches!(late, Error::Expired), "{late}");
    assert_eq!(noted, cancelled);
}

#[tokio::test]
async fn a_request_that_is_given_up_at_any_await_is_cancelled_and_not_in_flight() {
    let upstream = Scripted::new().await;
    let registry = members(&[upstream.at]);
    let node = node(&registry, Settings::default());
    let seat = seat(&registry, "0");
    let client = client();
    let run = || node.enter(head("GET", "/"), Full::default(), &client);
    let given_up = given_up_at_each_poll(&seat, run, |reply| drop(reply.expect("a reply").into_body())).await;
    assert!(given_up > 0);
    assert_eq!(seat.totals(), totals(1, 0, 0, 0, given_up));
}

#[tokio::test]
async fn a_member_is_drained_when_the_last_body_has_come_to_its_end() {
    for (path, ends) in [("/half", true), ("/half-500", true), ("/half", false)] {
        let upstream = Scripted::new().await;
        let registry = members(&[upstream.at]);
        let node = node(&registry, Settings::default());
        let reply = send(&node, "GET", path).await.expect("a reply");
        let seat = seat(&registry, "0");
        registry.drain(seat.registration()).expect("it is there");
        let mut drained = pin!(registry.drained(seat.registration()));
        assert!(poll!(drained.as_mut()).is_pending(), "{path}");
        assert_eq!(seat.in_flight(), 1);
        if ends {
            upstream.go_on();
            let body = timeout(LONG, reply.into_body().collect()).await.expect("in time").expect("a body");
            assert_eq!(body.to_bytes(), "helloworld");
        } else {
            // The client has gone.
            drop(reply);
        }
        timeout(LONG, drained).await.expect("nothing is in flight");
    }
}

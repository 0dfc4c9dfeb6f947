//! Checks over the connections that requests use.

use std::time::Duration;

use bytes::Bytes;
use chain_runtime::proxy::{Error, NotWell, Settings, WarmCheck};
use chain_runtime::upstream::{Check as _, Checks, Outcome, State};
use http_body_util::Full;
use tokio::time::{sleep, timeout};

use super::upstreams::{Scripted, nobody};
use super::{LONG, Members, Node, limits, members, node, seat, served, settled};

fn checks(node: &Node, path: &str) -> WarmCheck<Full<Bytes>> {
    node.check(path.parse().expect("a path"))
}

async fn check(by: &WarmCheck<Full<Bytes>>, registry: &Members, name: &str) -> Result<(), NotWell> {
    let result = timeout(LONG, by.check(&seat(registry, name))).await.expect("in time");
    settled().await;
    result
}

#[tokio::test]
async fn the_first_request_to_a_checked_member_opens_no_connection() {
    let upstream = Scripted::new().await;
    let registry = members(&[upstream.at]);
    let node = node(&registry, Settings::default());
    check(&checks(&node, "/health"), &registry, "0").await.expect("it is well");
    assert!(upstream.head().starts_with(&format!("GET /health HTTP/1.1\r\nhost: {}\r\n", upstream.at)));
    served(&node).await;
    assert_eq!((upstream.requests(), upstream.connections()), (2, 1));
}

#[tokio::test]
async fn all_checks_of_a_member_go_over_one_connection() {
    let upstream = Scripted::new().await;
    let registry = members(&[upstream.at]);
    let node = node(&registry, Settings::default());
    let interval = Checks::new().interval(Duration::from_millis(5), 0.0);
    let checking = registry.check(checks(&node, "/"), interval, |found| panic!("{found}"));
    let until = async {
        while upstream.requests() < 10 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LONG, async {
        tokio::select! { _ = checking => {}, () = until => {} }
    })
    .await
    .expect("in time");
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn a_connection_is_kept_for_so_many_members_and_the_others_are_asked_all_the_same() {
    let (warm, other) = (Scripted::new().await, Scripted::new().await);
    let registry = members(&[warm.at, other.at]);
    let node = node(&registry, Settings::default());
    let by = checks(&node, "/").keeps(1);
    for _ in 0..3 {
        check(&by, &registry, "0").await.expect("it is well");
        check(&by, &registry, "1").await.expect("it is well");
    }
    timeout(LONG, other.all_closed()).await.expect("none is kept");
    assert_eq!((warm.connections(), warm.open(), other.connections()), (1, 1, 3));

    // One that is gone leaves its place.
    registry.remove(seat(&registry, "0").registration()).expect("it is there");
    served(&node).await;
    check(&by, &registry, "1").await.expect("it is well");
    check(&by, &registry, "1").await.expect("it is well");
    assert_eq!(other.open(), 1);
}

#[tokio::test]
async fn whoever_gets_requests_takes_the_place_of_one_that_gets_none() {
    let (idle, busy) = (Scripted::new().await, Scripted::new().await);
    let registry = members(&[idle.at, busy.at]);
    let node = node(&registry, Settings::default());
    let by = checks(&node, "/").keeps(1);
    let all = async |requests_to: &str| {
        seat(&registry, requests_to).note(Outcome::Replied { ok: true }, Duration::ZERO);
        check(&by, &registry, "0").await.expect("it is well");
        check(&by, &registry, "1").await.expect("it is well");
    };
    all("0").await;
    assert_eq!((idle.open(), busy.connections()), (1, 1));
    for _ in 0..3 {
        all("1").await;
    }
    assert_eq!((busy.open(), busy.connections()), (1, 2), "the one that is kept is a second one");
    assert_eq!(idle.connections(), 3, "the others were its own");
}

#[tokio::test]
async fn one_that_is_not_well_leaves_its_place() {
    let (ill, well) = (nobody().await, Scripted::new().await);
    let registry = members(&[ill, well.at]);
    let node = node(&registry, Settings::default());
    let by = checks(&node, "/").keeps(1);
    let why = check(&by, &registry, "0").await.expect_err("nobody is there");
    assert!(matches!(why, NotWell::Error(Error::Refused(_))), "{why}");
    check(&by, &registry, "1").await.expect("it is well");
    check(&by, &registry, "1").await.expect("it is well");
    assert_eq!((well.connections(), well.open()), (1, 1));
}

#[tokio::test]
async fn a_member_is_well_with_a_2xx_in_good_form() {
    let upstream = Scripted::new().await;
    let registry = members(&[upstream.at]);
    let node = node(&registry, limits(|limits| limits.idle = Duration::from_secs(3_600)));
    for (path, is_well) in [
        ("/", true),
        ("/status/204", true),
        ("/status/301", false),
        ("/status/404", false),
        ("/status/503", false),
        ("/two-lengths", false),
        ("/no-http", false),
        ("/closes", false),
        ("/", true),
    ] {
        let found = check(&checks(&node, path), &registry, "0").await;
        assert_eq!(found.is_ok(), is_well, "{path}: {found:?}");
    }
}

#[tokio::test]
async fn a_connection_that_the_member_has_closed_meanwhile_is_no_illness() {
    let upstream = Scripted::new().await;
    let registry = members(&[upstream.at]);
    let node = node(&registry, Settings::default());
    check(&checks(&node, "/"), &registry, "0").await.expect("it is well");
    // It takes the next request of this connection, and closes it: as if it had done so just before.
    upstream.close_next();
    check(&checks(&node, "/"), &registry, "0").await.expect("it is well");
    assert_eq!(upstream.connections(), 2);
}

#[tokio::test]
async fn the_registry_hears_of_one_that_is_silent() {
    let upstream = Scripted::new().await;
    let registry = members(&[upstream.at]);
    let node = node(&registry, Settings::default());
    let soon =
        Checks::new().interval(Duration::from_millis(5), 0.0).time_limit(Duration::from_millis(20)).rise_and_fall(1, 2);
    let (tell, told) = tokio::sync::oneshot::channel();
    let mut tell = Some(tell);
    let checking = registry.check(checks(&node, "/silent"), soon, |found| {
        if let Some(tell) = tell.take() {
            tell.send(found.state).expect("somebody waits");
        }
    });
    let found = timeout(LONG, async {
        tokio::select! { _ = checking => unreachable!(), found = told => found }
    })
    .await;
    assert_eq!(found.expect("in time"), Ok(State::Unhealthy));
}

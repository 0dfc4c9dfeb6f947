//! Which member is asked, and which one next if a connection is refused.

use chain_runtime::proxy::{Error, Settings};

use super::upstreams::{Scripted, nobody};
use super::{members, node, seat, send, totals};

#[tokio::test]
async fn a_request_goes_on_to_another_member_where_one_refuses_its_connection() {
    let upstream = Scripted::new().await;
    let registry = members(&[nobody().await, nobody().await, upstream.at]);
    let node = node(&registry, Settings::default());
    for _ in 0..6 {
        assert_eq!(send(&node, "POST", "/").await.expect("a reply").status(), 200);
    }
    assert_eq!(upstream.requests(), 6);
}

#[tokio::test]
async fn no_member_is_asked_twice_while_there_is_another() {
    let registry = members(&[nobody().await, nobody().await, nobody().await]);
    let node = node(&registry, Settings::default());
    for asked in 1..=4 {
        let refused = send(&node, "GET", "/").await.expect_err("nobody is there");
        assert!(matches!(refused, Error::Refused(_)), "{refused}");
        for name in ["0", "1", "2"] {
            assert_eq!(seat(&registry, name).totals(), totals(0, 0, asked, 0, 0), "{name}");
        }
    }
}

#[tokio::test]
async fn at_most_eight_members_are_asked() {
    let mut nobodies = Vec::new();
    for _ in 0..12 {
        nobodies.push(nobody().await);
    }
    let registry = members(&nobodies);
    let node = node(&registry, Settings::default());
    send(&node, "GET", "/").await.expect_err("nobody is there");
    let failed = registry.snapshot().members().iter().map(|entry| entry.seat().totals().failed).sum::<u64>();
    assert_eq!(failed, 8);
}

#[tokio::test]
async fn without_a_member_there_is_no_upstream() {
    let registry = members(&[]);
    let none = send(&node(&registry, Settings::default()), "GET", "/").await.expect_err("nobody");
    assert!(matches!(none, Error::NoUpstream), "{none}");
}

//! The node in a chain.

use std::time::Duration;

use chain_runtime::nodes::User;
use chain_runtime::nodes::shared_rate_limit::{Closed, LocalShare, SharedRateLimit};
use chain_runtime::{chain, node};
use chain_shared_tests::Server;
use http::Response;

use crate::support::{machine, quota};

#[node]
fn answer(user: &User) -> Response<String> {
    Response::new(format!("hello, {user}"))
}

chain! {
    #[send]
    struct Site {
        by_user: SharedRateLimit<User, LocalShare>,
        strict: SharedRateLimit<User, Closed>,
    }
    async fn(user: User) -> Response<String> { by_user => strict => answer }
}

#[tokio::test]
async fn a_chain_breaks_with_429_and_503() {
    let mut server = Server::start().await;
    let redis = machine(&server.url()).await;
    let site = Site {
        by_user: SharedRateLimit::new(&redis, "by_user", quota(1, 9)).unwrap(),
        strict: SharedRateLimit::new(&redis, "strict", quota(1_000, 1_000)).unwrap(),
    };
    let user = |name: &str| User::new(name).unwrap();
    let (mut greeted, mut refused) = (None, None);
    while greeted.is_none() || refused.is_none() {
        let reply = site.run(user("ada")).await;
        match reply.status().as_u16() {
            200 => greeted = Some(reply),
            429 => refused = Some(reply),
            // A busy machine has not heard the answer in time.
            status => assert_eq!(status, 503),
        }
    }
    assert_eq!(greeted.unwrap().body(), "hello, ada");
    let refused = refused.unwrap();
    assert_eq!(refused.headers()["retry-after"], "1");

    server.kill();
    while redis.is_up() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let away = site.run(user("bob")).await;
    assert_eq!(away.status(), 503);
    assert_eq!(away.headers()["retry-after"], "1");
}

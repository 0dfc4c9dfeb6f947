//! Futures that are dropped at any await.

use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use chain_runtime::shared::Kept;
use chain_runtime::upstream::Source;
use chain_shared_tests::Server;

use crate::support::{LONG, group, machine, member};

/// Polls so often, with some time in between, and then drops it.
async fn dropped<F: Future>(future: F, polls: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..polls {
        if let std::task::Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return Some(done);
        }
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
    None
}

/// A list that was not told is told by the next call.
#[tokio::test]
async fn a_source_tells_what_it_has_not_told() {
    let server = Server::start().await;
    let group = group(&machine(&server.url()).await);
    for polls in 0..12 {
        let name = format!("member-{polls}");
        group.register(&member(&name)).await.unwrap();
        let mut source = group.source::<String>();
        let mut told = None;
        for _ in 0..20 {
            if let Some(list) = dropped(source.next(), polls).await {
                told = Some(list);
                break;
            }
        }
        let list = match told {
            Some(list) => list,
            None => tokio::time::timeout(LONG, source.next()).await.unwrap(),
        };
        let list = list.unwrap().unwrap();
        assert!(list.iter().any(|member| *member.name == *name), "after {polls} polls: {list:?}");
    }
}

/// Whoever is dropped while it registers, renews or is taken out is gone within a lease, and its name can be another's at once.
#[tokio::test]
async fn a_member_that_is_dropped_keeps_nothing() {
    let server = Server::start().await;
    let group = group(&machine(&server.url()).await);
    for polls in 0..12 {
        let end = tokio::time::sleep(Duration::from_micros(polls as u64 * 150));
        let told = |_: &Kept| {};
        let _ = dropped(group.keep(&member("a"), end, told), polls).await;
        let registration = group.register(&member("a")).await.unwrap();
        assert_eq!(group.heartbeat(&registration).await, Ok(()));
        assert_eq!(group.remove(&registration).await, Ok(()));
    }
    let mut source = group.source::<String>();
    let list = tokio::time::timeout(LONG, source.next()).await.unwrap();
    assert_eq!(list.unwrap().unwrap(), []);
}

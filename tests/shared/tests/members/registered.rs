use std::time::Duration;

use chain_runtime::shared::{NotRegistered, SharedMembers, Unchanged};
use chain_runtime::upstream::{Gone, Member, Refused};
use chain_shared_tests::Server;

use crate::support::{LEASE, group, machine, member};

const GONE: Result<(), Unchanged> = Err(Unchanged::Gone(Gone));

#[tokio::test]
async fn an_old_owner_changes_nothing_any_more() {
    let server = Server::start().await;
    let (here, there) = (group(&machine(&server.url()).await), group(&machine(&server.url()).await));
    let first = here.register(&member("a")).await.unwrap();
    let second = there.register(&member("a")).await.unwrap();
    assert!(second.generation > first.generation);
    assert_eq!(here.heartbeat(&first).await, GONE);
    assert_eq!(here.remove(&first).await, GONE);
    assert_eq!(there.heartbeat(&second).await, Ok(()));
    assert_eq!(there.remove(&second).await, Ok(()));
    assert_eq!(there.remove(&second).await, GONE);
}

/// A poll each tenth of a second, as other machines do it: a server that nobody asks would count as one that was away.
async fn passes(group: &SharedMembers, time: Duration) {
    let asks = member("asks");
    for _ in 0..time.as_millis() / 100 {
        group.register(&asks).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_late_heartbeat_revives_nobody() {
    let server = Server::start().await;
    let group = group(&machine(&server.url()).await);
    let registration = group.register(&member("a")).await.unwrap();
    passes(&group, LEASE / 2).await;
    assert_eq!(group.heartbeat(&registration).await, Ok(()));
    passes(&group, LEASE * 3 / 2).await;
    assert_eq!(group.heartbeat(&registration).await, GONE);
    assert_eq!(group.heartbeat(&registration).await, GONE);
    let entries: Vec<String> = server.run("HKEYS chain:members:orders:entries").await;
    assert_eq!(entries, ["asks"]);
}

/// A server that has forgotten all gives greater generations all the same.
#[tokio::test]
async fn generations_grow_also_when_redis_was_emptied() {
    let server = Server::start().await;
    let group = group(&machine(&server.url()).await);
    let mut last = None;
    for round in 0..5 {
        for _ in 0..20 {
            let registration = group.register(&member(&format!("round-{round}"))).await.unwrap();
            assert!(Some(registration.generation) > last, "{registration}");
            last = Some(registration.generation);
        }
        let () = server.run("FLUSHALL").await;
    }
}

#[tokio::test]
async fn what_is_no_member_is_refused() {
    let server = Server::start().await;
    let redis = machine(&server.url()).await;
    let group = group(&redis).with_limit(2);
    for name in ["", "a b", "#a", "a\nb", &"x".repeat(256)] {
        let refused = group.register(&member(name)).await;
        assert!(
            matches!(refused, Err(NotRegistered::Refused(Refused::Name(_)) | NotRegistered::Unwritable(_))),
            "{name:?}: {refused:?}"
        );
    }
    for bad in [
        Member::new("a", "x y"),
        Member::new("a", ""),
        Member::new("a", "x").zone("a b"),
        Member::new("a", "x").metadata("a=b", "c"),
        Member::new("a", "x").metadata("a", "b\nc at=other"),
        Member::new("a", "x").metadata("", "b"),
    ] {
        assert!(matches!(group.register(&bad).await, Err(NotRegistered::Unwritable(_))), "{bad:?}");
    }
    for name in ["a", "b", "a"] {
        group.register(&member(name)).await.unwrap();
    }
    assert_eq!(group.register(&member("c")).await, Err(NotRegistered::Refused(Refused::Full { limit: 2 })));
    assert!(SharedMembers::new(&redis, "a:b", LEASE).is_err());
}

/// What others wrote under our keys makes room.
#[tokio::test]
async fn keys_of_another_type_are_healed() {
    let server = Server::start().await;
    let group = group(&machine(&server.url()).await);
    for what in ["state", "entries", "leases"] {
        let key = format!("chain:members:orders:{what}");
        let _: u64 = server.run(&format!("DEL {key}")).await;
        let () = server.run(&format!("SET {key} nonsense")).await;
        let registration = group.register(&member("a")).await.unwrap();
        assert_eq!(group.heartbeat(&registration).await, Ok(()), "{what}");
    }
}

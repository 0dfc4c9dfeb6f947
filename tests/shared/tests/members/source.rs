use std::time::Duration;

use chain_runtime::upstream::{Member, Source};
use chain_shared_tests::Server;

use crate::support::{LEASE, LONG, group, machine, member};

fn names<T>(list: &[Member<T>]) -> Vec<&str> {
    list.iter().map(|member| &*member.name).collect()
}

#[tokio::test]
async fn a_list_has_all_that_was_registered() {
    let server = Server::start().await;
    let group = group(&machine(&server.url()).await);
    let mut source = group.source::<String>();
    assert_eq!(source.next().await.unwrap().unwrap(), []);
    let all = member("a").zone("here").weight(3).metadata("version", "7=8");
    group.register(&all).await.unwrap();
    assert_eq!(source.next().await.unwrap().unwrap(), std::slice::from_ref(&all));
    let b = group.register(&member("b")).await.unwrap();
    assert_eq!(names(&source.next().await.unwrap().unwrap()), ["a", "b"]);
    group.remove(&b).await.unwrap();
    assert_eq!(source.next().await.unwrap().unwrap(), [all]);
    // Whoever is not renewed is left out, without anybody's doing.
    assert_eq!(source.next().await.unwrap().unwrap(), []);
}

/// A poll that has nothing new to say is as long with a thousand members as with one.
#[tokio::test]
async fn a_poll_without_news_has_no_list_in_it() {
    let server = Server::start().await;
    let group = group(&machine(&server.url()).await);
    for number in 0..200 {
        group.register(&member(&format!("member-{number:04}"))).await.unwrap();
    }
    let mut source = group.source::<String>();
    assert_eq!(source.next().await.unwrap().unwrap().len(), 200);
    let sent = |info: String| -> u64 {
        info.lines().find_map(|line| line.strip_prefix("total_net_output_bytes:")).unwrap().parse().unwrap()
    };
    let before = sent(server.run("INFO stats").await);
    let _ = tokio::time::timeout(LEASE / 3, source.next()).await;
    let after = sent(server.run("INFO stats").await);
    // One INFO is a part of it.
    assert!(after - before < 12_000, "{}", after - before);
}

#[tokio::test]
async fn what_is_no_member_is_skipped() {
    let server = Server::start().await;
    let group = group(&machine(&server.url()).await);
    group.register(&Member::new("good", "10.0.0.1:80")).await.unwrap();
    for entry in ["bad", "1_bad_at=nonsense", "x_bad_at=10.0.0.1:80", "1_a_at=10.0.0.1:80\n1_b_at=10.0.0.2:80"] {
        let _: u64 = server.run(&format!("HSET chain:members:orders:entries {} {entry}", entry.len())).await;
    }
    let mut source = group.source::<std::net::SocketAddr>();
    assert_eq!(names(&source.next().await.unwrap().unwrap()), ["good"]);
    assert_eq!(source.skipped(), 4);
}

/// An outage is told once, and is no list.
#[tokio::test]
async fn members_stay_while_redis_is_away() {
    let mut server = Server::durable().await;
    let group = group(&machine(&server.url()).await);
    let registration = group.register(&member("a")).await.unwrap();
    let mut source = group.source::<String>();
    assert_eq!(source.next().await.unwrap().unwrap().len(), 1);
    server.kill();
    assert!(source.next().await.unwrap().is_err());
    assert!(tokio::time::timeout(LEASE * 2, source.next()).await.is_err(), "it was told twice");
    server.restart().await;
    // Two leases have passed, in which nobody could renew: it is still there, and can.
    let until = tokio::time::Instant::now() + LONG;
    while group.heartbeat(&registration).await.is_err() {
        assert!(tokio::time::Instant::now() < until, "it is gone");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Then it is renewed no more, and is gone within a lease.
    assert_eq!(source.next().await.unwrap().unwrap(), []);
}

/// An emptied Redis has no members, and yet nobody is taken out who lives.
#[tokio::test]
async fn an_emptied_redis_takes_nobody_out_for_a_lease() {
    let server = Server::start().await;
    let group = group(&machine(&server.url()).await);
    group.register(&member("dead")).await.unwrap();
    let lives = group.register(&member("lives")).await.unwrap();
    let mut source = group.source::<String>();
    assert_eq!(names(&source.next().await.unwrap().unwrap()), ["dead", "lives"]);
    let () = server.run("FLUSHALL").await;
    assert_eq!(names(&source.next().await.unwrap().unwrap()), ["dead", "lives"]);
    let began = tokio::time::Instant::now();
    assert!(group.heartbeat(&lives).await.is_err());
    let lives = group.register(&member("lives")).await.unwrap();
    let mut list = source.next().await.unwrap().unwrap();
    while names(&list) == ["dead", "lives"] {
        group.heartbeat(&lives).await.unwrap();
        list = tokio::select! {
            list = source.next() => list.unwrap().unwrap(),
            () = tokio::time::sleep(LEASE / 5) => list,
        };
    }
    assert_eq!(names(&list), ["lives"]);
    assert!(began.elapsed() >= LEASE * 8 / 10, "{:?}", began.elapsed());
}

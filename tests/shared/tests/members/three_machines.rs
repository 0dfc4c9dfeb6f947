//! Three members that keep themselves, three machines that follow, and a Redis that fails in several ways.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use chain_runtime::shared::{Kept, Redis};
use chain_runtime::upstream::Registry;
use chain_shared_tests::Server;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::support::{LEASE, group, has, machine, member};

struct World {
    server: Server,
    machines: Vec<(Redis, Arc<Registry<String>>)>,
    members: Vec<(Arc<Notify>, JoinHandle<()>)>,
    registered: Arc<AtomicUsize>,
}

const ALL: [&str; 3] = ["member-0", "member-1", "member-2"];

async fn world() -> World {
    let server = Server::durable().await;
    let mut world = World { machines: Vec::new(), members: Vec::new(), registered: Arc::default(), server };
    for name in ALL {
        let members = group(&machine(&world.server.url()).await);
        let (end, registered) = (Arc::new(Notify::new()), Arc::clone(&world.registered));
        let ends = Arc::clone(&end);
        let kept = tokio::spawn(async move {
            let told = |kept: &Kept| {
                registered.fetch_add(usize::from(matches!(kept, Kept::Registered(_))), Relaxed);
            };
            members.keep(&member(name), ends.notified(), told).await;
        });
        world.members.push((end, kept));
    }
    for _ in 0..3 {
        let redis = machine(&world.server.url()).await;
        let registry = Arc::new(Registry::new());
        let (follows, source) = (Arc::clone(&registry), group(&redis).source());
        tokio::spawn(async move { follows.follow(source, |_| {}).await });
        world.machines.push((redis, registry));
    }
    world.have(&ALL).await;
    world
}

impl World {
    async fn have(&self, names: &[&str]) -> Duration {
        let began = Instant::now();
        for (_, registry) in &self.machines {
            has(registry, names).await;
        }
        began.elapsed()
    }

    /// All machines begin requests at all members all the time, and each finds all of them.
    async fn while_requests_find_all(&mut self, what: impl AsyncFnOnce(&mut Server)) {
        let over = Arc::new(AtomicBool::new(false));
        let requests: Vec<_> = self
            .machines
            .iter()
            .map(|(_, registry)| {
                let (registry, over) = (Arc::clone(registry), Arc::clone(&over));
                tokio::spawn(async move {
                    let (mut lost, mut all) = (0, 0);
                    while !over.load(Relaxed) {
                        for name in ALL {
                            all += 1;
                            let snapshot = registry.snapshot();
                            lost += usize::from(snapshot.get(name).and_then(|entry| entry.seat().begin()).is_none());
                        }
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                    (lost, all)
                })
            })
            .collect();
        what(&mut self.server).await;
        // Beyond the lease in which all has to be right again.
        tokio::time::sleep(LEASE * 2).await;
        over.store(true, Relaxed);
        for request in requests {
            let (lost, all) = request.await.unwrap();
            assert_eq!(lost, 0, "of {all} requests");
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.members.iter().for_each(|(_, member)| member.abort());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_ends_is_taken_out_at_once_and_who_dies_within_a_lease() {
    let mut world = world().await;
    let (end, kept) = world.members.pop().unwrap();
    end.notify_one();
    kept.await.unwrap();
    world.have(&["member-0", "member-1"]).await;
    let (_, dies) = world.members.pop().unwrap();
    dies.abort();
    let took = world.have(&["member-0"]).await;
    println!("gone after {took:?}, and a lease is {LEASE:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_is_lost_while_redis_is_stopped_for_three_leases() {
    world()
        .await
        .while_requests_find_all(async |server| {
            server.stop();
            tokio::time::sleep(LEASE * 3).await;
            server.go_on();
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_is_lost_while_redis_is_killed_and_started_anew() {
    world()
        .await
        .while_requests_find_all(async |server| {
            server.kill();
            tokio::time::sleep(LEASE * 2).await;
            server.restart().await;
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_is_lost_while_redis_is_emptied() {
    let mut world = world().await;
    let before = world.registered.load(Relaxed);
    world
        .while_requests_find_all(async |server| {
            for _ in 0..2 {
                let () = server.run("FLUSHALL").await;
                tokio::time::sleep(LEASE / 2).await;
            }
        })
        .await;
    assert!(world.registered.load(Relaxed) >= before + 3, "they have registered again");
}

/// Who dies while Redis is away is gone within a lease after it is there again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_dies_in_an_outage_is_gone_within_a_lease_after_it() {
    let mut world = world().await;
    world.server.stop();
    let (_, dies) = world.members.pop().unwrap();
    dies.abort();
    tokio::time::sleep(LEASE * 2).await;
    world.server.go_on();
    let took = world.have(&["member-0", "member-1"]).await;
    println!("gone {took:?} after Redis went on, and a lease is {LEASE:?}");
}

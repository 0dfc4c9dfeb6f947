//! A registry with a keeper: leases end by the clock, and snapshots are a spacing apart.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use chain_runtime::upstream::{Member, Registry};
use tokio::time::{Instant, sleep, sleep_until};

const MS: Duration = Duration::from_millis(1);

fn member(name: impl Into<Arc<str>>) -> Member<u16> {
    Member::new(name, 80)
}

fn kept() -> (Arc<Registry<u16>>, tokio::task::JoinHandle<()>) {
    let registry = Arc::new(Registry::new().with_spacing(20 * MS));
    let keeper = tokio::spawn({
        let registry = Arc::clone(&registry);
        async move { registry.keep().await }
    });
    (registry, keeper)
}

fn members(registry: &Registry<u16>) -> usize {
    registry.snapshot().members().len()
}

#[tokio::test(start_paused = true)]
async fn leases_end_when_they_end() {
    let (registry, _keeper) = kept();
    sleep(MS).await;
    let begun = Instant::now();
    registry.register(member("long"), Duration::from_secs(3600)).unwrap();
    // The keeper sleeps for an hour, and is woken for this.
    let short = registry.register(member("short"), 100 * MS).unwrap();
    sleep_until(begun + 60 * MS).await;
    assert_eq!(members(&registry), 2);
    registry.heartbeat(&short).unwrap();
    sleep_until(begun + 159 * MS).await;
    assert_eq!(members(&registry), 2);
    sleep_until(begun + 162 * MS).await;
    assert_eq!(members(&registry), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lease_ends_also_where_its_member_was_published_at_once() {
    let (registry, _keeper) = kept();
    sleep(MS).await;
    let begun = Instant::now();
    registry.register(member("long"), Duration::from_secs(3600)).unwrap();
    assert_eq!(members(&registry), 1);
    // So long after the snapshot before that this one is published at once as well.
    sleep_until(begun + 50 * MS).await;
    registry.register(member("short"), 100 * MS).unwrap();
    assert_eq!(members(&registry), 2);
    sleep_until(begun + 152 * MS).await;
    assert_eq!(members(&registry), 1);
    registry.register(member("shorter"), 50 * MS).unwrap();
    sleep_until(begun + 225 * MS).await;
    assert_eq!(members(&registry), 1);
}

#[tokio::test(start_paused = true)]
async fn the_first_change_is_published_at_once_and_the_others_together() {
    let (registry, _keeper) = kept();
    sleep(MS).await;
    let begun = Instant::now();
    let first = registry.snapshot().version();
    registry.register(member("first"), Duration::MAX).unwrap();
    assert_eq!(members(&registry), 1);
    let second = registry.snapshot().version();
    assert!(second > first);
    for other in 0..100 {
        registry.register(member(format!("other-{other}")), Duration::MAX).unwrap();
        assert_eq!(members(&registry), 1);
    }
    let now = tokio::time::timeout(Duration::from_secs(60), registry.changed(second)).await.unwrap();
    assert_eq!(now.members().len(), 101);
    assert_eq!(begun.elapsed(), 20 * MS);
    // After a pause, at once again.
    sleep(20 * MS).await;
    registry.register(member("last"), Duration::MAX).unwrap();
    assert_eq!(members(&registry), 102);
}

#[tokio::test(start_paused = true)]
async fn who_publishes_finds_its_own_changes_and_the_keeper_still_what_comes_after() {
    let (registry, _keeper) = kept();
    sleep(MS).await;
    let first = registry.register(member("first"), Duration::MAX).unwrap();
    let second = registry.register(member("second"), Duration::MAX).unwrap();
    registry.weigh(&first, 3.try_into().unwrap()).unwrap();
    registry.remove(&second).unwrap();
    registry.register(member("third"), Duration::MAX).unwrap();
    assert_eq!(members(&registry), 1, "it waits for the keeper");
    registry.publish();
    let shown = registry.snapshot();
    assert_eq!(shown.get("first").unwrap().weight().get(), 3);
    assert!(shown.get("second").is_none() && shown.get("third").is_some());
    drop(shown);
    let version = registry.snapshot().version();
    registry.publish();
    assert_eq!(registry.snapshot().version(), version, "there was nothing to publish");
    registry.register(member("fourth"), Duration::MAX).unwrap();
    assert_eq!(members(&registry), 2);
    sleep(21 * MS).await;
    assert_eq!(members(&registry), 3);
}

#[tokio::test(start_paused = true)]
async fn what_is_drained_takes_nothing_new_though_no_snapshot_says_so_yet() {
    let (registry, _keeper) = kept();
    sleep(MS).await;
    let registration = registry.register(member("a"), Duration::MAX).unwrap();
    registry.drain(&registration).unwrap();
    let now = registry.snapshot();
    let entry = now.get("a").unwrap();
    assert_eq!(entry.state(), chain_runtime::upstream::State::Ready);
    assert!(entry.seat().begin().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_keeper_that_ends_publishes_what_has_waited_and_another_goes_on() {
    let (registry, keeper) = kept();
    sleep(MS).await;
    let other = tokio::spawn({
        let registry = Arc::clone(&registry);
        async move { registry.keep().await }
    });
    sleep(MS).await;
    registry.register(member("a"), Duration::MAX).unwrap();
    registry.register(member("b"), 200 * MS).unwrap();
    // The first one is woken for it, and the other one sleeps on.
    sleep(MS).await;
    assert_eq!(members(&registry), 1);
    keeper.abort();
    assert!(keeper.await.unwrap_err().is_cancelled());
    assert_eq!(members(&registry), 2);
    sleep(202 * MS).await;
    assert_eq!(members(&registry), 1, "the other one evicts");
    other.abort();
    assert!(other.await.unwrap_err().is_cancelled());
    registry.register(member("c"), Duration::MAX).unwrap();
    registry.register(member("d"), Duration::MAX).unwrap();
    assert_eq!(members(&registry), 3, "nobody keeps it, so each change is published at once");
}

/// Drops what asks the registry, and so waits for its lock.
struct Asks(Arc<Registry<Asks>>);

impl Drop for Asks {
    fn drop(&mut self) {
        self.0.evict(std::time::Instant::now());
    }
}

impl PartialEq for Asks {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

fn nobody_holds_the_lock(test: impl AsyncFnOnce(&Arc<Registry<Asks>>) + Send + 'static) {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(test(&Arc::new(Registry::new().with_limit(1))));
        tell.send(()).unwrap();
    });
    told.recv_timeout(Duration::from_secs(60)).expect("a thread waits for the lock that it holds, or has panicked");
}

/// It is in no snapshot, so the registry has the last of it.
#[test]
fn what_comes_and_goes_between_two_snapshots_is_dropped_outside_of_the_lock() {
    nobody_holds_the_lock(async |registry| {
        let keeper = tokio::spawn({
            let registry = Arc::clone(registry);
            async move { registry.keep().await }
        });
        sleep(MS).await;
        let register = || registry.register(Member::new("a", Asks(Arc::clone(registry))), Duration::MAX).unwrap();
        registry.remove(&register()).unwrap();
        registry.remove(&register()).unwrap();
        keeper.abort();
    });
}

#[test]
fn what_is_not_taken_is_dropped_outside_of_the_lock() {
    nobody_holds_the_lock(async |registry| {
        let member = |name: &str| Member::new(name, Asks(Arc::clone(registry)));
        let mut listed = registry.listed();
        listed.replace([member("a")]).unwrap();
        assert_eq!(listed.replace([member("a")]).unwrap().kept, 1);
        registry.register(member("b"), Duration::MAX).unwrap_err();
        registry.register(member(""), Duration::MAX).unwrap_err();
        let mut other = registry.listed();
        other.replace([member("b")]).unwrap_err();
    });
}

use std::time::{Duration, Instant};

use chain_runtime::shared::{Redis, Settings, SharedMembers};
use chain_runtime::upstream::{Member, Registry};

/// A lease of all tests.
pub(crate) const LEASE: Duration = Duration::from_secs(2);

/// How long a test waits for what has to come.
pub(crate) const LONG: Duration = Duration::from_secs(30);

pub(crate) async fn machine(url: &str) -> Redis {
    let redis = Redis::start(Settings::at(url).unwrap().patience(Duration::from_millis(40)));
    tokio::time::timeout(LONG, redis.ready()).await.expect("it is up");
    redis
}

pub(crate) fn group(redis: &Redis) -> SharedMembers {
    SharedMembers::new(redis, "orders", LEASE).unwrap()
}

pub(crate) fn member(name: &str) -> Member<String> {
    Member::new(name, format!("http://{name}/"))
}

pub(crate) fn names(registry: &Registry<String>) -> Vec<String> {
    registry.snapshot().members().iter().map(|entry| entry.seat().name().to_owned()).collect()
}

/// Completes when the registry has just these members.
pub(crate) async fn has(registry: &Registry<String>, expected: &[&str]) -> Duration {
    let began = Instant::now();
    while names(registry) != expected {
        assert!(began.elapsed() < LONG, "{:?}, and not {expected:?}", names(registry));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    began.elapsed()
}

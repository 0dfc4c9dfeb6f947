//! A server's clock is set back.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chain_runtime::nodes::shared_rate_limit::{Closed, SharedRateLimit};
use chain_shared_tests::Server;

use crate::support::{Limit, machine, quota};

/// What a key in use says after the clock was set back by an hour: its quota is full again in an hour, and it expires then.
#[tokio::test]
async fn a_quota_grows_from_nothing_when_the_servers_clock_was_set_back() {
    let server = Server::start().await;
    let redis = machine(&server.url()).await;
    let limit: Limit<Closed> = SharedRateLimit::new(&redis, "by_key", quota(20, 20)).unwrap();
    let key = "ada".to_owned();
    assert_eq!(limit.check(&key).await, Ok(()));
    let names: Vec<String> = server.run("KEYS *").await;
    let hour = Duration::from_secs(3_600);
    let full_at = (SystemTime::now() + hour).duration_since(UNIX_EPOCH).unwrap().as_secs();
    // The server's own client here takes words, so the two numbers are written by a script.
    let mut connection = server.connection().await;
    let script = "return redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])";
    let mut command = redis::cmd("EVAL");
    command.arg(script).arg(1).arg(&names[0]).arg(format!("{full_at} 0")).arg(hour.as_millis().to_string());
    let () = command.query_async(&mut connection).await.unwrap();

    // Another machine, which knows nothing of it.
    let other: Limit<Closed> = SharedRateLimit::new(&redis, "by_key", quota(20, 20)).unwrap();
    assert!(other.check(&key).await.is_err(), "all of it is used");
    let lets_one_through = async {
        while other.check(&key).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), lets_one_through).await.expect("nothing grows");
}

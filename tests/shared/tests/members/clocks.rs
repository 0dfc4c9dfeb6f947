//! Clocks jump by ten seconds: the server's, and those of machines, which are not read.

use std::path::Path;
use std::time::Instant;

use chain_runtime::upstream::Source;
use chain_shared_tests::Server;

use crate::support::{LEASE, group, machine, member};

/// What the server has written down is ten seconds ahead of its clock, as if that had been set back, or ten seconds behind.
#[tokio::test]
async fn the_clock_of_the_server_may_jump() {
    let server = Server::start().await;
    let group = group(&machine(&server.url()).await);
    for ahead in [10_000_000, -10_000_000_i64] {
        let lives = group.register(&member("lives")).await.unwrap();
        group.register(&member("dead")).await.unwrap();
        let time: Vec<i64> = server.run("TIME").await;
        let seen = time[0] * 1_000_000 + time[1] + ahead;
        let ends = seen + i64::try_from(LEASE.as_micros()).unwrap();
        let _: u64 = server.run(&format!("HSET chain:members:orders:state seen {seen}")).await;
        let _: u64 = server.run(&format!("ZADD chain:members:orders:leases {ends} lives {ends} dead")).await;

        let (began, mut source) = (Instant::now(), group.source::<String>());
        assert_eq!(source.next().await.unwrap().unwrap().len(), 2);
        loop {
            assert_eq!(group.heartbeat(&lives).await, Ok(()));
            let list = tokio::select! {
                list = source.next() => list.unwrap().unwrap(),
                () = tokio::time::sleep(LEASE / 5) => continue,
            };
            assert_eq!(list.iter().map(|member| &*member.name).collect::<Vec<_>>(), ["lives"]);
            break;
        }
        // In a lease or so. With the jump it would be ten seconds more.
        assert!(began.elapsed() < LEASE * 4, "{:?}", began.elapsed());
    }
}

/// No machine looks at the wall clock, so that it may jump as it likes.
#[test]
fn no_machine_reads_a_wall_clock() {
    fn look(path: &Path) -> usize {
        if path.is_dir() {
            return std::fs::read_dir(path).unwrap().map(|entry| look(&entry.unwrap().path())).sum();
        }
        let text = std::fs::read_to_string(path).unwrap();
        for word in ["SystemTime", "UNIX_EPOCH"] {
            assert!(!text.contains(word), "{word} in {}", path.display());
        }
        1
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../chain-runtime/src");
    let files: usize = ["shared", "shared.rs", "nodes/shared_rate_limit", "nodes/shared_rate_limit.rs"]
        .iter()
        .map(|path| look(&source.join(path)))
        .sum();
    assert!(files > 15, "{files}");
}

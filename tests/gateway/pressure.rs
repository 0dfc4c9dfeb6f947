//! A drill: memory becomes tight while requests are served, and the least important nodes go first. Also the admission
//! of requests.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{Method, Response, StatusCode};
use processes::client::Client;
use processes::upstream::{self, empty, full, mirror};
use processes::{client, within};
use tokio::sync::Semaphore;

use crate::process::{ALICE, Gateway};

/// A tree of control groups as the kernel has it, in which a test says how much is used.
struct Tree(PathBuf);

impl Tree {
    /// What there may be, in bytes.
    const LIMIT: u64 = 4_000_000_000;

    fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("cgroup-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let tree = Self(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name));
        fs::create_dir_all(&tree.0).expect("a directory");
        fs::write(tree.0.join("memory.max"), format!("{}\n", Self::LIMIT)).expect("a file");
        fs::write(tree.0.join("memory.stat"), "anon 0\ninactive_file 0\n").expect("a file");
        tree
    }

    /// A ballast of so much of a hundred. All of them have as many digits, so that who reads meanwhile never sees half a number.
    fn fill(&self, percent: u64) {
        let bytes = Self::LIMIT / 100 * percent;
        assert!((1_000_000_000..10_000_000_000).contains(&bytes), "ten digits");
        let file = fs::OpenOptions::new().write(true).create(true).truncate(false).open(self.0.join("memory.current"));
        std::io::Write::write_all(&mut file.expect("a file"), format!("{bytes}\n").as_bytes()).expect("it is written");
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("text")
    }
}

/// What a client asks, and whether it has to be served.
const KINDS: [(&str, &[(&str, &str)]); 3] = [
    ("/pay", &[("x-api-key", ALICE)]),
    ("/page", &[("x-api-key", ALICE)]),
    ("/next", &[("x-api-key", ALICE), ("sec-purpose", "prefetch")]),
];

/// Ten requests of each kind: how many of each were served.
async fn served(client: &Client) -> [usize; 3] {
    let mut served = [0; 3];
    for (kind, (path, fields)) in KINDS.into_iter().enumerate() {
        for _ in 0..10 {
            let answer = client.get(path, fields).await;
            match answer.status {
                StatusCode::OK => served[kind] += 1,
                StatusCode::SERVICE_UNAVAILABLE => assert!(answer.header("retry-after").is_some(), "{}", answer.text),
                other => panic!("{path} has {other}: {}", answer.text),
            }
        }
    }
    served
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_go_goes_first_and_all_comes_back() {
    let tree = Tree::new();
    tree.fill(78);
    let flags = ["--pressure-cgroup", tree.path(), "--critical", "/pay"];
    let mut gateway = Gateway::start(&[mirror().await], &flags).await;
    let client = Client::new(gateway.address);
    assert_eq!(served(&client).await, [10, 10, 10]);
    for _ in 0..30 {
        gateway.line(&["INFO request", "status=200"]).await;
    }
    let before = gateway.seen().len();

    tree.fill(81);
    let line = gateway.line(&["pressure"]).await;
    assert!(
        line.ends_with("pressure calm -> elevated: memory is at 81.0 %, elevated from 80.0 % on; log is 1/100"),
        "{line}"
    );
    // From now on the log is sampled, so that it tells of the levels. One who pays is there all the time, also where the level is just changing.
    let payer = tokio::spawn({
        let client = client.clone();
        async move {
            for _ in 0..150 {
                let answer = client.get(KINDS[0].0, KINDS[0].1).await;
                assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    });
    assert_eq!(served(&client).await, [10, 10, 10]);

    tree.fill(91);
    let line = gateway.line(&["pressure"]).await;
    assert!(line.contains(" elevated -> high: memory is at 91.0 %"), "{line}");
    assert!(line.ends_with("; log is 1/100, what can wait is not queued"), "{line}");
    assert_eq!(served(&client).await, [10, 10, 10]);

    tree.fill(98);
    let line = gateway.line(&["pressure"]).await;
    assert!(line.contains(" high -> critical: memory is at 98.0 %"), "{line}");
    assert!(line.ends_with("; log is 1/100, what can wait is turned away"), "{line}");
    assert_eq!(served(&client).await, [10, 10, 0]);

    tree.fill(50);
    for step in [" critical -> high:", " high -> elevated:", " elevated -> calm:"] {
        let line = gateway.line(&["pressure"]).await;
        assert!(line.contains(step), "{line}");
    }
    let story = gateway.seen()[before..].to_vec();
    assert!(story.len() < 20, "the story has {} lines: {story:#?}", story.len());
    assert!(story.last().is_some_and(|line| line.ends_with("; all runs")), "{story:#?}");
    within("the one who pays", payer).await.expect("all are served");
    // It is as it was: every request has its line again.
    let before = gateway.seen().len();
    assert_eq!(served(&client).await, [10, 10, 10]);
    while gateway.seen()[before..].iter().filter(|line| line.contains("path=\"/next\" status=200")).count() < 10 {
        gateway.line(&["INFO request"]).await;
    }
}

#[tokio::test]
async fn who_finds_no_room_is_told_when_to_come_again_and_what_is_critical_waits_in_front() {
    static ARRIVED: Semaphore = Semaphore::const_new(0);
    static GO: Semaphore = Semaphore::const_new(0);
    let upstream = upstream::start(async |_| {
        ARRIVED.add_permits(1);
        GO.acquire().await.expect("it is never closed").forget();
        Ok(Response::new(full("served")))
    });
    let flags = ["--max-concurrent", "1", "--critical", "/pay", "--timeout", "20s"];
    let gateway = Gateway::start(&[upstream.await], &flags).await;
    let client = Client::new(gateway.address);
    let ask = |path| {
        let (client, request) = (client.clone(), client.request(Method::GET, path, &[("x-api-key", ALICE)], empty()));
        tokio::spawn(async move { client::read(client.send(request).await.expect("a reply")).await })
    };
    let first = ask("/first");
    within("the first request", ARRIVED.acquire()).await.expect("it is never closed").forget();
    // The first holds the one place until the upstream replies, so this one finds none in time.
    let second = ask("/second").await.expect("a reply");
    assert_eq!(
        (second.status, second.text.as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, "too many requests are under way\n")
    );
    assert!(second.header("retry-after").is_some());
    GO.add_permits(1);
    assert_eq!(first.await.expect("a reply").status, StatusCode::OK);
    GO.add_permits(1);
    assert_eq!(client.get(KINDS[0].0, KINDS[0].1).await.status, StatusCode::OK, "the place is free again");
}

#[tokio::test]
async fn a_level_is_forced_by_who_may_switch_and_by_nobody_else() {
    let mut gateway = Gateway::start(&[mirror().await], &[]).await;
    let client = Client::new(gateway.address);
    let admin = Client::new(gateway.admin.expect("it is on"));
    let force = async |path: &str, fields: &[(&str, &str)]| {
        client::read(admin.send(admin.request(Method::POST, path, fields, empty())).await.expect("a reply"))
            .await
            .status
    };
    assert_eq!(force("/pressure/critical", &[("origin", "http://elsewhere.example")]).await, StatusCode::FORBIDDEN);
    assert_eq!(force("/pressure/critical", &[("sec-fetch-site", "cross-site")]).await, StatusCode::FORBIDDEN);
    assert_eq!(force("/pressure/unbearable", &[]).await, StatusCode::NOT_FOUND);
    assert_eq!(served(&client).await, [10, 10, 10]);
    assert_eq!(force("/pressure/critical", &[]).await, StatusCode::OK);
    gateway.line(&["pressure calm -> critical: forced; log is 1/100, what can wait is turned away"]).await;
    assert_eq!(served(&client).await, [10, 10, 0]);
    assert_eq!(force("/pressure/follow", &[]).await, StatusCode::OK);
    gateway.line(&["pressure critical -> calm: released; all runs"]).await;
    assert_eq!(served(&client).await, [10, 10, 10]);
}

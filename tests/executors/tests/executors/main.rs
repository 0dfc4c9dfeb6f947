//! The same chain on each executor, with the same outcome.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use upstream::{Reply, Request, Upstream};

#[allow(dead_code, reason = "its main")]
#[path = "../../../../examples/embedding/smol.rs"]
mod example;
mod upstream;

/// No test waits for so long.
const LONG: Duration = Duration::from_secs(600);
const SHORT: Duration = Duration::from_millis(5);

/// What every executor has to do with the chain.
async fn every_way_out() {
    let patient = Upstream::within(LONG);
    let run = |failures, takes| patient.run(Request { failures, takes });
    assert_eq!(run(0, Duration::ZERO).await, Reply(200), "it never waits");
    assert_eq!(run(0, SHORT).await, Reply(200), "it waits for the call");
    assert_eq!(run(2, SHORT).await, Reply(200), "it pauses, and tries again");
    assert_eq!(run(9, Duration::ZERO).await, Reply(503), "three tries are all");
    assert_eq!((patient.count.0.load(Relaxed), patient.seen.left.load(Relaxed)), (1 + 1 + 3 + 3, 4));
    let hasty = Upstream::within(SHORT);
    assert_eq!(hasty.run(Request { failures: 0, takes: LONG }).await, Reply(504), "the timer ends it");
    assert_eq!((hasty.seen.left.load(Relaxed), hasty.seen.cancelled.load(Relaxed)), (1, 0));
}

#[test]
fn on_smol() {
    smol::block_on(every_way_out());
    smol::block_on(smol::spawn(every_way_out()));
}

#[test]
fn on_the_executors_of_futures() {
    futures_executor::block_on(every_way_out());
    let mut pool = futures_executor::LocalPool::new();
    pool.run_until(every_way_out());
    let (done, ended) = std::sync::mpsc::channel();
    let threads = futures_executor::ThreadPool::builder().pool_size(2).create().expect("threads");
    threads.spawn_ok(async move {
        every_way_out().await;
        done.send(()).expect("the test waits");
    });
    ended.recv().expect("it does not panic");
}

#[test]
fn on_pollster() {
    pollster::block_on(every_way_out());
}

#[test]
fn many_tasks_of_smols_share_a_chain() {
    let upstream = Arc::new(Upstream::within(LONG));
    smol::block_on(async {
        let tasks: Vec<_> = (0..100)
            .map(|index| {
                let upstream = Arc::clone(&upstream);
                smol::spawn(async move { upstream.run(Request { failures: index % 2, takes: SHORT }).await })
            })
            .collect();
        for task in tasks {
            // One budget pays for the retries of all: it may run out.
            let reply = task.await;
            assert!(reply == Reply(200) || reply == Reply(503), "{reply:?}");
        }
    });
    assert_eq!((upstream.seen.left.load(Relaxed), upstream.seen.cancelled.load(Relaxed)), (100, 0));
}

#[test]
fn a_task_that_is_cancelled_cancels_its_run() {
    let upstream = Arc::new(Upstream::within(LONG));
    smol::block_on(async {
        let task = smol::spawn({
            let upstream = Arc::clone(&upstream);
            async move { upstream.run(Request { failures: 0, takes: LONG }).await }
        });
        while upstream.count.0.load(Relaxed) == 0 {
            smol::future::yield_now().await;
        }
        assert_eq!(task.cancel().await, None);
    });
    assert_eq!((upstream.seen.left.load(Relaxed), upstream.seen.cancelled.load(Relaxed)), (0, 1));
}

/// `examples/embedding/smol.rs`, with a client that knows nothing of smol.
#[test]
fn a_server_on_smol_answers_lines_and_is_late_in_time() {
    let listener = smol::block_on(smol::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).expect("a free port");
    let address = listener.local_addr().expect("its address");
    let server = smol::spawn(example::serve(listener, Duration::from_millis(20)));
    let ask = |what: &[u8]| {
        let mut client = TcpStream::connect(address).expect("the server listens");
        client.set_read_timeout(Some(Duration::from_secs(30))).expect("an option of sockets");
        client.write_all(what).expect("the server reads");
        client.shutdown(Shutdown::Write).expect("the connection lives");
        let mut answers = String::new();
        client.read_to_string(&mut answers).expect("the answers");
        answers
    };
    assert_eq!(ask(b"one\nsleep 600000\nthree"), "ONE\nthe deadline has passed\nTHREE\n");
    assert_eq!(ask(b"not \xff\n"), "", "what is no line ends the connection");
    assert_eq!(ask(b"four\n"), "FOUR\n", "and no other");
    smol::block_on(server.cancel());
    assert!(TcpStream::connect(address).is_err());
}

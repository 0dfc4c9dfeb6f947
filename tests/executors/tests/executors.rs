//! Chains on smol, on the executors of `futures`, and on one of a dozen lines.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use chain_executors::{Count, Patient, Reply, Request, has_failed};
use chain_runtime::around::{Backoff, Deadline, Retry, Timer};
use futures::executor::{LocalPool, ThreadPool};
use futures::task::{LocalSpawnExt, SpawnExt};

/// Smol's own timer.
#[derive(Clone, Copy, Debug)]
struct Smol;

struct SmolSleep(smol::Timer);

impl Future for SmolSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(context).map(|_| ())
    }
}

impl Timer for Smol {
    type Sleep = SmolSleep;

    fn sleep_until(&self, at: Instant) -> SmolSleep {
        SmolSleep(smol::Timer::at(at))
    }
}

/// One that needs no reactor: the crate `futures-timer` has a thread for it.
#[derive(Clone, Copy, Debug)]
struct Anywhere;

impl Timer for Anywhere {
    type Sleep = futures_timer::Delay;

    fn sleep_until(&self, at: Instant) -> futures_timer::Delay {
        futures_timer::Delay::new(at.saturating_duration_since(Instant::now()))
    }
}

fn patient<T: Timer + Copy>(timer: T, limit: Duration) -> Patient<T> {
    let backoff = Backoff::exponential(Duration::from_millis(1), Duration::from_millis(2));
    let retry = Retry::new_on(timer, has_failed as fn(&Reply) -> bool).attempts(4).backoff(backoff);
    Patient { count: Count::default(), deadline: Deadline::within_on(timer, limit), retry }
}

const LONG: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_millis(20);

fn asked(failures: u32) -> Request {
    Request { failures, hangs: false }
}

const HANGS: Request = Request { failures: 0, hangs: true };

/// What every executor has to come to.
fn all_of_it<T: Timer + Copy + 'static>(
    timer: T,
    mut block_on: impl FnMut(Pin<&mut dyn Future<Output = Reply>>) -> Reply,
) {
    let mut run = |chain: &Patient<T>, request| block_on(std::pin::pin!(chain.run(request)));
    let chain = patient(timer, LONG);
    assert_eq!(run(&chain, asked(0)), Reply::Answer(1));
    assert_eq!(run(&chain, asked(3)), Reply::Answer(4));
    assert_eq!(run(&chain, asked(9)), Reply::Failed, "four tries, no more");
    let hasty = patient(timer, SHORT);
    assert_eq!(run(&hasty, HANGS), Reply::Late);
    assert_eq!((chain.count.left.load(Relaxed), hasty.count.left.load(Relaxed)), (3, 1));
    drop(hasty.run(HANGS));
    assert_eq!(hasty.count.cancelled.load(Relaxed), 0, "what was never polled has not begun");
}

#[test]
fn on_smol() {
    all_of_it(Smol, |run| smol::block_on(run));
}

#[test]
fn on_smols_executor_beside_each_other() {
    let chain = Arc::new(patient(Smol, LONG));
    let executor = smol::Executor::new();
    let tasks: Vec<_> = (0..20)
        .map(|index| {
            let chain = Arc::clone(&chain);
            executor.spawn(async move { chain.run(asked(index % 3)).await })
        })
        .collect();
    smol::block_on(executor.run(async {
        for (index, task) in (0..).zip(tasks) {
            assert_eq!(task.await, Reply::Answer(index % 3 + 1));
        }
    }));
}

#[test]
fn a_task_of_smols_that_is_cancelled_cancels_its_run() {
    let chain = Arc::new(patient(Smol, LONG));
    let executor = smol::LocalExecutor::new();
    let running = Arc::clone(&chain);
    let task = executor.spawn(async move { running.run(HANGS).await });
    assert!(executor.try_tick());
    smol::block_on(executor.run(task.cancel()));
    assert_eq!((chain.count.left.load(Relaxed), chain.count.cancelled.load(Relaxed)), (0, 1));
}

#[test]
fn on_futures_block_on() {
    all_of_it(Anywhere, |run| futures::executor::block_on(run));
}

#[test]
fn on_futures_pools() {
    let chain = Arc::new(patient(Anywhere, LONG));
    let pool = ThreadPool::builder().pool_size(2).create().expect("threads can be had");
    let handles: Vec<_> = (0..20)
        .map(|index| {
            let chain = Arc::clone(&chain);
            pool.spawn_with_handle(async move { chain.run(asked(index % 3)).await }).expect("it runs")
        })
        .collect();
    for (index, handle) in (0..).zip(handles) {
        assert_eq!(futures::executor::block_on(handle), Reply::Answer(index % 3 + 1));
    }

    let mut pool = LocalPool::new();
    let here = std::rc::Rc::new(patient(Anywhere, SHORT));
    let running = std::rc::Rc::clone(&here);
    let handle = pool.spawner().spawn_local_with_handle(async move { running.run(HANGS).await }).expect("it runs");
    assert_eq!(pool.run_until(handle), Reply::Late);
}

/// Parks its thread until it is woken.
fn parked(mut future: Pin<&mut dyn Future<Output = Reply>>) -> Reply {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

#[test]
fn on_a_thread_that_parks() {
    all_of_it(Anywhere, parked);
}

/// The crates in a tree, as `cargo tree` has them. Where `cargo` cannot be run, there is nothing to ask.
fn tree(package: &str, edges: &str) -> Option<Vec<String>> {
    let tree = std::process::Command::new(std::env::var_os("CARGO")?)
        .args([
            "tree",
            "--offline",
            "--locked",
            "--package",
            package,
            "--edges",
            edges,
            "--prefix",
            "none",
            "--format",
            "{lib}",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let mut crates: Vec<_> = String::from_utf8(tree.stdout).expect("it is text").lines().map(str::to_owned).collect();
    crates.sort();
    crates.dedup();
    Some(crates)
}

#[test]
fn there_is_no_tokio_in_the_tree() {
    let Some(crates) = tree("chain-executors", "all") else { return };
    assert!(crates.iter().any(|name| name == "smol"), "{crates:?}");
    assert!(!crates.iter().any(|name| name.starts_with("tokio")), "{crates:?}");
}

#[test]
fn by_default_the_runtime_stands_on_its_macros_alone() {
    let Some(crates) = tree("chain-runtime", "normal,no-proc-macro") else { return };
    assert_eq!(crates, ["chain_runtime"]);
}

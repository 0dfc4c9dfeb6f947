//! `Tasks::leaked`: 0 after 100,000 requests of which a third are cancelled at random points, and 1 if something
//! outlives what it belonged to.
//!
//! It counts for the process, so these tests are a program of their own, and take turns.
#![cfg(feature = "tokio")]

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Barrier, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use chain_runtime::tasks::{ChildFailed, ChildPanicked, Tasks, Work};
use chain_runtime::{IntoReply, chain, node};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio::time::{sleep, timeout};

fn in_turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How much work there is that was not dropped.
static LIVE: AtomicUsize = AtomicUsize::new(0);

struct Live;

impl Live {
    fn new() -> Self {
        LIVE.fetch_add(1, Relaxed);
        Self
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        LIVE.fetch_sub(1, Relaxed);
    }
}

/// What a request does is in the bits of its number, mixed.
#[derive(Clone, Copy)]
struct Request(u64);

impl Request {
    const fn new(number: u64) -> Self {
        // SplitMix64.
        let mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self(mixed ^ (mixed >> 31))
    }
    const fn bits(self, at: u32, count: u32) -> u64 {
        (self.0 >> at) & ((1 << count) - 1)
    }
    /// After how many polls it is dropped, if it takes as many: so a third of them are.
    const fn dropped_after(self) -> Option<u64> {
        if self.0 % 16 < 7 { Some(self.bits(40, 3)) } else { None }
    }
}

async fn yields(times: u64) {
    let _live = Live::new();
    for _ in 0..times {
        yield_now().await;
    }
}

struct Reply(u16);

impl IntoReply<Reply> for ChildFailed {
    fn into_reply(self) -> Reply {
        Reply(500)
    }
}
impl IntoReply<Reply> for ChildPanicked {
    fn into_reply(self) -> Reply {
        Reply(501)
    }
}

/// Spawns up to three children, of which one listens to the end of its run, and awaits some.
#[node]
async fn spawns(request: &Request, work: &Work) -> Result<(), ChildFailed> {
    let stopping = work.stopping();
    let live = Live::new();
    drop(work.spawn("listens", async move { (stopping.cancelled().await, live).0 }).await);
    let times = request.bits(0, 2);
    let child = work.spawn("yields", yields(times)).await;
    if request.bits(2, 1) == 1 {
        child.await?;
    }
    if request.bits(3, 6) == 7 {
        std::panic::resume_unwind(Box::new("a node panics"));
    }
    Ok(())
}

#[node]
fn charge(request: &Request) -> impl Future<Output = ()> + Send + 'static {
    yields(request.bits(9, 2))
}

#[node]
fn audit(request: &Request) -> impl Future<Output = ()> + Send + 'static {
    yields(request.bits(11, 2))
}

#[node]
fn warm(request: &Request, tasks: &Tasks) {
    let _ = tasks.behind("warm", yields(request.bits(13, 2)));
}

#[node]
fn done() -> Reply {
    Reply(200)
}

chain! {
    struct Gateway { tasks: Tasks }
    async fn(request: Request) -> Reply {
        tasks => spawns => #[cancel(finish)] charge => #[cancel(detach)] audit => warm => done
    }
}

#[derive(Clone, Copy, PartialEq)]
enum End {
    Replied,
    Cancelled,
    Panicked,
}

/// Runs a request, and drops it or catches its panic.
async fn served(gateway: &Gateway, request: Request) -> End {
    let mut run = pin!(gateway.run(request));
    let mut polls = request.dropped_after();
    poll_fn(|context| {
        if polls == Some(0) {
            return Poll::Ready(End::Cancelled);
        }
        polls = polls.map(|polls| polls - 1);
        match catch_unwind(AssertUnwindSafe(|| run.as_mut().poll(context))) {
            Ok(polled) => polled.map(|_| End::Replied),
            Err(_) => Poll::Ready(End::Panicked),
        }
    })
    .await
}

fn a_third_of_them_is_cancelled(runtime: &Runtime, requests: u64, at_once: u64) {
    let _turn = in_turn();
    let gateway = Arc::new(Gateway { tasks: Tasks::builder().at_most(40).queue(8).tells_at_reply().build() });
    let ends = runtime.block_on(async {
        let clients = (0..at_once).map(|client| {
            let gateway = Arc::clone(&gateway);
            tokio::spawn(async move {
                let mut ends = Vec::new();
                for number in (client..requests).step_by(at_once as usize) {
                    ends.push(served(&gateway, Request::new(number)).await);
                }
                ends
            })
        });
        let mut ends = Vec::new();
        for client in clients.collect::<Vec<_>>() {
            // Where places are lost, who waits for one waits for ever.
            let ended = timeout(Duration::from_secs(300), client).await.expect("no place is lost");
            ends.extend(ended.expect("its panics are caught"));
        }
        // Nobody stops anything: all of it ends by itself.
        let idle = async {
            while gateway.tasks.counts().alive > 0 {
                sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(Duration::from_secs(60), idle).await.expect("what belonged to a request has ended with it");
        assert_eq!((LIVE.load(Relaxed), Tasks::leaked()), (0, 0));
        assert_eq!(gateway.tasks.stop(Duration::from_secs(60)).await.to_string(), "nothing");
        ends
    });
    let counts = gateway.tasks.counts();
    let ended = |how| ends.iter().filter(|end| **end == how).count() as u64;
    let (cancelled, panicked) = (ended(End::Cancelled), ended(End::Panicked));
    assert!(cancelled > requests / 3 && panicked > requests / 100, "{cancelled}, {panicked} of {requests}: {counts:?}");
    assert!(counts.aborted > requests / 10, "children of cancelled runs were dropped where they stood: {counts:?}");
    assert_eq!((LIVE.load(Relaxed), Tasks::leaked()), (0, 0));
}

#[test]
fn nothing_has_leaked_after_100_000_requests_on_many_threads() {
    let runtime = Builder::new_multi_thread().worker_threads(4).enable_time().build().unwrap();
    a_third_of_them_is_cancelled(&runtime, 100_000, 32);
}

#[test]
fn nothing_has_leaked_after_100_000_requests_on_one_thread() {
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    a_third_of_them_is_cancelled(&runtime, 100_000, 32);
}

#[node]
async fn blocks(work: &Work, gate: &Arc<Barrier>, begun: &Arc<Notify>) -> Result<Reply, ChildFailed> {
    let (gate, told) = (Arc::clone(gate), Arc::clone(begun));
    let blocks = move || {
        told.notify_one();
        gate.wait();
        Reply(200)
    };
    work.spawn_blocking("blocks", blocks).await.await
}

chain! {
    struct Blocks { tasks: Tasks, gate: Arc<Barrier>, begun: Arc<Notify> }
    async fn() -> Reply { tasks => blocks }
}

fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_time().build().unwrap()
}

async fn opened(gate: &Arc<Barrier>) {
    let gate = Arc::clone(gate);
    tokio::task::spawn_blocking(move || gate.wait()).await.unwrap();
}

async fn until_none_is_alive(tasks: &Tasks) {
    while tasks.counts().alive > 0 {
        sleep(Duration::from_millis(1)).await;
    }
}

#[test]
fn a_child_that_blocks_its_thread_leaks_until_it_ends() {
    let _turn = in_turn();
    let blocks = Blocks { tasks: Tasks::new(4), gate: Arc::new(Barrier::new(2)), begun: Arc::default() };
    one_thread().block_on(async {
        tokio::select! {
            biased;
            _ = blocks.run() => panic!("its child blocks"),
            () = blocks.begun.notified() => {}
        }
        assert_eq!((Tasks::leaked(), blocks.tasks.counts().alive), (1, 1));
        opened(&blocks.gate).await;
        until_none_is_alive(&blocks.tasks).await;
        assert_eq!(Tasks::leaked(), 0);
        let open = async {
            blocks.begun.notified().await;
            opened(&blocks.gate).await;
        };
        assert_eq!(tokio::join!(blocks.run(), open).0.0, 200);
    });
}

#[test]
fn what_a_stop_cannot_drop_leaks_until_it_ends() {
    let _turn = in_turn();
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    let (gate, begun) = (Arc::new(Barrier::new(2)), Arc::new(Notify::new()));
    let tasks = Tasks::new(4);
    runtime.block_on(async {
        let (waits, told) = (Arc::clone(&gate), Arc::clone(&begun));
        let blocks = async move {
            told.notify_one();
            waits.wait();
        };
        tasks.detach("blocks", blocks).await;
        begun.notified().await;
        assert_eq!(Tasks::leaked(), 0, "its `Tasks` is there");
        assert_eq!(tasks.stop(Duration::from_millis(5)).await.to_string(), "1 of blocks");
        assert_eq!(Tasks::leaked(), 1);
        opened(&gate).await;
        until_none_is_alive(&tasks).await;
        assert_eq!(Tasks::leaked(), 0);
    });
}

#[test]
fn what_outlives_its_tasks_leaks_until_it_ends() {
    let _turn = in_turn();
    one_thread().block_on(async {
        let tasks = Tasks::new(4);
        let (told, done) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (waits, ends) = (Arc::clone(&told), Arc::clone(&done));
        let work = async move {
            waits.notified().await;
            ends.notify_one();
        };
        tasks.clone().detach("audit", work).await;
        assert_eq!(Tasks::leaked(), 0, "another handle is there");
        drop(tasks);
        assert_eq!(Tasks::leaked(), 1);
        told.notify_one();
        done.notified().await;
        yield_now().await;
        assert_eq!(Tasks::leaked(), 0);
    });
}

#[node]
async fn waits(work: &Work) -> Reply {
    drop(work.spawn("waits", std::future::pending::<()>()).await);
    std::future::pending().await
}

chain! {
    struct Waits { tasks: Tasks }
    async fn() -> Reply { tasks => waits }
}

/// What had leaked when it was woken.
struct LeakedAtWake(AtomicUsize);

impl Wake for LeakedAtWake {
    fn wake(self: Arc<Self>) {
        self.0.store(Tasks::leaked(), Relaxed);
    }
}

#[test]
fn who_hears_that_no_task_is_alive_finds_none_that_leaked() {
    let _turn = in_turn();
    one_thread().block_on(async {
        let waits = Waits { tasks: Tasks::new(4) };
        {
            let mut run = pin!(waits.run());
            assert!(poll_fn(|context| Poll::Ready(run.as_mut().poll(context).is_pending())).await);
        }
        assert_eq!(Tasks::leaked(), 1, "the runtime has not come to it");
        let leaked = Arc::new(LeakedAtWake(AtomicUsize::new(usize::MAX)));
        let waker = Waker::from(Arc::clone(&leaked));
        let mut stop = pin!(waits.tasks.stop(Duration::from_secs(60)));
        assert!(stop.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        yield_now().await;
        assert_eq!(leaked.0.load(Relaxed), 0);
        assert!(stop.await.is_empty());
    });
}

#[test]
fn a_runtime_that_is_shut_down_drops_its_tasks_where_they_stand_and_that_is_counted() {
    let _turn = in_turn();
    let waits = Arc::new(Waits { tasks: Tasks::new(8) });
    let runtime = one_thread();
    runtime.block_on(async {
        drop(tokio::spawn({
            let waits = Arc::clone(&waits);
            async move { waits.run().await }
        }));
        waits.tasks.detach("audit", std::future::pending::<()>()).await;
        assert!(waits.tasks.behind("warm", std::future::pending::<()>()));
        yield_now().await;
    });
    assert_eq!(waits.tasks.counts().alive, 3);
    drop(runtime);
    let counts = waits.tasks.counts();
    assert_eq!((counts.begun, counts.aborted, counts.alive, Tasks::leaked()), (3, 3, 0, 0));
}

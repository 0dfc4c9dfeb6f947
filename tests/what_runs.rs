//! A chain does what the docs say, also where the edges of two features meet.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::thread::ThreadId;
use std::time::Duration;

use chain_runtime::around::{Concurrency, Deadline, Expired, Overloaded, Wait};
use chain_runtime::describe::{ChainInfo, NodeInfo};
use chain_runtime::observe::{Event, Observer, Recorder, Recording, Way};
use chain_runtime::{Ending, IntoReply, Response, chain, node};
use http::StatusCode;

const MS: Duration = Duration::from_millis(1);

#[derive(Debug, PartialEq)]
struct Reply(u32);

impl IntoReply<Reply> for Expired {
    fn into_reply(self) -> Reply {
        note("late");
        Reply(504)
    }
}

impl IntoReply<Reply> for Overloaded {
    fn into_reply(self) -> Reply {
        Reply(503)
    }
}

thread_local!(static SAID: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) });

fn note(what: &'static str) {
    SAID.with_borrow_mut(|said| said.push(what));
}

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(future)
}

// ---- timeouts

struct Dropped;

impl Drop for Dropped {
    fn drop(&mut self) {
        note("dropped");
    }
}

#[node]
async fn slow(text: &str) -> Reply {
    let _dropped = Dropped;
    tokio::time::sleep(Duration::from_secs(text.len() as u64)).await;
    Reply(200)
}

chain! {
    #[observe(Recorder)]
    struct Observed;
    async fn(text: &str) -> Reply { #[timeout(250ms)] slow }
}

chain! {
    struct Plain;
    async fn(text: &str) -> Reply { #[timeout(250ms)] slow }
}

#[test]
fn a_node_that_is_late_is_gone_before_its_lateness_becomes_the_reply() {
    assert_eq!(run(Plain.run("abc")), Reply(504));
    assert_eq!(SAID.take(), ["dropped", "late"]);
    assert_eq!(run(Plain.run("")), Reply(200));
    assert_eq!(SAID.take(), ["dropped"]);
}

#[test]
fn a_timeout_is_observed() {
    let recording = Recording::start();
    assert_eq!(run(Observed.run("abc")), Reply(504));
    assert_eq!(SAID.take(), ["dropped", "late"]);
    let ending = Observed::NODES.len();
    assert_eq!(ending, 1);
    let events = recording.events();
    assert_eq!(events[1..3], [Event::Enter("slow"), Event::Suspend("slow", Way::In)]);
    assert_eq!(events[events.len() - 3..events.len() - 1], [Event::Resume("slow", Way::In), Event::Broke("slow")]);
}

// ---- time, by the recipe of `observe`

thread_local!(static SPENT: RefCell<BTreeMap<&'static str, Duration>> = RefCell::default());
static MOVED: std::sync::Mutex<Vec<(&'static str, ThreadId, ThreadId)>> = std::sync::Mutex::new(Vec::new());

struct Meter {
    since: Option<(tokio::time::Instant, ThreadId)>,
}

impl Meter {
    fn start(&mut self) {
        self.since = Some((tokio::time::Instant::now(), std::thread::current().id()));
    }

    fn stop(&mut self, node: &'static NodeInfo) {
        let (since, thread) = self.since.take().expect("a stretch begins before it ends");
        SPENT.with_borrow_mut(|spent| *spent.entry(node.name).or_default() += since.elapsed());
        let now = std::thread::current().id();
        if now != thread {
            MOVED.lock().unwrap().push((node.name, thread, now));
        }
    }
}

impl Observer for Meter {
    fn begin(_: &'static ChainInfo) -> Self {
        Self { since: None }
    }
    fn enter(&mut self, _: &'static NodeInfo) {
        self.start();
    }
    fn leave(&mut self, _: &'static NodeInfo) {
        self.start();
    }
    fn resume(&mut self, _: &'static NodeInfo, _: Way) {
        self.start();
    }
    fn entered(&mut self, node: &'static NodeInfo) {
        self.stop(node);
    }
    fn broke(&mut self, node: &'static NodeInfo) {
        self.stop(node);
    }
    fn left(&mut self, node: &'static NodeInfo) {
        self.stop(node);
    }
    fn suspend(&mut self, node: &'static NodeInfo, _: Way) {
        self.stop(node);
    }
    fn panicked(&mut self, node: &'static NodeInfo, _: Way) {
        self.stop(node);
    }
    fn cancelled(&mut self, _: &'static NodeInfo) {
        assert!(self.since.is_none(), "no stretch is open where a node is cancelled");
    }
}

#[node]
async fn quick() -> Reply {
    tokio::time::sleep(MS).await;
    Reply(200)
}

#[node]
async fn nine_seconds() -> Reply {
    tokio::time::sleep(9000 * MS).await;
    Reply(200)
}

chain! {
    #[observe(Meter)]
    struct Late { deadline: Deadline }
    async fn() -> Reply { deadline { nine_seconds } }
}

chain! {
    #[observe(Meter)]
    struct Queue { limit: Concurrency<Wait> }
    async fn() -> Reply { limit { quick } }
}

#[test]
fn waiting_is_nobodys_time_also_around_a_block() {
    assert_eq!(run(Late { deadline: Deadline::within(250 * MS) }.run()), Reply(504));
    let reply = run(async {
        let queue = Queue { limit: Concurrency::wait(1, 400 * MS) };
        let hold = async {
            let busy = pin!(async { tokio::time::sleep(3000 * MS).await });
            queue.limit.around(busy).await.unwrap();
        };
        tokio::join!(hold, queue.run()).1
    });
    assert_eq!(reply, Reply(503));
    let spent = SPENT.take();
    assert!(spent.values().all(Duration::is_zero), "{spent:?}");
    assert_eq!(spent.keys().copied().collect::<Vec<_>>(), ["deadline", "limit", "nine_seconds"]);
}

#[test]
fn a_stretch_ends_on_the_thread_on_which_it_began() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_time().build().unwrap();
    runtime.block_on(async {
        let queue = std::sync::Arc::new(Queue { limit: Concurrency::wait(2, 30 * MS) });
        let runs: Vec<_> = (0..500)
            .map(|_| {
                let queue = queue.clone();
                tokio::spawn(async move { queue.run().await })
            })
            .collect();
        for run in runs {
            run.await.unwrap();
        }
    });
    assert_eq!(*MOVED.lock().unwrap(), []);
}

// ---- a block that runs again, in the short form

static TRIES: AtomicU32 = AtomicU32::new(0);

struct Again;

#[node(stateless)]
impl Again {
    async fn around<B: Future>(&self, block: Pin<&mut B>) -> B::Output {
        block.await
    }
    fn again(&self, attempt: u32, reply: &Ending) -> bool {
        reply.is_cut_short() && attempt < 3
    }
}

#[node]
fn stamp(response: &mut Response) {
    response.headers.append("x-stamp", "1".parse().unwrap());
    response.headers.append("x-stamp", "2".parse().unwrap());
    response.body.extend_from_slice(b"stamped, ");
}

#[node]
fn upstream(response: &mut Response) -> Result<(), (StatusCode, &'static str)> {
    response.headers.append("x-try", "1".parse().unwrap());
    if TRIES.fetch_add(1, SeqCst) == 0 {
        return Err((StatusCode::SERVICE_UNAVAILABLE, "try again later. "));
    }
    Ok(())
}

#[node]
fn greet(response: &mut Response) {
    response.body.extend_from_slice(b"hello");
}

#[test]
fn a_try_that_is_not_kept_leaves_nothing_in_the_response() {
    let chain = chain!(stamp => Again { upstream => greet });
    let mut context = chain_runtime::Context::new();
    run(chain.run(&mut context));
    let Response { status, headers, body, .. } = &context.response;
    assert_eq!((*status, &body[..]), (StatusCode::OK, &b"stamped, hello"[..]));
    assert_eq!((headers.get_all("x-stamp").iter().count(), headers.get_all("x-try").iter().count()), (2, 1));
    assert_eq!(headers.len(), 3, "{headers:?}");
}

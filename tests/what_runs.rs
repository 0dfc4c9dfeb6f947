//! What runs is what the docs say: where an edge of one thing meets an edge of another.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::task::{Context, Poll, Waker};
use std::thread::ThreadId;
use std::time::Duration;

use chain_runtime::around::{Concurrency, Deadline, Expired, Overloaded, Wait};
use chain_runtime::describe::{ChainInfo, NodeInfo};
use chain_runtime::observe::{Event, Observer, Recorder, Recording, Way};
use chain_runtime::{Ending, IntoReply, Response, Toggles, chain, node};
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

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
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

// ---- who panicked, and who was cancelled

/// Polls its block once, and panics where that is not ready.
struct Boom;

#[node]
impl Boom {
    async fn around<B: Future>(&self, mut block: Pin<&mut B>) -> B::Output {
        poll_fn(|context| match block.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(output),
            Poll::Pending => resume_unwind(Box::new("boom")),
        })
        .await
    }
}

/// Abandons its block after one poll.
struct Gives;

struct GaveUp;

impl IntoReply<Reply> for GaveUp {
    fn into_reply(self) -> Reply {
        Reply(1)
    }
}

#[node]
impl Gives {
    async fn around<B: Future>(&self, mut block: Pin<&mut B>) -> Result<B::Output, GaveUp> {
        poll_fn(|context| match block.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Ok(output)),
            Poll::Pending => Poll::Ready(Err(GaveUp)),
        })
        .await
    }
}

/// Waits before it polls its block.
struct Waits;

#[node]
impl Waits {
    async fn around<B: Future>(&self, block: Pin<&mut B>) -> B::Output {
        pending::<()>().await;
        block.await
    }
}

/// Asks for another try, and panics when it is asked.
struct Asks;

#[node]
impl Asks {
    async fn around<B: Future>(&self, block: Pin<&mut B>) -> B::Output {
        block.await
    }
    fn again(&self, _attempt: u32, _reply: &Reply) -> bool {
        resume_unwind(Box::new("asked"))
    }
}

struct Hook;

#[node]
impl Hook {
    fn cancelled(&self) {
        if !std::thread::panicking() {
            resume_unwind(Box::new("cancelled"));
        }
    }
}

#[node]
async fn last() -> Reply {
    pending().await
}

#[node]
fn bang() -> Reply {
    resume_unwind(Box::new("bang"))
}

#[node]
fn done() -> Reply {
    Reply(200)
}

chain! {
    #[observe(Recorder)]
    struct OuterPanics { boom: Boom, waits: Waits }
    async fn() -> Reply { boom { waits { last } } }
}

chain! {
    #[observe(Recorder)]
    struct InnerPanics { waits: Waits, boom: Boom, gives: Gives }
    async fn() -> Reply { gives { boom { bang } } }
}

chain! {
    #[observe(Recorder)]
    struct OwnPanicInside { gives: Gives, boom: Boom }
    async fn() -> Reply { gives { boom { last } } }
}

chain! {
    #[observe(Recorder)]
    struct CallerPanics { waits: Waits }
    async fn() -> Reply { waits { last } }
}

chain! {
    #[observe(Recorder)]
    struct HookPanicsInside { gives: Gives, hook: Hook }
    async fn() -> Reply { gives { hook => last } }
}

chain! {
    #[observe(Recorder)]
    struct HookPanicsOutside { waits: Waits, hook: Hook }
    async fn() -> Reply { hook => waits { last } }
}

/// Has the same hook, and none that panics.
struct Quiet;

#[node]
impl Quiet {
    fn cancelled(&self) {}
}

/// Passes its block on.
struct Passes;

#[node]
impl Passes {
    async fn around<B: Future>(&self, block: Pin<&mut B>) -> B::Output {
        block.await
    }
}

/// Waits on its way out, and panics where it is cut off there.
struct SlowHook;

#[node]
impl SlowHook {
    async fn exit(&self) {
        pending().await
    }
    fn cancelled(&self) {
        resume_unwind(Box::new("cancelled"));
    }
}

chain! {
    #[observe(Recorder)]
    struct HookPanicsDeeper { outer: Passes, gives: Gives, hook: Hook, before: Quiet }
    async fn() -> Reply { outer { gives { before => hook => last } } }
}

chain! {
    #[observe(Recorder)]
    struct HookPanicsOnTheWayOut { hook: SlowHook, before: Quiet }
    async fn() -> Reply { before => hook => done }
}

chain! {
    #[observe(Recorder)]
    struct HookPanicsSkippable { hook: Hook, toggles: Toggles }
    async fn() -> Reply { #[toggle] hook => last }
}

chain! {
    #[observe(Recorder)]
    struct AskedPanics { asks: Asks }
    async fn() -> Reply { asks { done } }
}

/// How those ended that did not come to a reply: in which order, and by what.
fn died(poll_it: impl FnOnce()) -> Vec<Event> {
    let recording = Recording::start();
    assert!(catch_unwind(AssertUnwindSafe(poll_it)).is_err(), "it panics");
    let events = recording.events().into_iter();
    events.filter(|event| matches!(event, Event::Panicked(..) | Event::Cancelled(_) | Event::End(_))).collect()
}

#[test]
fn who_panics_is_told_so_and_who_waits_meanwhile_was_cancelled() {
    use Event::{Cancelled, End, Panicked};
    let outer = OuterPanics { boom: Boom, waits: Waits };
    let told = died(|| drop(poll(pin!(outer.run()))));
    assert_eq!(told, [Cancelled("waits"), Panicked("boom", Way::In), End(None)]);

    let inner = InnerPanics { waits: Waits, boom: Boom, gives: Gives };
    let told = died(|| drop(poll(pin!(inner.run()))));
    assert_eq!(told, [Panicked("bang", Way::In), Cancelled("boom"), Cancelled("gives"), End(None)]);

    let own = OwnPanicInside { gives: Gives, boom: Boom };
    let told = died(|| drop(poll(pin!(own.run()))));
    assert_eq!(told, [Cancelled("last"), Panicked("boom", Way::In), Cancelled("gives"), End(None)]);

    let asked = AskedPanics { asks: Asks };
    let told = died(|| drop(poll(pin!(asked.run()))));
    assert_eq!(told, [Panicked("asks", Way::Out), End(None)], "it is on its way out when it is asked");
}

#[test]
fn a_caller_that_panics_cancels() {
    let caller = CallerPanics { waits: Waits };
    let told = died(|| {
        let mut run = pin!(caller.run());
        assert!(poll(run.as_mut()).is_pending());
        resume_unwind(Box::new("the caller"));
    });
    assert_eq!(told, [Event::Cancelled("waits"), Event::End(None)]);
}

#[test]
fn a_cancelled_hook_that_panics_is_told_so_and_nobody_else() {
    use Event::{Cancelled, End, Panicked};
    let hook = || Hook;
    let inside = HookPanicsInside { gives: Gives, hook: hook() };
    let told = died(|| drop(poll(pin!(inside.run()))));
    assert_eq!(told, [Cancelled("last"), Panicked("hook", Way::Out), Cancelled("gives"), End(None)]);

    let deeper = HookPanicsDeeper { outer: Passes, gives: Gives, hook: hook(), before: Quiet };
    let told = died(|| drop(poll(pin!(deeper.run()))));
    let blamed = [Cancelled("last"), Panicked("hook", Way::Out), Cancelled("before"), Cancelled("gives")];
    assert_eq!(told, [&blamed[..], &[Cancelled("outer"), End(None)]].concat());

    let outside = HookPanicsOutside { waits: Waits, hook: hook() };
    let told = died(|| {
        let mut run = Box::pin(outside.run());
        assert!(poll(run.as_mut()).is_pending());
        drop(run);
    });
    assert_eq!(told, [Cancelled("waits"), Panicked("hook", Way::Out), End(None)]);

    let on_the_way_out = HookPanicsOnTheWayOut { hook: SlowHook, before: Quiet };
    let told = died(|| {
        let mut run = Box::pin(on_the_way_out.run());
        assert!(poll(run.as_mut()).is_pending());
        drop(run);
    });
    assert_eq!(told, [Panicked("hook", Way::Out), Cancelled("before"), End(None)]);

    let skippable = HookPanicsSkippable { hook: hook(), toggles: Toggles::new() };
    let told = died(|| {
        let mut run = Box::pin(skippable.run());
        assert!(poll(run.as_mut()).is_pending());
        drop(run);
    });
    assert_eq!(told, [Cancelled("last"), Panicked("hook", Way::Out), End(None)]);
}

#[test]
fn a_cancelled_hook_that_panics_is_a_stretch_of_its_own() {
    use Event::{Cancelled, End, Leave, Panicked, Resume, Suspend};
    let recording = Recording::start();
    let outside = HookPanicsOutside { waits: Waits, hook: Hook };
    let mut run = Box::pin(outside.run());
    assert!(poll(run.as_mut()).is_pending());
    assert!(catch_unwind(AssertUnwindSafe(|| drop(run))).is_err());
    let last = |count: usize| recording.events().split_off(recording.events().len() - count);
    assert_eq!(last(4), [Cancelled("waits"), Leave("hook"), Panicked("hook", Way::Out), End(None)]);

    let recording = Recording::start();
    let on_the_way_out = HookPanicsOnTheWayOut { hook: SlowHook, before: Quiet };
    let mut run = Box::pin(on_the_way_out.run());
    assert!(poll(run.as_mut()).is_pending());
    assert!(catch_unwind(AssertUnwindSafe(|| drop(run))).is_err());
    let last = |count: usize| recording.events().split_off(recording.events().len() - count);
    let told = [Suspend("hook", Way::Out), Resume("hook", Way::Out), Panicked("hook", Way::Out), Cancelled("before")];
    assert_eq!(last(5), [&told[..], &[End(None)]].concat());
}

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            resume_unwind(Box::new("drop"));
        }
    }
}

impl IntoReply<Reply> for Bomb {
    fn into_reply(self) -> Reply {
        Reply(0)
    }
}

#[node]
fn bomb() -> Bomb {
    Bomb
}

#[node]
fn breaks() -> Result<(), Bomb> {
    Err(Bomb)
}

chain! {
    #[observe(Recorder)]
    struct ValuePanics { outer: Passes }
    async fn() -> Reply { outer { bomb => done } }
}

chain! {
    #[observe(Recorder)]
    struct BreakPanics { outer: Passes }
    async fn() -> Reply { outer { breaks => done } }
}

chain! {
    #[observe(Recorder)]
    struct ReplyPanics { outer: Passes }
    async fn() -> Reply { outer { bomb } }
}

chain! {
    #[observe(Recorder)]
    struct AbandonedValuePanics { outer: Passes, gives: Gives }
    async fn() -> Reply { outer { gives { bomb => last } } }
}

#[test]
fn what_panics_that_is_no_node_is_nobody() {
    use Event::{Cancelled, End};
    let value = ValuePanics { outer: Passes };
    assert_eq!(died(|| drop(poll(pin!(value.run())))), [Cancelled("outer"), End(None)]);
    let broke = BreakPanics { outer: Passes };
    assert_eq!(died(|| drop(poll(pin!(broke.run())))), [Cancelled("outer"), End(None)]);
    let reply = ReplyPanics { outer: Passes };
    assert_eq!(died(|| drop(poll(pin!(reply.run())))), [Cancelled("bomb"), Cancelled("outer"), End(None)]);
    let abandoned = AbandonedValuePanics { outer: Passes, gives: Gives };
    let told = died(|| drop(poll(pin!(abandoned.run()))));
    assert_eq!(told, [Cancelled("last"), Cancelled("bomb"), Cancelled("gives"), Cancelled("outer"), End(None)]);
}

/// Asks for another try, and panics in the pause before it.
struct Pauses;

#[node]
impl Pauses {
    async fn around<B: Future>(&self, block: Pin<&mut B>) -> B::Output {
        block.await
    }
    fn again(&self, _attempt: u32, _reply: &Reply) -> Option<impl Future<Output = ()> + use<>> {
        Some(async { resume_unwind(Box::new("pause")) })
    }
}

/// Catches the panic of its block, waits, and panics by itself.
struct Catches;

#[node]
impl Catches {
    async fn around<B: Future>(&self, mut block: Pin<&mut B>) -> B::Output {
        let mut caught = false;
        poll_fn(move |context| {
            if caught {
                resume_unwind(Box::new("my own"));
            }
            caught = catch_unwind(AssertUnwindSafe(|| block.as_mut().poll(context).is_ready())).is_err();
            Poll::Pending
        })
        .await
    }
}

chain! {
    #[observe(Recorder)]
    struct PausePanics { outer: Passes, pauses: Pauses }
    async fn() -> Reply { outer { pauses { done } } }
}

chain! {
    #[observe(Recorder)]
    struct CaughtAndPanics { outer: Passes, catches: Catches }
    async fn() -> Reply { outer { catches { bang } } }
}

#[test]
fn a_node_around_a_block_is_told_of_its_own_panics_alone() {
    use Event::{Cancelled, End, Leave, Panicked};
    let recording = Recording::start();
    let paused = PausePanics { outer: Passes, pauses: Pauses };
    assert!(catch_unwind(AssertUnwindSafe(|| drop(poll(pin!(paused.run()))))).is_err());
    let events = recording.events();
    let told = [Leave("pauses"), Panicked("pauses", Way::Out), Cancelled("outer"), End(None)];
    assert_eq!(events[events.len() - 4..], told);

    let caught = CaughtAndPanics { outer: Passes, catches: Catches };
    let told = died(|| {
        let mut run = pin!(caught.run());
        assert!(poll(run.as_mut()).is_pending());
        drop(poll(run.as_mut()));
    });
    let both = [Panicked("bang", Way::In), Panicked("catches", Way::Out)];
    assert_eq!(told, [&both[..], &[Cancelled("outer"), End(None)]].concat());
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

//! Observers are told who panicked, and that everything else was cancelled.

use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use chain_runtime::observe::{Event, Recorder, Recording, Way};
use chain_runtime::{IntoReply, Toggles, chain, node};

struct Reply;

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

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
        Reply
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
    Reply
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
        Reply
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

// ---- a chain in a node of another

struct Inner {
    chain: Within,
}

#[node]
impl Inner {
    async fn enter(&self) -> Reply {
        self.chain.run().await
    }
}

chain! {
    #[observe(Recorder)]
    struct Within { hook: Hook, quiet: Quiet }
    async fn() -> Reply { quiet => hook => last }
}

chain! {
    #[observe(Recorder)]
    struct Without { gives: Gives, before: Quiet, inner: Inner }
    async fn() -> Reply { gives { before => inner } }
}

#[test]
fn a_hook_that_panics_in_a_run_that_a_node_has_is_that_runs_affair() {
    use Event::{Cancelled, End, Panicked};
    let inner = Inner { chain: Within { hook: Hook, quiet: Quiet } };
    let outer = Without { gives: Gives, before: Quiet, inner };
    // What a node waits for is dropped with it: the panic is not of its own code.
    let told = died(|| drop(poll(pin!(outer.run()))));
    let within = [Cancelled("last"), Panicked("hook", Way::Out), Cancelled("quiet"), End(None)];
    let without = [Cancelled("inner"), Cancelled("before"), Cancelled("gives"), End(None)];
    assert_eq!(told, [within, without].concat());
}

//! Fields that observe the runs of their chain: what they are told, and that their figures add up.

use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::thread;

use chain::poll::{block_on, drive, suspend};
use chain_runtime::describe::{ChainInfo, NodeInfo};
use chain_runtime::observe::{Observes, Recorder, Recording, Stretch, Told, Way};
use chain_runtime::{Ending, Toggles, chain, node};

/// A clock that nodes and waits move, for all threads.
#[derive(Debug, Default)]
struct Clock(AtomicU64);

impl Clock {
    fn pass(&self, ticks: u64) {
        self.0.fetch_add(ticks, Relaxed);
    }
    fn now(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// Writes down all that it is told, each stretch with its length.
#[derive(Debug, Default)]
struct Notes {
    clock: Arc<Clock>,
    lines: Mutex<Vec<String>>,
}

struct Since(Mutex<(String, u64)>);

impl Notes {
    fn of(clock: &Arc<Clock>) -> Self {
        Self { clock: clock.clone(), lines: Mutex::default() }
    }
    fn taken(&self) -> Vec<String> {
        std::mem::take(&mut self.lines.lock().expect("no panic"))
    }
    fn ends(&self, run: &Since, next: String) {
        let now = self.clock.now();
        let (whose, since) = std::mem::replace(&mut *run.0.lock().expect("no panic"), (next, now));
        self.note(format!("{whose} {}", now - since));
    }
    fn note(&self, line: String) {
        self.lines.lock().expect("no panic").push(line);
    }
}

fn way(way: Way) -> &'static str {
    match way {
        Way::In => "in",
        Way::Out => "out",
    }
}

impl Observes for Notes {
    type Run = Since;

    fn begin(&self, _: &'static ChainInfo) -> Since {
        Since(Mutex::new(("chain".to_owned(), self.clock.now())))
    }

    fn tell(&self, run: &Since, told: Told) {
        let of = |what: &str, node: &NodeInfo| self.note(format!("{what} {}", node.name));
        match told {
            Told::Stretch(Stretch::Chain) => self.ends(run, "chain".to_owned()),
            Told::Stretch(Stretch::Running(node, on)) => self.ends(run, format!("{} {}", node.name, way(on))),
            Told::Stretch(Stretch::Waiting(node, on)) => self.ends(run, format!("{} waits {}", node.name, way(on))),
            Told::Skipped(node) => of("skipped", node),
            Told::Detached(node) => of("detached", node),
            Told::Late(node) => of("late", node),
            Told::Block(block) => self.note(format!("block {block}")),
            _ => {}
        }
    }

    fn end(&self, run: &mut Since, ending: Option<&'static Ending>) {
        self.ends(run, String::new());
        self.note(ending.map_or("died".to_owned(), ToString::to_string));
    }
}

/// Takes so many ticks, then waits, and takes as many again.
async fn works(clock: &Clock, ticks: u64, waits: usize) {
    clock.pass(ticks);
    suspend(waits).await;
    clock.pass(ticks);
}

#[node]
async fn first(clock: &Arc<Clock>) {
    works(clock, 1, 1).await;
}

#[node]
async fn last(clock: &Arc<Clock>) -> u32 {
    works(clock, 20, 1).await;
    2
}

/// Works before its block, between its polls and after it, and runs it twice.
struct Twice(Arc<Clock>);

#[node]
impl Twice {
    async fn around<B: Future>(&self, mut block: Pin<&mut B>) -> B::Output {
        works(&self.0, 100, 1).await;
        let output = std::future::poll_fn(|context| {
            let poll = block.as_mut().poll(context);
            self.0.pass(1_000);
            poll
        });
        let output = output.await;
        works(&self.0, 10_000, 0).await;
        output
    }
    fn again(&self, attempt: u32, _reply: &u32) -> Option<impl Future<Output = ()> + use<>> {
        (attempt < 2).then(|| suspend(1))
    }
}

/// Polls to the end; between two polls so many ticks pass, and the run moves to another thread.
fn polled<F: Future<Output: Send> + Send>(run: F, clock: &Clock, ticks: u64) -> F::Output {
    let mut run = pin!(run);
    loop {
        let poll = thread::scope(|scope| {
            let polls = scope.spawn(|| run.as_mut().poll(&mut Context::from_waker(std::task::Waker::noop())));
            polls.join().expect("no panic")
        });
        match poll {
            Poll::Ready(output) => return output,
            Poll::Pending => clock.pass(ticks),
        }
    }
}

chain! {
    #[observe(notes)]
    struct Row { clock: Arc<Clock>, notes: Notes }
    async fn() -> u32 { first => last }
}

#[test]
fn each_tick_is_somebodys() {
    let clock = Arc::new(Clock::default());
    let row = Row { notes: Notes::of(&clock), clock: clock.clone() };
    assert_eq!(polled(row.run(), &clock, 5), 2);
    let stretches =
        ["chain 0", "first in 1", "first waits in 5", "first in 1", "last in 20", "last waits in 5", "last in 20"];
    assert_eq!(row.notes.taken(), [&stretches[..], &["chain 0", "replied by `last`"]].concat());
}

#[test]
fn a_run_that_is_dropped_while_it_waits_ends_its_stretch() {
    let clock = Arc::new(Clock::default());
    let row = Row { notes: Notes::of(&clock), clock: clock.clone() };
    assert!(drive(row.run(), 1).is_dropped());
    assert_eq!(row.notes.taken(), ["chain 0", "first in 1", "first waits in 0", "chain 0", "died"]);
}

chain! {
    #[observe(notes)]
    struct Wrapped { clock: Arc<Clock>, twice: Twice, notes: Notes }
    async fn() -> u32 { twice { last } }
}

#[test]
fn a_node_around_a_block_has_what_remains_when_the_block_is_taken_out() {
    let clock = Arc::new(Clock::default());
    let wrapped = Wrapped { twice: Twice(clock.clone()), notes: Notes::of(&clock), clock: clock.clone() };
    assert_eq!(polled(wrapped.run(), &clock, 5), 2);
    // Its own wait, its work before and after each poll of the block, and the block's nodes between.
    let once = [
        "twice in 100",
        "twice waits in 5",
        "block 0",
        "twice in 100",
        "last in 20",
        "last waits in 0",
        "twice in 1000",
        "last waits in 5",
        "twice in 0",
        "last in 20",
        "chain 0",
    ];
    let told = [
        &["chain 0"][..],
        &once,
        // The pause before the next try is its own.
        &["twice out 21000", "twice waits out 5", "twice out 0"],
        &once,
        &["twice out 21000", "chain 0", "replied by `last`"],
    ];
    assert_eq!(wrapped.notes.taken(), told.concat());
}

#[node]
fn is_left(clock: &Arc<Clock>) -> bool {
    clock.pass(1);
    true
}

#[node]
fn left() -> u32 {
    1
}

chain! {
    #[observe(notes)]
    struct Branches { clock: Arc<Clock>, toggles: Toggles, notes: Notes }
    async fn() -> u32 { #[toggle(off)] first => if is_left { left } else { last } }
}

#[test]
fn what_is_skipped_is_told_and_which_block_runs() {
    let clock = Arc::new(Clock::default());
    let branches = Branches { notes: Notes::of(&clock), toggles: Toggles::new(), clock };
    assert_eq!(block_on(branches.run()), 1);
    let told = ["skipped first", "chain 0", "block 0", "is_left in 1", "left in 0", "chain 0", "replied by `left`"];
    assert_eq!(branches.notes.taken(), told);
}

chain! {
    #[observe(Recorder, one, other, off)]
    struct Several<N: Observes> { clock: Arc<Clock>, one: Arc<Notes>, other: N, off: Option<Arc<Notes>> }
    async fn() -> u32 { first => last }
}

#[test]
fn types_and_fields_observe_side_by_side() {
    let clock = Arc::new(Clock::default());
    let one = Arc::new(Notes::of(&clock));
    let several = Several { one: one.clone(), other: Notes::of(&clock), off: None, clock };
    let recording = Recording::start();
    assert_eq!(block_on(several.run()), 2);
    let notes = one.taken();
    assert_eq!(notes.len(), 9);
    assert_eq!(several.other.taken(), notes);
    assert_eq!(recording.events().len(), 14);
}

/// A chain as the node of another.
struct Inner(Row);

#[node]
impl Inner {
    async fn enter(&self) -> u32 {
        self.0.run().await
    }
}

chain! {
    #[observe(notes)]
    struct Outer { inner: Inner, notes: Notes }
    async fn() -> u32 { inner }
}

#[test]
fn what_a_chain_takes_is_what_its_node_takes_in_another() {
    let clock = Arc::new(Clock::default());
    let row = Row { notes: Notes::of(&clock), clock: clock.clone() };
    let outer = Outer { inner: Inner(row), notes: Notes::of(&clock) };
    assert_eq!(polled(outer.run(), &clock, 5), 2);
    let told = outer.notes.taken();
    assert_eq!(told[1..6], ["inner in 1", "inner waits in 5", "inner in 21", "inner waits in 5", "inner in 20"]);
    let sum =
        |told: &[String]| -> u64 { told.iter().filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum() };
    assert_eq!(sum(&told), clock.now());
    assert_eq!(sum(&outer.inner.0.notes.taken()), clock.now());
}

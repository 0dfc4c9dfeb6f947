//! What observers are told, and that time can be attributed by it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use chain::log::{note, taken};
use chain::poll::{Driven, block_on, drive, panic_silently, suspend};
use chain_runtime::describe::{ChainInfo, NodeInfo};
use chain_runtime::observe::Event::{
    Begin, Broke, Cancelled, End, Enter, Entered, Leave, Left, Panicked, Resume, Suspend,
};
use chain_runtime::observe::{Observer, Recorder, Recording, Way};
use chain_runtime::{Ending, chain, node};

// ---- a clock that only the test moves; each thread has its own, and they do not agree

thread_local! {
    static NOW: Cell<u64> = const { Cell::new(0) };
}

fn work(ticks: u64) {
    NOW.set(NOW.get() + ticks);
}

struct User;
#[derive(Clone, Copy, PartialEq)]
enum Does {
    Reply,
    Break,
    Panic,
    PanicOnTheWayOut,
}
use Does::{Break, PanicOnTheWayOut, Reply};

#[node]
fn open(_does: &Does) -> User {
    work(1);
    User
}

struct Around;
#[node]
impl Around {
    async fn enter(&self, _user: &User) {
        work(10);
        suspend(1).await;
        work(20);
    }
    async fn exit(&self, does: &Does) {
        work(100);
        suspend(1).await;
        work(200);
        if *does == PanicOnTheWayOut {
            panic_silently("out");
        }
    }
}

#[node]
async fn serve(does: &Does) -> Result<u32, u32> {
    work(1_000);
    suspend(2).await;
    match does {
        Break => Err(4),
        Does::Panic => panic_silently("in"),
        Reply | PanicOnTheWayOut => Ok(2),
    }
}

chain! {
    #[observe(Recorder)]
    struct Recorded { around: Around }
    async fn(does: Does) -> u32 { open => around => serve }
}

/// What is told of the way in, up to the last node's second suspension.
const WAY_IN: [chain_runtime::observe::Event; 11] = [
    Begin("Recorded"),
    Enter("open"),
    Entered("open"),
    Enter("around"),
    Suspend("around", Way::In),
    Resume("around", Way::In),
    Entered("around"),
    Enter("serve"),
    Suspend("serve", Way::In),
    Resume("serve", Way::In),
    Suspend("serve", Way::In),
];

/// What is told after [`WAY_IN`].
fn told(does: Does, polls: usize) -> Vec<chain_runtime::observe::Event> {
    let recording = Recording::start();
    let _ = drive(Recorded { around: Around }.run(does), polls);
    let mut events = recording.events();
    let rest = events.split_off(WAY_IN.len());
    assert_eq!(events, WAY_IN);
    rest
}

#[test]
fn a_reply_leaves_every_node_in_reverse() {
    let events = told(Reply, 9);
    assert_eq!(
        events,
        [
            Resume("serve", Way::In),
            Entered("serve"),
            Leave("serve"),
            Left("serve"),
            Leave("around"),
            Suspend("around", Way::Out),
            Resume("around", Way::Out),
            Left("around"),
            Leave("open"),
            Left("open"),
            End(Some(Ending::replied(&Recorded::NODES[2]))),
        ]
    );
}

#[test]
fn a_break_leaves_the_nodes_before_it() {
    assert_eq!(
        told(Break, 9),
        [
            Resume("serve", Way::In),
            Broke("serve"),
            Leave("around"),
            Suspend("around", Way::Out),
            Resume("around", Way::Out),
            Left("around"),
            Leave("open"),
            Left("open"),
            End(Some(Ending::cut_short(&Recorded::NODES[2]))),
        ]
    );
}

#[test]
fn a_dropped_run_cancels_the_node_that_waits_and_those_before_it() {
    assert_eq!(told(Reply, 3), [Cancelled("serve"), Cancelled("around"), Cancelled("open"), End(None)]);
    let on_the_way_out = told(Reply, 4);
    assert_eq!(
        on_the_way_out[4..],
        [Leave("around"), Suspend("around", Way::Out), Cancelled("around"), Cancelled("open"), End(None)],
        "a way out that is cut off has not left"
    );
}

#[test]
fn a_panic_is_told_of_the_node_that_panicked() {
    assert_eq!(
        told(Does::Panic, 9),
        [Resume("serve", Way::In), Panicked("serve", Way::In), Cancelled("around"), Cancelled("open"), End(None)]
    );
    let on_the_way_out = told(PanicOnTheWayOut, 9);
    assert_eq!(
        on_the_way_out[6..],
        [Resume("around", Way::Out), Panicked("around", Way::Out), Cancelled("open"), End(None)]
    );
}

#[test]
fn a_future_that_is_never_polled_begins_nothing() {
    let recording = Recording::start();
    drop(Recorded { around: Around }.run(Reply));
    assert_eq!(recording.events(), []);
}

// ---- several observers

macro_rules! notes_as {
    ($($name:ident $word:literal)+) => {
        $(
            struct $name;
            impl Observer for $name {
                fn begin(chain: &'static ChainInfo) -> Self {
                    note(format!("{} begins {}", $word, chain.name));
                    Self
                }
                fn enter(&mut self, node: &'static NodeInfo) {
                    note(format!("{} enters {}", $word, node.name));
                }
                fn end(self, ending: Option<&'static Ending>) {
                    note(format!("{} ends, {}", $word, ending.map_or("cancelled", |ending| ending.by().name)));
                }
            }
        )+
    };
}
notes_as!(A "a" B "b" C "c");

#[node]
fn one() -> u32 {
    1
}

chain! {
    #[observe((A, (B, C)))]
    struct AsTuple;
    fn() -> u32 { one }
}
chain! {
    #[observe(A)]
    #[observe(B)]
    struct Twice;
    fn() -> u32 { one }
}
chain! {
    #[observe((A,))]
    #[observe((B, C))]
    struct TwiceTuples;
    async fn() -> u32 { one }
}

#[test]
fn several_observers_are_told_in_their_order() {
    let _ = taken();
    let all = |name| {
        let in_turn = |what: String| ["a", "b", "c"].map(|who| format!("{who} {what}"));
        [in_turn(format!("begins {name}")), in_turn("enters one".into()), in_turn("ends, one".into())].concat()
    };
    assert_eq!(AsTuple.run(), 1);
    assert_eq!(taken(), all("AsTuple"));
    assert_eq!(block_on(TwiceTuples.run()), 1);
    assert_eq!(taken(), all("TwiceTuples"));
}

#[test]
fn observe_can_be_written_twice() {
    let _ = taken();
    assert_eq!(Twice.run(), 1);
    assert_eq!(
        taken(),
        ["a begins Twice", "b begins Twice", "a enters one", "b enters one", "a ends, one", "b ends, one"]
    );
}

// ---- time

/// Ticks of each node's own, on its way in and on its way out.
type Ledger = BTreeMap<(&'static str, bool), u64>;

thread_local! {
    static LEDGER: RefCell<Ledger> = const { RefCell::new(BTreeMap::new()) };
}

/// Attributes the clock: a stretch begins and ends on one thread.
struct Clock {
    since: Option<u64>,
    ledger: Ledger,
}

impl Clock {
    fn start(&mut self) {
        assert_eq!(self.since.replace(NOW.get()), None, "stretches do not overlap");
    }
    fn stop(&mut self, node: &'static NodeInfo, way: Way) {
        let since = self.since.take().expect("a stretch that ends has begun");
        *self.ledger.entry((node.name, way == Way::Out)).or_default() += NOW.get() - since;
    }
}

impl Observer for Clock {
    fn begin(_: &'static ChainInfo) -> Self {
        Self { since: None, ledger: BTreeMap::new() }
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
        self.stop(node, Way::In);
    }
    fn broke(&mut self, node: &'static NodeInfo) {
        self.stop(node, Way::In);
    }
    fn left(&mut self, node: &'static NodeInfo) {
        self.stop(node, Way::Out);
    }
    fn suspend(&mut self, node: &'static NodeInfo, way: Way) {
        self.stop(node, way);
    }
    fn end(self, _: Option<&'static Ending>) {
        LEDGER.set(self.ledger);
    }
}

chain! {
    #[observe(Clock)]
    struct Timed { around: Around }
    async fn(does: Does) -> u32 { open => around => serve }
}

fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn expected() -> Ledger {
    let (way_in, way_out) = (false, true);
    Ledger::from([
        (("open", way_in), 1),
        (("open", way_out), 0),
        (("around", way_in), 30),
        (("around", way_out), 300),
        (("serve", way_in), 1_000),
        (("serve", way_out), 0),
    ])
}

#[test]
fn time_belongs_to_the_node_whose_code_runs_and_waiting_to_nobody() {
    let timed = Timed { around: Around };
    let mut run = pin!(timed.run(Reply));
    while poll_once(run.as_mut()).is_pending() {
        work(1_000_000);
    }
    assert_eq!(LEDGER.take(), expected());
}

#[test]
fn time_adds_up_when_the_run_moves_from_thread_to_thread() {
    let timed = Timed { around: Around };
    let mut run = Box::pin(timed.run(Reply));
    let mut threads = 0;
    loop {
        threads += 1;
        let (future, ended, ledger) = std::thread::scope(|scope| {
            let polled = move || {
                // This thread's clock shows something else than the others'.
                NOW.set(1_000_000 / threads);
                let ended = poll_once(run.as_mut()).is_ready();
                (run, ended, LEDGER.take())
            };
            scope.spawn(polled).join().expect("no panic")
        });
        run = future;
        if ended {
            assert_eq!(ledger, expected());
            break;
        }
    }
    assert_eq!(threads, 5, "one thread a poll");
}

#[test]
fn a_recording_follows_its_run_to_other_threads() {
    let recorded = Recorded { around: Around };
    let recording = Recording::start();
    let mut run = Box::pin(recorded.run(Reply));
    assert!(poll_once(run.as_mut()).is_pending());
    let reply = std::thread::scope(|scope| scope.spawn(move || block_on(run)).join().expect("no panic"));
    assert_eq!(reply, 2);
    let events = recording.events();
    assert_eq!(events.len(), 22);
    assert_eq!(events[..WAY_IN.len()], WAY_IN);
    assert_eq!(events.last(), Some(&End(Some(Ending::replied(&Recorded::NODES[2])))));
}

#[test]
fn a_run_that_is_dropped_ends_its_observer_too() {
    let _ = LEDGER.take();
    let driven: Driven<u32> = drive(Timed { around: Around }.run(Reply), 2);
    assert!(driven.is_dropped());
    let ledger = LEDGER.take();
    assert_eq!(ledger[&("around", false)], 30);
    assert_eq!(ledger[&("serve", false)], 1_000, "what it had used up to its suspension");
}

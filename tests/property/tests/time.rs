//! Chains with the ready nodes that wait, on tokio's clock, against a model that counts time by itself: real deadlines
//! inside of each other, real retries, sleeps, segments, `#[cfg]`, runs that are moved between deadlines, and panics of
//! values that are dropped or become the reply.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::task::{Context, Waker};
use std::time::Duration;

use chain_runtime::around::{Backoff, Budget, Deadline, Expired, Retry};
use chain_runtime::{IntoReply, chain, node};
use futures_util::stream::{FuturesUnordered, StreamExt};
use proptest::prelude::*;

/// Sleeps are whole units, and limits halves: nothing is due at the same time as a limit.
const UNIT: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, PartialEq)]
struct Reply(u32);

impl IntoReply<Reply> for Expired {
    fn into_reply(self) -> Reply {
        Reply(504)
    }
}

/// What a run does.
#[derive(Debug)]
struct Script {
    /// How long each step sleeps.
    sleeps: [u64; 4],
    /// Which step breaks, if any.
    breaks: usize,
    /// How often the last node replies with a 503 first.
    fails: AtomicU32,
}

thread_local!(static SAID: RefCell<Vec<(&'static str, usize)>> = const { RefCell::new(Vec::new()) });

fn note(what: &'static str, at: usize) {
    SAID.with_borrow_mut(|said| said.push((what, at)));
}

struct Log<const AT: usize>;

#[node]
impl<const AT: usize> Log<AT> {
    fn enter(&self) {
        note("in", AT);
    }
    async fn exit(&self) {
        note("out", AT);
    }
    fn cancelled(&self) {
        note("cancelled", AT);
    }
}

#[node]
async fn step<const AT: usize>(script: &Script) -> Result<(), Reply> {
    note("step", AT);
    tokio::time::sleep(script.sleeps[AT] as u32 * UNIT).await;
    if script.breaks == AT { Err(Reply(400 + AT as u32)) } else { Ok(()) }
}

#[node]
async fn last(script: &Script) -> Reply {
    note("last", 3);
    tokio::time::sleep(script.sleeps[3] as u32 * UNIT).await;
    let left = script.fails.load(SeqCst);
    script.fails.store(left.saturating_sub(1), SeqCst);
    Reply(if left > 0 { 503 } else { 200 })
}

type Again = Retry<fn(&Reply) -> bool>;

/// In halves of units.
const TIMEOUT: u32 = 5;

chain! {
    segment part(l1: Log<1>) {
        #[cfg(any())] absent => l1 => #[cfg(not(any()))] { step::<0> } => step::<1>
    }
}

chain! {
    struct Nested { a: Deadline, b: Deadline, l0: Log<0>, l1: Log<1> }
    async fn(script: &Script) -> Reply { a { l0 => step::<0> => b { l1 => step::<1> => last } } }
}

chain! {
    struct GoesOn { a: Deadline, b: Deadline, l0: Log<0>, l1: Log<1>, l2: Log<2> }
    async fn(script: &Script) -> Reply { l0 => a { l1 => step::<0> => b { l2 => step::<1> } => step::<2> } => last }
}

chain! {
    struct Tries { a: Deadline, b: Deadline, again: Again, l0: Log<0>, l1: Log<1> }
    async fn(script: &Script) -> Reply { a { again { l0 => b { l1 => step::<0> => last } } } }
}

chain! {
    struct Spliced { a: Deadline, b: Deadline, again: Again, l0: Log<0>, l1: Log<1> }
    async fn(script: &Script) -> Reply { l0 => a { ..part => again { #[timeout(TIMEOUT * UNIT / 2)] step::<2> => b { last } } } }
}

// ---- the model

enum Item {
    Log(usize),
    Step(usize),
    Last,
    Within(u64, Vec<Item>),
    Again(Vec<Item>),
    Block(Vec<Item>),
}

use Item::{Last, Step, Within};

#[derive(Clone, Copy, PartialEq)]
enum Flow {
    Next,
    Reply(u32),
    /// The time of the deadline at this depth is up.
    Late(usize),
}

/// Halves of units, everywhere.
struct Model<'a> {
    script: &'a Script,
    now: u64,
    /// When each deadline around this place is up, the outermost first.
    ends: Vec<u64>,
    fails: u32,
    said: Vec<(&'static str, usize)>,
}

impl Model<'_> {
    fn sleep(&mut self, units: u64) -> Option<Flow> {
        let wakes = self.now + 2 * units;
        let soonest = self.ends.iter().copied().min().filter(|end| *end < wakes);
        let Some(end) = soonest else {
            self.now = wakes;
            return None;
        };
        self.now = end;
        self.ends.iter().position(|at| *at == end).map(Flow::Late)
    }

    fn row(&mut self, items: &[Item]) -> Flow {
        let Some((item, rest)) = items.split_first() else { return Flow::Next };
        let flow = match item {
            Item::Log(at) => {
                self.said.push(("in", *at));
                let flow = self.row(rest);
                let how = if matches!(flow, Flow::Late(_)) { "cancelled" } else { "out" };
                self.said.push((how, *at));
                return flow;
            }
            Step(at) => {
                self.said.push(("step", *at));
                match self.sleep(self.script.sleeps[*at]) {
                    Some(late) => late,
                    None if self.script.breaks == *at => Flow::Reply(400 + *at as u32),
                    None => Flow::Next,
                }
            }
            Last => {
                self.said.push(("last", 3));
                match self.sleep(self.script.sleeps[3]) {
                    Some(late) => late,
                    None => {
                        let fails = self.fails > 0;
                        self.fails = self.fails.saturating_sub(1);
                        Flow::Reply(if fails { 503 } else { 200 })
                    }
                }
            }
            Within(limit, inner) => {
                self.ends.push(self.now + limit);
                let flow = self.row(inner);
                self.ends.pop();
                if flow == Flow::Late(self.ends.len()) { Flow::Reply(504) } else { flow }
            }
            Item::Again(inner) => {
                let mut tries = 1;
                loop {
                    let flow = self.row(inner);
                    if flow != Flow::Reply(503) || tries == 3 {
                        break flow;
                    }
                    tries += 1;
                }
            }
            Item::Block(inner) => self.row(inner),
        };
        if flow == Flow::Next { self.row(rest) } else { flow }
    }
}

/// The reply, when it comes, in halves of units, and what happens until then.
type Run = (Reply, u64, Vec<(&'static str, usize)>);

fn foretell(items: &[Item], script: &Script) -> Run {
    let mut model = Model { script, now: 0, ends: Vec::new(), fails: script.fails.load(SeqCst), said: Vec::new() };
    let Flow::Reply(reply) = model.row(items) else { panic!("a chain replies") };
    (Reply(reply), model.now, model.said)
}

fn items(which: usize, a: u64, b: u64) -> Vec<Item> {
    use Item::{Again, Block, Log};
    match which {
        0 => vec![Within(a, vec![Log(0), Step(0), Within(b, vec![Log(1), Step(1), Last])])],
        1 => vec![Log(0), Within(a, vec![Log(1), Step(0), Within(b, vec![Log(2), Step(1)]), Step(2)]), Last],
        2 => vec![Within(a, vec![Again(vec![Log(0), Within(b, vec![Log(1), Step(0), Last])])])],
        _ => vec![
            Log(0),
            Within(
                a,
                vec![
                    Log(1),
                    Block(vec![Step(0)]),
                    Step(1),
                    Again(vec![Within(TIMEOUT.into(), vec![Step(2)]), Within(b, vec![Last])]),
                ],
            ),
        ],
    }
}

// ---- and for real

async fn run(which: usize, a: u64, b: u64, script: &Script) -> Reply {
    let limit = |halves: u64| Deadline::within(halves as u32 * UNIT / 2);
    let (a, b) = (limit(a), limit(b));
    let worth: fn(&Reply) -> bool = |reply| reply.0 == 503;
    let budget = Budget::new(Duration::from_secs(10), 1000, 1.0);
    let again = Retry::new(worth).attempts(3).backoff(Backoff::none()).budget(budget);
    let (l0, l1, l2) = (Log, Log, Log);
    match which {
        0 => Nested { a, b, l0, l1 }.run(script).await,
        1 => GoesOn { a, b, l0, l1, l2 }.run(script).await,
        2 => Tries { a, b, again, l0, l1 }.run(script).await,
        _ => Spliced { a, b, again, l0, l1 }.run(script).await,
    }
}

fn on_a_clock<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(test)
}

/// In halves of units, as tokio's timer may be some milliseconds late.
fn halves(since: tokio::time::Instant) -> u64 {
    (since.elapsed().as_millis() as u64 + 100) / (UNIT.as_millis() as u64 / 2)
}

fn script() -> impl Strategy<Value = Script> {
    let parts = (prop::array::uniform4(0..4u64), 0..8usize, 0..4u32);
    parts.prop_map(|(sleeps, breaks, fails)| Script { sleeps, breaks, fails: AtomicU32::new(fails) })
}

/// An odd number of halves.
fn limit() -> impl Strategy<Value = u64> {
    (0..9u64).prop_map(|units| 2 * units + 1)
}

proptest! {
    #![proptest_config(chain_property::cases(2000))]

    #[test]
    fn what_waits_does_what_the_model_foretells(which in 0..4usize, a in limit(), b in limit(), script in script()) {
        let foretold = foretell(&items(which, a, b), &script);
        SAID.take();
        let (reply, took) = on_a_clock(async {
            let began = tokio::time::Instant::now();
            let reply = run(which, a, b, &script).await;
            (reply, halves(began))
        });
        prop_assert_eq!((reply, took, SAID.take()), foretold);
    }

    #[test]
    fn what_is_moved_out_from_under_a_deadline_keeps_its_own(
        which in 0..4usize,
        a in limit(),
        b in limit(),
        outer in limit(),
        script in script(),
    ) {
        let foretold = foretell(&items(which, a, b), &script);
        SAID.take();
        let (reply, took) = on_a_clock(async {
            let began = tokio::time::Instant::now();
            let mut jobs: FuturesUnordered<_> = [run(which, a, b, &script)].into_iter().collect();
            let in_time = Deadline::within(outer as u32 * UNIT / 2).around(pin!(jobs.next())).await;
            let reply = match in_time {
                Ok(reply) => reply,
                Err(Expired) => tokio::time::timeout(1000 * UNIT, jobs.next()).await.expect("somebody wakes it"),
            };
            (reply.expect("there is one job"), halves(began))
        });
        // Two that are due at once are polled in turn: which is the first, is the outer one's to say.
        prop_assume!(foretold.1 != outer);
        prop_assert_eq!((reply, took, SAID.take()), foretold);
    }
}

// ---- panics where nobody looks for them

struct Panics(bool, &'static str);

impl Drop for Panics {
    fn drop(&mut self) {
        if self.0 && !std::thread::panicking() {
            resume_unwind(Box::new(self.1));
        }
    }
}

struct Refuses(bool);

impl IntoReply<Reply> for Refuses {
    fn into_reply(self) -> Reply {
        if self.0 {
            resume_unwind(Box::new("reply"));
        }
        Reply(400)
    }
}

#[derive(Clone, Copy, Debug)]
struct Where {
    drop_panics: bool,
    breaks: bool,
    reply_panics: bool,
    inner_is_around: bool,
}

#[node]
fn value(at: &Where) -> Panics {
    Panics(at.drop_panics, "drop")
}

#[node]
fn gate(at: &Where) -> Result<(), Refuses> {
    if at.breaks { Err(Refuses(at.reply_panics)) } else { Ok(()) }
}

#[node]
fn answer() -> Reply {
    Reply(200)
}

#[node]
fn is_around(at: &Where) -> bool {
    at.inner_is_around
}

chain! {
    struct Edges { l0: Log<0>, l1: Log<1>, l2: Log<2>, a: Deadline }
    async fn(at: Where) -> Reply {
        l0 => value => l1 => if is_around { a { l2 => gate => answer } } else { l2 => gate => answer }
    }
}

#[test]
fn whoever_panics_each_node_that_was_entered_is_left_once() {
    for bits in 0..16u8 {
        let at = Where {
            drop_panics: bits & 1 != 0,
            breaks: bits & 2 != 0,
            reply_panics: bits & 4 != 0,
            inner_is_around: bits & 8 != 0,
        };
        SAID.take();
        let edges = Edges { l0: Log, l1: Log, l2: Log, a: Deadline::within(UNIT) };
        let reply = catch_unwind(AssertUnwindSafe(|| {
            on_a_clock(async {
                let mut run = pin!(edges.run(at));
                assert!(run.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
            });
        }));
        let reply_panics = at.breaks && at.reply_panics;
        assert_eq!(reply.is_err(), reply_panics || at.drop_panics, "{at:?}");
        let how = |is_cancelled: bool| if is_cancelled { "cancelled" } else { "out" };
        // The value lies between the first and the second: a panic in its drop finds the second left, and the first not.
        let expected = [
            ("in", 0),
            ("in", 1),
            ("in", 2),
            (how(reply_panics), 2),
            (how(reply_panics), 1),
            (how(reply_panics || at.drop_panics), 0),
        ];
        assert_eq!(SAID.take(), expected, "{at:?}");
    }
}

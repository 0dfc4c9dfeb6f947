//! Several requests that share real permits, on tokio's clock, against a model that keeps the queue by itself: which of
//! them wait, are turned away, give up, are dropped or panic, and how many permits each hook sees.

mod model;

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::rc::Rc;
use std::time::Duration;

use chain_runtime::around::{Backoff, Budget, Concurrency, Deadline, Expired, Overloaded, Retry, Wait};
use chain_runtime::{IntoReply, chain, node};
use futures_util::FutureExt as _;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use proptest::prelude::*;

use model::foretell;

/// Times are drawn from so many of these that no two are due at once; tokio's timer may be some milliseconds late.
const UNIT: Duration = Duration::from_millis(64);

fn units(units: u64) -> Duration {
    u32::try_from(units).expect("a short time") * UNIT
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Reply(u32);

impl IntoReply<Reply> for Expired {
    fn into_reply(self) -> Reply {
        Reply(504)
    }
}

impl IntoReply<Reply> for Overloaded {
    fn into_reply(self) -> Reply {
        Reply(503)
    }
}

/// What a request does.
#[derive(Clone, Debug)]
struct Script {
    comes_at: u64,
    /// How long each step takes.
    takes: [u64; 3],
    /// How often the last node replies with a 503 first.
    fails: usize,
    /// The step that breaks, or panics.
    breaks: usize,
    panics: usize,
    /// How long after it came its caller drops it.
    dropped_after: Option<u64>,
}

#[derive(Debug)]
struct Request {
    number: usize,
    script: Script,
    failed: Cell<usize>,
}

/// What the chains' fields are told.
#[derive(Clone, Debug)]
struct Limits {
    a: u64,
    b: u64,
    permits: usize,
    patience: u64,
    queue: usize,
    few: usize,
}

/// Who, what, how many permits were free then, and when.
type Said = (usize, &'static str, usize, u64);

thread_local!(static SAID: RefCell<Vec<Said>> = const { RefCell::new(Vec::new()) });
thread_local!(static SINCE: Cell<Option<tokio::time::Instant>> = const { Cell::new(None) });

fn now() -> u64 {
    let since = SINCE.get().expect("the clock runs");
    u64::try_from((since.elapsed() + UNIT / 2).as_millis() / UNIT.as_millis()).expect("a short time")
}

fn note(request: usize, what: &'static str, free: usize) {
    SAID.with_borrow_mut(|said| said.push((request, what, free, now())));
}

const IN: [&str; 2] = ["in 0", "in 1"];
const OUT: [&str; 2] = ["out 0", "out 1"];
const CANCELLED: [&str; 2] = ["cancelled 0", "cancelled 1"];
const STEPS: [&str; 3] = ["step 0", "step 1", "last"];

struct Log<const AT: usize>;

/// Whose request it is.
struct Number<const AT: usize>(usize);

#[node]
impl<const AT: usize> Log<AT> {
    fn enter(&self, request: &Request, room: &Concurrency<Wait>) -> Number<AT> {
        note(request.number, IN[AT], room.available());
        Number(request.number)
    }
    fn exit(&self, number: &Number<AT>, room: &Concurrency<Wait>) {
        note(number.0, OUT[AT], room.available());
    }
    fn cancelled(&self, number: &Number<AT>, room: &Concurrency<Wait>) {
        note(number.0, CANCELLED[AT], room.available());
    }
}

async fn takes(request: &Request, at: usize, room: &Concurrency<Wait>) -> Result<(), Reply> {
    note(request.number, STEPS[at], room.available());
    tokio::time::sleep(units(request.script.takes[at])).await;
    if request.script.panics == at {
        resume_unwind(Box::new("step"));
    }
    if request.script.breaks == at { Err(Reply(400)) } else { Ok(()) }
}

#[node]
async fn step<const AT: usize>(request: &Request, room: &Concurrency<Wait>) -> Result<(), Reply> {
    takes(request, AT, room).await
}

#[node]
async fn last(request: &Request, room: &Concurrency<Wait>) -> Result<Reply, Reply> {
    takes(request, 2, room).await?;
    let failed = request.failed.get();
    request.failed.set(failed + 1);
    Ok(Reply(if failed < request.script.fails { 503 } else { 200 }))
}

type Again = Retry<fn(&Reply) -> bool>;

/// What `#[timeout]` is told.
const TIMEOUT: u64 = 7_001;

chain! {
    struct Waits { a: Deadline, room: Concurrency<Wait>, l0: Log<0>, l1: Log<1> }
    async fn(request: &Request) -> Reply { a { l0 => room { l1 => step::<0> => last } } }
}

chain! {
    struct GoesOn { few: Concurrency, room: Concurrency<Wait>, l0: Log<0>, l1: Log<1> }
    async fn(request: &Request) -> Reply { few { l0 => step::<0> } => room { l1 => step::<1> } => last }
}

chain! {
    struct Tries { a: Deadline, b: Deadline, again: Again, room: Concurrency<Wait>, l0: Log<0>, l1: Log<1> }
    async fn(request: &Request) -> Reply { a { again { l0 => room { b { l1 => step::<0> => last } } } } }
}

chain! {
    struct Both { few: Concurrency, again: Again, room: Concurrency<Wait>, l0: Log<0>, l1: Log<1> }
    async fn(request: &Request) -> Reply { again { few { l0 => room { l1 => step::<0> } => step::<1> => last } } }
}

chain! {
    struct TimesOut { b: Deadline, room: Concurrency<Wait>, few: Concurrency, l0: Log<0>, l1: Log<1> }
    async fn(request: &Request) -> Reply {
        room { l0 => #[timeout(units(TIMEOUT))] step::<0> => few { b { l1 => #[timeout(units(TIMEOUT))] step::<1> } } => last }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Outcome {
    Replied(Reply),
    Dropped,
    Panicked,
}

/// How each request ended and when, and what was said until then.
type Run = (Vec<Option<(Outcome, u64)>>, Vec<Said>);

enum Any {
    Waits(Waits),
    GoesOn(GoesOn),
    Tries(Tries),
    Both(Both),
    TimesOut(TimesOut),
}

impl Any {
    fn new(which: usize, limits: &Limits) -> Self {
        let (a, b) = (Deadline::within(units(limits.a)), Deadline::within(units(limits.b)));
        let room = Concurrency::wait(limits.permits, units(limits.patience)).queue(limits.queue);
        let few = Concurrency::shed(limits.few);
        let worth: fn(&Reply) -> bool = |reply| reply.0 == 503;
        let budget = Budget::new(Duration::from_secs(10), 1000, 1.0);
        let again = Retry::new(worth).attempts(3).backoff(Backoff::none()).budget(budget);
        let (l0, l1) = (Log, Log);
        match which {
            0 => Self::Waits(Waits { a, room, l0, l1 }),
            1 => Self::GoesOn(GoesOn { few, room, l0, l1 }),
            2 => Self::Tries(Tries { a, b, again, room, l0, l1 }),
            3 => Self::Both(Both { few, again, room, l0, l1 }),
            _ => Self::TimesOut(TimesOut { b, room, few, l0, l1 }),
        }
    }

    fn room(&self) -> &Concurrency<Wait> {
        match self {
            Self::Waits(Waits { room, .. })
            | Self::GoesOn(GoesOn { room, .. })
            | Self::Tries(Tries { room, .. })
            | Self::Both(Both { room, .. })
            | Self::TimesOut(TimesOut { room, .. }) => room,
        }
    }

    async fn run(&self, request: &Request) -> Reply {
        match self {
            Self::Waits(chain) => chain.run(request).await,
            Self::GoesOn(chain) => chain.run(request).await,
            Self::Tries(chain) => chain.run(request).await,
            Self::Both(chain) => chain.run(request).await,
            Self::TimesOut(chain) => chain.run(request).await,
        }
    }
}

async fn requested(any: Rc<Any>, number: usize, script: Script) -> Option<(Outcome, u64)> {
    tokio::time::sleep(units(script.comes_at)).await;
    let dropped_after = script.dropped_after;
    let request = Request { number, script, failed: Cell::new(0) };
    let run = AssertUnwindSafe(any.run(&request)).catch_unwind();
    let dropped = async {
        match dropped_after {
            Some(after) => tokio::time::sleep(units(after)).await,
            None => std::future::pending().await,
        }
    };
    let outcome = tokio::select! {
        biased;
        ended = run => ended.map_or(Outcome::Panicked, Outcome::Replied),
        () = dropped => Outcome::Dropped,
    };
    Some((outcome, now()))
}

/// Each request a task of its own, or all of them in one.
fn run(which: usize, limits: &Limits, scripts: &[Script], in_tasks: bool) -> Run {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let any = Rc::new(Any::new(which, limits));
    SAID.take();
    let requested = |(number, script): (usize, &Script)| requested(Rc::clone(&any), number, script.clone());
    let ends = tokio::task::LocalSet::new().block_on(&runtime, async {
        SINCE.set(Some(tokio::time::Instant::now()));
        let requests = scripts.iter().enumerate().map(requested);
        if in_tasks {
            let tasks: Vec<_> = requests.map(tokio::task::spawn_local).collect();
            let mut ends = Vec::new();
            for task in tasks {
                ends.push(task.await.expect("its panics are caught"));
            }
            return ends;
        }
        let numbered = requests.enumerate().map(|(number, request)| async move { (number, request.await) });
        let mut ends: Vec<_> = numbered.collect::<FuturesUnordered<_>>().collect().await;
        ends.sort_by_key(|(number, _)| *number);
        ends.into_iter().map(|(_, end)| end).collect()
    });
    assert_eq!((any.room().available(), any.room().waiting()), (limits.permits, 0), "all permits are back");
    (ends, SAID.take())
}

/// Long enough that no two sums are alike.
fn time() -> impl Strategy<Value = u64> {
    1..10_000u64
}

fn script() -> impl Strategy<Value = Script> {
    let times = (time(), prop::array::uniform3(time()), prop::option::weighted(0.25, 1..30_000u64));
    (times, 0..4usize, 0..12usize, 0..20usize).prop_map(|(times, fails, breaks, panics)| {
        let (comes_at, takes, dropped_after) = times;
        Script { comes_at, takes, fails, breaks, panics, dropped_after }
    })
}

fn limits() -> impl Strategy<Value = Limits> {
    let times = (1..40_000u64, 1..20_000u64, 1..20_000u64);
    (times, 0..4usize, 0..4usize, 0..4usize).prop_map(|((a, b, patience), permits, queue, few)| Limits {
        a,
        b,
        permits,
        patience,
        queue,
        few,
    })
}

proptest! {
    #![proptest_config(chain_property::cases(8000))]

    #[test]
    fn requests_share_permits_as_the_model_foretells(
        which in 0..5usize,
        limits in limits(),
        scripts in prop::collection::vec(script(), 1..7),
        in_tasks in any::<bool>(),
    ) {
        let foretold = foretell(which, &limits, &scripts);
        prop_assume!(foretold.is_some());
        prop_assert_eq!(run(which, &limits, &scripts, in_tasks), foretold.expect("it is there"));
    }
}

//! Chains whose nodes spawn children, against a model of what happens to these; and dropped at every poll.
//!
//! However a run ends, none of its children is alive when the runtime is idle, and work of `#[cancel(..)]` that has
//! begun goes on to its end.

mod model;

use std::future::{Future, pending, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use chain::poll::{Driven, dropped_at_every_poll, panic_silently};
use chain_runtime::around::{Deadline, Expired};
use chain_runtime::tasks::{ChildFailed, ChildPanicked, Tasks, Work};
use chain_runtime::{IntoReply, chain, node};
use futures_util::FutureExt;
use proptest::prelude::*;
use tokio::time::{Instant, sleep};

use model::{Foretold, foretell};

/// How many nodes spawn.
const NODES: usize = 3;

/// What a child does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Does {
    Ends(u64),
    Panics(u64),
    /// It ends when it is told that its run has a reply.
    Listens,
    Never,
}

#[derive(Clone, Copy, Debug)]
struct ChildScript {
    does: Does,
    /// Of one that does end.
    is_awaited: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Then {
    GoesOn,
    Breaks,
    Panics,
}

/// What a node does: it spawns these, sleeps, awaits some, and then ends.
#[derive(Clone, Debug)]
struct NodeScript {
    children: Vec<ChildScript>,
    takes: u64,
    then: Then,
}

#[derive(Clone, Debug)]
struct Script {
    nodes: [NodeScript; NODES],
    /// How long the work of `#[cancel(finish)]` and of `#[cancel(detach)]` takes.
    outliving: [u64; 2],
    dropped_after: Option<u64>,
    join_within: u64,
    tells: bool,
    deadline: u64,
    /// Which arm.
    is_odd: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Reply(u32);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Outcome {
    Replied(Reply),
    Dropped,
    Panicked,
}

struct Broken;

macro_rules! become_replies {
    ($($ty:ty: $code:literal;)+) => {$(
        impl IntoReply<Reply> for $ty {
            fn into_reply(self) -> Reply {
                Reply($code)
            }
        }
    )+};
}
become_replies! { Broken: 400; ChildFailed: 500; ChildPanicked: 501; Expired: 504; }

impl From<ChildFailed> for Ends {
    fn from(failed: ChildFailed) -> Self {
        Self::Of(failed)
    }
}
enum Ends {
    Of(ChildFailed),
    By(Broken),
}
impl IntoReply<Reply> for Ends {
    fn into_reply(self) -> Reply {
        match self {
            Self::Of(failed) => failed.into_reply(),
            Self::By(broken) => broken.into_reply(),
        }
    }
}

/// What was counted in one case.
#[derive(Clone, Default)]
struct Seen {
    /// Children, and then work that outlives its run.
    ended: [Arc<AtomicUsize>; 2],
    live: Arc<AtomicUsize>,
}

struct Live(Arc<AtomicUsize>);

impl Live {
    fn new(seen: &Seen) -> Self {
        seen.live.fetch_add(1, Relaxed);
        Self(Arc::clone(&seen.live))
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// Far more than the millisecond that tokio's timers tell apart.
const fn units(units: u64) -> Duration {
    Duration::from_millis(units * 10)
}

async fn child(does: Does, stopping: impl Future<Output = ()>, seen: Seen) {
    let _live = Live::new(&seen);
    match does {
        Does::Ends(takes) => sleep(units(takes)).await,
        Does::Panics(takes) => {
            sleep(units(takes)).await;
            panic_silently("a child");
        }
        Does::Listens => stopping.await,
        Does::Never => pending().await,
    }
    seen.ended[0].fetch_add(1, Relaxed);
}

/// One of the nodes that spawn.
struct Spawns<const AT: usize>;

#[node(stateless)]
impl<const AT: usize> Spawns<AT> {
    async fn enter(&self, script: &Script, work: &Work, seen: &Seen) -> Result<(), Ends> {
        let NodeScript { children, takes, then } = &script.nodes[AT];
        let mut awaited = Vec::new();
        for &ChildScript { does, is_awaited } in children {
            let stopping = work.stopping().cancelled_owned();
            let begun = work.spawn("child", child(does, stopping, seen.clone())).await;
            if is_awaited {
                awaited.push(begun);
            }
        }
        sleep(units(*takes)).await;
        for child in awaited {
            child.await?;
        }
        match then {
            Then::GoesOn => Ok(()),
            Then::Breaks => Err(Ends::By(Broken)),
            Then::Panics => panic_silently("a node"),
        }
    }
}

fn outliving(takes: u64, seen: &Seen) -> impl Future<Output = ()> + Send + 'static {
    let (live, seen) = (Live::new(seen), seen.clone());
    async move {
        sleep(units(takes)).await;
        seen.ended[1].fetch_add(1, Relaxed);
        drop(live);
    }
}

#[node]
fn finishes(script: &Script, seen: &Seen) -> impl Future<Output = ()> + Send + 'static {
    outliving(script.outliving[0], seen)
}

#[node]
fn detaches(script: &Script, seen: &Seen) -> impl Future<Output = ()> + Send + 'static {
    outliving(script.outliving[1], seen)
}

#[node]
fn is_odd(script: &Script) -> bool {
    script.is_odd
}

#[node]
fn done() -> Reply {
    Reply(200)
}

chain! {
    struct Row { tasks: Tasks, seen: Seen }
    async fn(script: &Script) -> Reply { tasks => Spawns::<0> => Spawns::<1> => Spawns::<2> => done }
}
chain! {
    struct Around { deadline: Deadline, tasks: Tasks, seen: Seen }
    async fn(script: &Script) -> Reply { deadline { tasks => Spawns::<0> => { Spawns::<1> => Spawns::<2> => done } } }
}
chain! {
    struct Arms { tasks: Tasks, seen: Seen }
    async fn(script: &Script) -> Reply {
        if is_odd { tasks => Spawns::<0> => Spawns::<1> => done } else { tasks => Spawns::<2> => done }
    }
}
chain! {
    struct Outlives { tasks: Tasks, seen: Seen }
    async fn(script: &Script) -> Reply {
        tasks => Spawns::<0> => #[cancel(finish)] finishes => Spawns::<1> => #[cancel(detach)] detaches => Spawns::<2> => done
    }
}

const SHAPES: usize = 4;

enum Any {
    Row(Row),
    Around(Around),
    Arms(Arms),
    Outlives(Outlives),
}

impl Any {
    fn new(shape: usize, script: &Script, seen: &Seen) -> Self {
        let tasks = Tasks::builder().at_most(64).join_within(units(script.join_within));
        let tasks = if script.tells { tasks.tells_at_reply() } else { tasks }.build();
        let seen = seen.clone();
        match shape {
            0 => Self::Row(Row { tasks, seen }),
            1 => Self::Around(Around { deadline: Deadline::within(units(script.deadline)), tasks, seen }),
            2 => Self::Arms(Arms { tasks, seen }),
            _ => Self::Outlives(Outlives { tasks, seen }),
        }
    }

    async fn run(&self, script: &Script) -> Reply {
        match self {
            Self::Row(chain) => chain.run(script).await,
            Self::Around(chain) => chain.run(script).await,
            Self::Arms(chain) => chain.run(script).await,
            Self::Outlives(chain) => chain.run(script).await,
        }
    }

    const fn tasks(&self) -> &Tasks {
        match self {
            Self::Row(Row { tasks, .. })
            | Self::Around(Around { tasks, .. })
            | Self::Arms(Arms { tasks, .. })
            | Self::Outlives(Outlives { tasks, .. }) => tasks,
        }
    }
}

/// `Tasks::leaked` counts for the process.
fn in_turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn paused() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

/// No child is alive once the runtime is idle; and a long time later, nothing is.
async fn ends(any: &Any, seen: &Seen, outliving: impl Fn() -> usize) {
    // Time stands still while there is anything to do.
    sleep(Duration::from_millis(1)).await;
    let (alive, live) = (any.tasks().counts().alive, seen.live.load(Relaxed));
    assert!(alive <= outliving() && live == alive, "{alive} alive, {live} not dropped");
    assert_eq!(Tasks::leaked(), 0);
    sleep(units(1_000_000)).await;
    assert_eq!((any.tasks().counts().alive, seen.live.load(Relaxed)), (0, 0));
    assert!(any.tasks().stop(Duration::ZERO).await.is_empty());
}

fn run(shape: usize, script: &Script) -> Foretold {
    let seen = Seen::default();
    paused().block_on(async {
        let (any, since) = (Any::new(shape, script, &seen), Instant::now());
        let run = AssertUnwindSafe(any.run(script)).catch_unwind();
        let dropped = async {
            match script.dropped_after {
                Some(after) => sleep(units(after)).await,
                None => pending().await,
            }
        };
        let outcome = tokio::select! {
            biased;
            ended = run => ended.map_or(Outcome::Panicked, Outcome::Replied),
            () = dropped => Outcome::Dropped,
        };
        let at = since.elapsed().as_millis() as u64 / 10;
        let ended = seen.ended[0].load(Relaxed);
        ends(&any, &seen, || 2).await;
        assert_eq!(seen.ended[0].load(Relaxed), ended, "no child goes on after its run");
        Foretold { outcome, at, ended, outlived: seen.ended[1].load(Relaxed) }
    })
}

fn time() -> impl Strategy<Value = u64> {
    1..20_000u64
}

fn child_script() -> impl Strategy<Value = ChildScript> {
    let does = prop_oneof![
        5 => time().prop_map(Does::Ends),
        2 => time().prop_map(Does::Panics),
        1 => Just(Does::Listens),
        1 => Just(Does::Never),
    ];
    (does, any::<bool>()).prop_map(|(does, is_awaited)| ChildScript {
        does,
        is_awaited: is_awaited && matches!(does, Does::Ends(_) | Does::Panics(_)),
    })
}

fn node_script() -> impl Strategy<Value = NodeScript> {
    let then = prop_oneof![10 => Just(Then::GoesOn), 1 => Just(Then::Breaks), 1 => Just(Then::Panics)];
    (prop::collection::vec(child_script(), 0..3), time(), then).prop_map(|(children, takes, then)| NodeScript {
        children,
        takes,
        then,
    })
}

fn script() -> impl Strategy<Value = Script> {
    let nodes = prop::array::uniform3(node_script());
    let times = (prop::array::uniform2(time()), prop::option::weighted(0.4, 1..60_000u64), time(), 1..80_000u64);
    (nodes, times, any::<bool>(), any::<bool>()).prop_map(|(nodes, times, tells, is_odd)| {
        let (outliving, dropped_after, join_within, deadline) = times;
        Script { nodes, outliving, dropped_after, join_within, tells, deadline, is_odd }
    })
}

proptest! {
    #![proptest_config(chain_property::cases(6000))]

    #[test]
    fn children_end_with_their_run_as_the_model_foretells(shape in 0..SHAPES, script in script()) {
        let foretold = foretell(shape, &script);
        prop_assume!(foretold.is_some());
        let _turn = in_turn();
        prop_assert_eq!(run(shape, &script), foretold.expect("it is there"));
    }
}

/// Polls by hand, so many times; between two polls, everything else goes as far as it gets.
fn polled(shape: usize, script: &Script, polls: usize) -> Driven<Reply> {
    let seen = Seen::default();
    paused().block_on(async {
        let any = Any::new(shape, script, &seen);
        let driven = {
            let mut run = pin!(AssertUnwindSafe(any.run(script)).catch_unwind());
            let mut driven = Driven::Dropped;
            for _ in 0..polls {
                match poll_fn(|context| Poll::Ready(run.as_mut().poll(context))).await {
                    Poll::Ready(Ok(reply)) => driven = Driven::Ready(reply),
                    Poll::Ready(Err(panic)) => driven = Driven::Panicked(panic),
                    Poll::Pending => {
                        sleep(units(1)).await;
                        continue;
                    }
                }
                break;
            }
            driven
        };
        ends(&any, &seen, || 2).await;
        driven
    })
}

/// Not at random: each chain, each node of it going on, breaking and panicking, with children of every kind, awaited and not, dropped at every poll.
#[test]
fn a_run_with_children_can_be_dropped_at_every_poll() {
    let _turn = in_turn();
    let child = |does, is_awaited| ChildScript { does, is_awaited };
    let every_kind = [
        vec![],
        vec![child(Does::Ends(2), true), child(Does::Never, false)],
        vec![child(Does::Panics(2), true), child(Does::Ends(1), false)],
        vec![child(Does::Panics(1), false), child(Does::Listens, false)],
        vec![child(Does::Panics(9), false), child(Does::Ends(3), true)],
    ];
    let [mut dropped, mut replied, mut panicked] = [0; 3];
    for shape in 0..SHAPES {
        for children in &every_kind {
            for at in 0..NODES {
                for then in [Then::GoesOn, Then::Breaks, Then::Panics] {
                    for (tells, is_odd) in [(false, true), (true, false)] {
                        let node = NodeScript { children: children.clone(), takes: 2, then: Then::GoesOn };
                        let mut nodes = [node.clone(), node.clone(), node];
                        nodes[at].then = then;
                        let script = Script {
                            nodes,
                            outliving: [2, 40],
                            dropped_after: None,
                            join_within: 4,
                            tells,
                            deadline: 11,
                            is_odd,
                        };
                        dropped += dropped_at_every_poll(|polls| {
                            let driven = polled(shape, &script, polls);
                            replied += usize::from(matches!(driven, Driven::Ready(_)));
                            panicked += usize::from(driven.is_panicked());
                            driven
                        });
                    }
                }
            }
        }
    }
    assert!(dropped > 2_000 && replied > 200 && panicked > 50, "{dropped}, {replied}, {panicked}");
}

//! A chain allocates nothing: not in `run`, not for its nodes' values, not for a context from a warm pool.
//!
//! Chains of 1, 5, 10, 20 and 37 nodes; as an ordinary `fn`, as an `async fn` whose nodes all suspend once, and mixed.
//! Each is run 10,000 times, with a context from a pool, and the allocations of the thread are counted meanwhile.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::Pin;
use std::sync::Arc;

use chain::allocations::{Counting, counted};
use chain::poll::{block_on, suspend};
use chain_runtime::around::{CatchPanic, Concurrency, Overloaded, Panicked};
use chain_runtime::share::StickyKey;
use chain_runtime::shed::Level;
use chain_runtime::tower::{Call, Layered, Spare, service};
use chain_runtime::{IntoReply, Pool, Reloadable, Reset, Shedding, Toggles, chain, node};
use tower::Service as _;
use tower::service_fn;
use tower::util::{MapRequestLayer, MapResponseLayer, ServiceFn};

#[global_allocator]
static COUNTING: Counting = Counting;

const REQUESTS: u64 = 10_000;

/// A request's memory: what it has grown to, it keeps.
#[derive(Default, Reset)]
struct Context {
    bytes: Vec<u8>,
    visits: u64,
}

/// What each node provides to those after it.
struct Value<const AT: usize>(u64);

/// Writes to the context and provides a value; has all hooks.
struct Now<const AT: usize>;
#[node]
impl<const AT: usize> Now<AT> {
    fn enter(&self, context: &mut Context) -> Result<Value<AT>, u64> {
        context.visits += 1;
        context.bytes.extend_from_slice(&[AT as u8; 16]);
        Ok(Value(context.visits))
    }
    fn exit(&self, context: &mut Context, reply: &mut u64) {
        context.visits += 1;
        *reply += 1;
    }
    fn cancelled(&self, value: &mut Value<AT>) {
        value.0 = 0;
    }
}

/// The same, but suspends once on its way in and once on its way out.
struct Waits<const AT: usize>;
#[node]
impl<const AT: usize> Waits<AT> {
    async fn enter(&self, context: &mut Context) -> Result<Value<AT>, u64> {
        suspend(1).await;
        context.visits += 1;
        context.bytes.extend_from_slice(&[AT as u8; 16]);
        Ok(Value(context.visits))
    }
    async fn exit(&self, context: &mut Context, reply: &mut u64) {
        suspend(1).await;
        context.visits += 1;
        *reply += 1;
    }
    fn cancelled(&self, value: &mut Value<AT>) {
        value.0 = 0;
    }
}

#[node]
fn reply(context: &Context) -> u64 {
    context.visits
}

/// The reply of the chain with everything in it.
struct Count(u64);

impl IntoReply<Count> for Panicked {
    fn into_reply(self) -> Count {
        Count(0)
    }
}

impl IntoReply<Count> for Overloaded {
    fn into_reply(self) -> Count {
        Count(0)
    }
}

/// `name how: (field shape position)..;` and `reply` behind them.
macro_rules! declare {
    ($($name:ident ($($how:ident)+): $(($field:ident $shape:ident $at:literal))*;)+) => {
        $(
            chain! {
                struct $name { $($field: $shape<$at>),* }
                $($how)+ (context: &mut Context) -> u64 { $($field =>)* reply }
            }
            impl $name {
                const VALUE: Self = Self { $($field: $shape),* };
            }
        )+
    };
}

declare! {
    Sync1 (fn):;
    Sync5 (fn):
        (n0 Now 0) (n1 Now 1) (n2 Now 2) (n3 Now 3);
    Sync10 (fn):
        (n0 Now 0) (n1 Now 1) (n2 Now 2) (n3 Now 3) (n4 Now 4) (n5 Now 5) (n6 Now 6) (n7 Now 7) (n8 Now 8);
    Sync20 (fn):
        (n0 Now 0) (n1 Now 1) (n2 Now 2) (n3 Now 3) (n4 Now 4) (n5 Now 5) (n6 Now 6) (n7 Now 7) (n8 Now 8)
        (n9 Now 9) (n10 Now 10) (n11 Now 11) (n12 Now 12) (n13 Now 13) (n14 Now 14) (n15 Now 15) (n16 Now 16)
        (n17 Now 17) (n18 Now 18);
    Sync37 (fn):
        (n0 Now 0) (n1 Now 1) (n2 Now 2) (n3 Now 3) (n4 Now 4) (n5 Now 5) (n6 Now 6) (n7 Now 7) (n8 Now 8)
        (n9 Now 9) (n10 Now 10) (n11 Now 11) (n12 Now 12) (n13 Now 13) (n14 Now 14) (n15 Now 15) (n16 Now 16)
        (n17 Now 17) (n18 Now 18) (n19 Now 19) (n20 Now 20) (n21 Now 21) (n22 Now 22) (n23 Now 23) (n24 Now 24)
        (n25 Now 25) (n26 Now 26) (n27 Now 27) (n28 Now 28) (n29 Now 29) (n30 Now 30) (n31 Now 31) (n32 Now 32)
        (n33 Now 33) (n34 Now 34) (n35 Now 35);
    Async1 (async fn):;
    Async5 (async fn):
        (n0 Waits 0) (n1 Waits 1) (n2 Waits 2) (n3 Waits 3);
    Async10 (async fn):
        (n0 Waits 0) (n1 Waits 1) (n2 Waits 2) (n3 Waits 3) (n4 Waits 4) (n5 Waits 5) (n6 Waits 6) (n7 Waits 7)
        (n8 Waits 8);
    Async20 (async fn):
        (n0 Waits 0) (n1 Waits 1) (n2 Waits 2) (n3 Waits 3) (n4 Waits 4) (n5 Waits 5) (n6 Waits 6) (n7 Waits 7)
        (n8 Waits 8) (n9 Waits 9) (n10 Waits 10) (n11 Waits 11) (n12 Waits 12) (n13 Waits 13) (n14 Waits 14)
        (n15 Waits 15) (n16 Waits 16) (n17 Waits 17) (n18 Waits 18);
    Async37 (async fn):
        (n0 Waits 0) (n1 Waits 1) (n2 Waits 2) (n3 Waits 3) (n4 Waits 4) (n5 Waits 5) (n6 Waits 6) (n7 Waits 7)
        (n8 Waits 8) (n9 Waits 9) (n10 Waits 10) (n11 Waits 11) (n12 Waits 12) (n13 Waits 13) (n14 Waits 14)
        (n15 Waits 15) (n16 Waits 16) (n17 Waits 17) (n18 Waits 18) (n19 Waits 19) (n20 Waits 20) (n21 Waits 21)
        (n22 Waits 22) (n23 Waits 23) (n24 Waits 24) (n25 Waits 25) (n26 Waits 26) (n27 Waits 27) (n28 Waits 28)
        (n29 Waits 29) (n30 Waits 30) (n31 Waits 31) (n32 Waits 32) (n33 Waits 33) (n34 Waits 34) (n35 Waits 35);
    Mixed1 (async fn):;
    Mixed5 (async fn):
        (n0 Now 0) (n1 Waits 1) (n2 Now 2) (n3 Now 3);
    Mixed10 (async fn):
        (n0 Now 0) (n1 Waits 1) (n2 Now 2) (n3 Now 3) (n4 Waits 4) (n5 Now 5) (n6 Now 6) (n7 Waits 7) (n8 Now 8);
    Mixed20 (async fn):
        (n0 Now 0) (n1 Waits 1) (n2 Now 2) (n3 Now 3) (n4 Waits 4) (n5 Now 5) (n6 Now 6) (n7 Waits 7) (n8 Now 8)
        (n9 Now 9) (n10 Waits 10) (n11 Now 11) (n12 Now 12) (n13 Waits 13) (n14 Now 14) (n15 Now 15) (n16 Waits 16)
        (n17 Now 17) (n18 Now 18);
    Mixed37 (async fn):
        (n0 Now 0) (n1 Waits 1) (n2 Now 2) (n3 Now 3) (n4 Waits 4) (n5 Now 5) (n6 Now 6) (n7 Waits 7) (n8 Now 8)
        (n9 Now 9) (n10 Waits 10) (n11 Now 11) (n12 Now 12) (n13 Waits 13) (n14 Now 14) (n15 Now 15) (n16 Waits 16)
        (n17 Now 17) (n18 Now 18) (n19 Waits 19) (n20 Now 20) (n21 Now 21) (n22 Waits 22) (n23 Now 23) (n24 Now 24)
        (n25 Waits 25) (n26 Now 26) (n27 Now 27) (n28 Waits 28) (n29 Now 29) (n30 Now 30) (n31 Waits 31)
        (n32 Now 32) (n33 Now 33) (n34 Waits 34) (n35 Now 35);
}

/// Asserts that the runs of this chain do not allocate once its pool is warm.
fn allocates_nothing(name: &str, nodes: usize, mut run: impl FnMut(&mut Context) -> u64) {
    let pool = Pool::new(Context::default);
    let mut one = || {
        let mut lease = pool.get();
        // Each node but the last adds one on its way in, and one to the reply on its way out.
        assert_eq!(run(&mut lease), 2 * (nodes as u64 - 1), "{name}");
        assert_eq!(lease.visits, 2 * (nodes as u64 - 1), "{name}");
    };
    (0..64).for_each(|_| one());
    let asked = counted(|| (0..REQUESTS).for_each(|_| one()));
    assert_eq!(asked, 0, "allocations in {REQUESTS} requests through {name}, {nodes} nodes");
}

macro_rules! allocates_nothing {
    ($($test:ident: $how:ident [$($name:ident)+];)+) => {
        $(
            #[test]
            fn $test() {
                $(allocates_nothing(stringify!($name), $name::NODES.len(), |context| allocates_nothing!(@$how $name context));)+
            }
        )+
    };
    (@now $name:ident $context:ident) => { $name::VALUE.run($context) };
    (@awaited $name:ident $context:ident) => { block_on($name::VALUE.run($context)) };
}

allocates_nothing! {
    functions_of_any_length_allocate_nothing: now [Sync1 Sync5 Sync10 Sync20 Sync37];
    chains_that_suspend_at_every_node_allocate_nothing: awaited [Async1 Async5 Async10 Async20 Async37];
    mixed_chains_allocate_nothing: awaited [Mixed1 Mixed5 Mixed10 Mixed20 Mixed37];
}

/// Runs its block twice.
struct Again;
#[node]
impl Again {
    async fn around<B: Future>(&self, block: Pin<&mut B>) -> B::Output {
        block.await
    }
    fn again(&self, attempt: u32, _reply: &Count) -> bool {
        attempt < 2
    }
}

/// Suspends on both ways, provides, has all hooks; its way out sees nothing but the context.
struct Enters<const AT: usize>;
#[node]
impl<const AT: usize> Enters<AT> {
    async fn enter(&self, context: &mut Context) -> Value<AT> {
        suspend(1).await;
        context.visits += 1;
        Value(context.visits)
    }
    async fn exit(&self, context: &mut Context) {
        suspend(1).await;
        context.bytes.extend_from_slice(&[AT as u8; 16]);
    }
    fn cancelled(&self, value: &mut Value<AT>) {
        value.0 = 0;
    }
}

#[node]
fn count(context: &Context) -> Count {
    Count(context.visits)
}

enum Kind {
    Even(u64),
    Odd,
}

#[node]
fn kind(context: &Context) -> Kind {
    if context.visits.is_multiple_of(2) { Kind::Even(context.visits) } else { Kind::Odd }
}

#[node]
fn even(number: &u64, context: &mut Context) {
    context.visits += *number & 1;
}

#[node]
fn is_even(context: &Context) -> bool {
    context.visits.is_multiple_of(2)
}

#[node]
fn key(context: &Context) -> StickyKey {
    StickyKey::from_u64(context.visits)
}

#[node]
async fn nothing() {
    suspend(1).await;
}

chain! {
    /// Every construct, nested.
    struct Composed { toggles: Toggles, shedding: Shedding, limits: Reloadable<u32>, again: Again, room: Concurrency, n0: Enters<0>, n1: Enters<1>, n2: Enters<2> }
    async fn(context: &mut Context) -> Count {
        n0 => key
        => #[toggle("on")] { nothing => nothing }
        => #[toggle("off", off)] nothing
        => #[shed(elevated, "often")] nothing
        => #[shed(high, sample = 1 / 2, "sometimes")] { nothing } else { nothing }
        => #[split(50)] nothing else { { nothing } }
        => #[sample(1 / 2)] nothing
        => match kind { Kind::Even(number: u64) => even, Kind::Odd => {} }
        => CatchPanic {
            room {
                again {
                    #[when(is_even)] n1 => if is_even { n2 => count } else { { count } }
                }
            }
        }
    }
}

#[test]
fn chains_inside_of_chains_allocate_nothing() {
    let chain = Composed {
        toggles: Toggles::new(),
        shedding: Shedding::new(),
        limits: Reloadable::new(1),
        again: Again,
        room: Concurrency::shed(1),
        n0: Enters,
        n1: Enters,
        n2: Enters,
    };
    let pool = Pool::new(Context::default);
    let one = || {
        let mut lease = pool.get();
        let Count(count) = block_on(chain.run(&mut lease));
        assert!(count > 0 && count == lease.visits, "{count}");
        assert_eq!(lease.bytes.len() as u64, 16 * count, "each that was entered was left");
    };
    (0..64).for_each(|_| one());
    for level in Level::ALL {
        chain.shedding.cell().set(level);
        let asked = counted(|| (0..REQUESTS).for_each(|_| one()));
        assert_eq!(asked, 0, "allocations in {REQUESTS} requests while it is {level}");
    }
    assert_eq!(chain.sheds().count("often"), Ok(3 * REQUESTS as usize));
    assert!(chain.sheds().count("sometimes").is_ok_and(|times| times > 0));
}

struct Number(u64);

impl Spare for Number {
    fn spare(&self) -> Self {
        Self(self.0)
    }
}

#[node]
async fn wait(number: &Number) {
    suspend((number.0 % 3) as usize).await;
}

#[derive(Debug, PartialEq)]
struct Doubled(u64);

/// The inner service of a layer does not fail.
impl IntoReply<Doubled> for Infallible {
    fn into_reply(self) -> Doubled {
        match self {}
    }
}

/// A service of tower's.
type Doubling = ServiceFn<fn(Number) -> Ready<Result<Doubled, Infallible>>>;

chain! {
    /// Layers of tower's around a block that ends with a service of tower's.
    struct WithTower { outer: Layered<Number, Doubled>, inner: Layered<Number, Doubled>, double: Call<Doubling, Number> }
    async fn(number: Number) -> Doubled { outer { inner { wait => double } } }
}

#[test]
fn a_chain_in_tower_and_tower_in_a_chain_allocate_nothing() {
    let plus_one = (
        MapRequestLayer::new(|Number(number)| Number(number + 1)),
        MapResponseLayer::new(|Doubled(reply)| Doubled(reply + 1)),
    );
    let double: fn(Number) -> Ready<Result<Doubled, Infallible>> = |Number(number)| ready(Ok(Doubled(number * 2)));
    let chain = WithTower {
        outer: Layered::new(plus_one),
        inner: Layered::new(MapRequestLayer::new(|Number(number)| Number(number * 10))),
        double: Call::new(service_fn(double)),
    };
    let mut service = service(Arc::new(chain));
    let mut one = |number| assert_eq!(block_on(service.call(Number(number))), Ok(Doubled((number + 1) * 20 + 1)));
    (0..64).for_each(&mut one);
    let asked = counted(|| (0..REQUESTS).for_each(&mut one));
    assert_eq!(asked, 0, "allocations in {REQUESTS} requests");
}

#[test]
fn the_lengths_are_what_they_say() {
    let lengths = [Sync1::NODES, Sync5::NODES, Mixed10::NODES, Async20::NODES, Async37::NODES].map(<[_]>::len);
    assert_eq!(lengths, [1, 5, 10, 20, 37]);
}

/// Without this, a counter that counts nothing would prove everything.
#[test]
fn what_is_allocated_is_counted() {
    assert_eq!(counted(|| drop(std::hint::black_box(Box::new(1)))), 1);
    assert_eq!(counted(|| drop(std::hint::black_box(vec![0u8; 100]))), 1);
    let pool = Pool::new(Context::default);
    assert!(counted(|| drop(pool.get())) > 0, "a cold pool");
}

//! A chain's future is `Send` whenever its parts are, and not otherwise.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use chain::is_send;
use chain::poll::{block_on, suspend};
use chain_runtime::describe::{ChainInfo, NodeInfo};
use chain_runtime::observe::Observer;
use chain_runtime::{IntoReply, Pool, Reset, chain, node};

struct Parts {
    path: String,
}
#[derive(Default, Reset)]
struct Context {
    bytes: Vec<u8>,
}
struct Token<'r>(&'r str);
struct Length(usize);
struct Empty;
impl IntoReply<usize> for Empty {
    fn into_reply(self) -> usize {
        0
    }
}

/// Keeps a borrow of an input across awaits.
#[node]
async fn token<'r>(parts: &'r Parts) -> Result<Token<'r>, Empty> {
    tokio::task::yield_now().await;
    if parts.path.is_empty() { Err(Empty) } else { Ok(Token(&parts.path)) }
}

#[node]
async fn copy(token: &Token<'_>, context: &mut Context) -> Length {
    context.bytes.extend_from_slice(token.0.as_bytes());
    tokio::task::yield_now().await;
    Length(context.bytes.len())
}

/// In flight, entered and left: also when a task is aborted.
#[derive(Default)]
struct InFlight {
    entered: AtomicU64,
    left: AtomicU64,
}
struct Turn;
#[node]
impl InFlight {
    fn enter(&self) -> Turn {
        self.entered.fetch_add(1, Relaxed);
        Turn
    }
    async fn exit(&self, _turn: &mut Turn, reply: &mut usize) {
        tokio::task::yield_now().await;
        *reply += 1;
        self.left.fetch_add(1, Relaxed);
    }
    fn cancelled(&self, _turn: &Turn) {
        self.left.fetch_add(1, Relaxed);
    }
}

trait Client: Send + Sync {
    fn call(&self, length: usize) -> impl Future<Output = usize> + Send;
}
struct Upstream;
impl Client for Upstream {
    async fn call(&self, length: usize) -> usize {
        tokio::task::yield_now().await;
        length
    }
}
struct Proxy<C> {
    client: C,
}
#[node]
impl<C: Client> Proxy<C> {
    async fn enter(&self, length: &Length) -> usize {
        self.client.call(length.0).await
    }
}

static BEGUN: AtomicU64 = AtomicU64::new(0);
static ENDED: AtomicU64 = AtomicU64::new(0);
struct Counts {
    open: i64,
}
impl Observer for Counts {
    fn begin(_: &'static ChainInfo) -> Self {
        BEGUN.fetch_add(1, Relaxed);
        Self { open: 0 }
    }
    fn enter(&mut self, _: &'static NodeInfo) {
        self.open += 1;
    }
    fn left(&mut self, _: &'static NodeInfo) {
        self.open -= 1;
    }
    fn broke(&mut self, _: &'static NodeInfo) {
        self.open -= 1;
    }
    fn cancelled(&mut self, _: &'static NodeInfo) {
        self.open -= 1;
    }
    fn end(self, _: Option<&'static chain_runtime::Ending>) {
        assert_eq!(self.open, 0, "each node that was entered is answered for");
        ENDED.fetch_add(1, Relaxed);
    }
}

chain! {
    #[observe(Counts)]
    struct Gateway<C: Client> { in_flight: InFlight, proxy: Proxy<C> }
    async fn<'r>(parts: &'r Parts, context: &'r mut Context) -> usize { in_flight => token => copy => proxy }
}

/// Ten thousand tasks on four threads; what a run borrows, its task owns. One in ten is aborted.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_thousand_runs_with_borrowed_inputs_move_between_threads() {
    const RUNS: usize = 10_000;
    let gateway = Arc::new(Gateway { in_flight: InFlight::default(), proxy: Proxy { client: Upstream } });
    let pool = Arc::new(Pool::new(Context::default));
    let spawned: Vec<_> = (0..RUNS)
        .map(|index| {
            let (gateway, pool) = (gateway.clone(), pool.clone());
            let task = tokio::spawn(async move {
                let parts = Parts { path: "/".repeat(index % 8) };
                let mut context = pool.get();
                gateway.run(&parts, &mut context).await
            });
            if index % 10 == 9 {
                task.abort();
            }
            task
        })
        .collect();
    let mut replied = 0;
    for (index, task) in spawned.into_iter().enumerate() {
        match task.await {
            Ok(reply) => {
                assert_eq!(reply, index % 8 + 1);
                replied += 1;
            }
            Err(error) => assert!(error.is_cancelled() && index % 10 == 9, "{error}"),
        }
    }
    assert!(replied >= RUNS - RUNS / 10, "{replied}");
    let in_flight = &gateway.in_flight;
    assert_eq!(in_flight.entered.load(Relaxed), in_flight.left.load(Relaxed));
    assert_eq!(BEGUN.load(Relaxed), ENDED.load(Relaxed));
    assert!(BEGUN.load(Relaxed) >= replied as u64);
}

#[test]
fn a_chain_of_send_parts_is_send() {
    let gateway = Gateway { in_flight: InFlight::default(), proxy: Proxy { client: Upstream } };
    let (parts, mut context) = (Parts { path: String::new() }, Context::default());
    assert!(is_send!(gateway.run(&parts, &mut context)));
    assert!(is_send!(SendOnly.run(Cell::new(1))));
}

// ---- what is not `Send`

struct Cache(Rc<u32>);
#[node]
fn cache() -> Cache {
    Cache(Rc::new(7))
}
#[node]
async fn wait() {
    suspend(1).await;
}
#[node]
fn read(cache: &Cache) -> u32 {
    *cache.0
}
#[node]
fn cell(cell: &Cell<u32>) -> u32 {
    cell.get()
}

chain! {
    struct NotSend;
    async fn() -> u32 { cache => wait => read }
}
chain! {
    /// An input that is `Send`, but a reference to it is not: nobody holds one at an await.
    struct SendOnly;
    async fn(input: Cell<u32>) -> u32 { wait => cell }
}
chain! {
    struct SharedCell;
    async fn<'r>(input: &'r Cell<u32>) -> u32 { wait => cell }
}

struct Local(#[allow(dead_code, reason = "it is there to be not `Send`")] Rc<()>);
impl Observer for Local {
    fn begin(_: &'static ChainInfo) -> Self {
        Self(Rc::new(()))
    }
}
chain! {
    #[observe(Local)]
    struct WatchedHere;
    async fn(input: Cell<u32>) -> u32 { wait => cell }
}

#[test]
fn a_chain_that_holds_an_rc_at_an_await_is_not_send() {
    assert!(!is_send!(NotSend.run()));
    assert_eq!(block_on(NotSend.run()), 7);
}

#[test]
fn a_chain_that_shares_what_is_not_sync_is_not_send() {
    let cell = Cell::new(3);
    assert!(!is_send!(SharedCell.run(&cell)));
    assert_eq!(block_on(SharedCell.run(&cell)), 3);
}

#[test]
fn a_chain_whose_observer_is_not_send_is_not_send() {
    assert!(!is_send!(WatchedHere.run(Cell::new(1))));
    assert_eq!(block_on(WatchedHere.run(Cell::new(1))), 1);
}

#[test]
fn the_probe_tells_the_two_apart() {
    assert!(is_send!(1u32));
    assert!(!is_send!(Rc::new(1)));
    assert_eq!(block_on(SendOnly.run(Cell::new(1))), 1);
}

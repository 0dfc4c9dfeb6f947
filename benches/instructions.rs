//! Instructions a run takes, counted by callgrind: they repeat exactly, so that a table can be compared with another.
//!
//! `cargo bench -p chain-benches --bench instructions` prints the table, and fails where one of these does not hold:
//!
//! - a chain without an observer takes as many instructions as the same chain declared once more: what is measured is the chain;
//! - as a function, a chain takes no more than its twin written by hand.
//!
//! A chain that suspends is set against its twins as a ratio: one fused by hand, and small `async fn`s awaited in a row, which is how
//! one would write it. The aim is no more than the latter; it is not asserted. What an observer costs whose methods are all empty stands in the table beside it.
//!
//! The program starts itself under valgrind, once with few runs and once with many: the difference is what the runs cost. To measure one
//! more thing, add a line to `measured!`.

use std::hint::black_box;
use std::process::ExitCode;

use chain_benches::callgrind;
use chain_benches::poll::{block_on, suspend};
use chain_benches::table::{Table, publish};
use chain_runtime::describe::ChainInfo;
use chain_runtime::observe::Observer;
use chain_runtime::{IntoReply, chain, node};

// ---- the work

struct Request(u64);
struct User(u64);
struct Route(u64);
struct Started(u64);
struct Refused;

impl IntoReply<u64> for Refused {
    #[inline]
    fn into_reply(self) -> u64 {
        403
    }
}

#[node]
fn auth(request: &Request) -> Result<User, Refused> {
    if request.0 % 16 == 15 { Err(Refused) } else { Ok(User(black_box(request.0))) }
}
#[node]
async fn auth_slowly(request: &Request) -> Result<User, Refused> {
    suspend(1).await;
    auth(request)
}
#[node]
fn gate(user: &User) -> Result<(), Refused> {
    if black_box(user.0) == u64::MAX { Err(Refused) } else { Ok(()) }
}
#[node]
fn route(request: &Request, user: &User) -> Route {
    Route(black_box(request.0 ^ user.0))
}
#[node]
fn answer(route: &Route, user: &mut User) -> u64 {
    user.0 += 1;
    black_box(route.0 + user.0)
}
#[node]
async fn answer_slowly(route: &Route, user: &mut User) -> u64 {
    suspend(1).await;
    answer(route, user)
}

struct Log;
#[node]
impl Log {
    #[inline]
    fn enter(&self) -> Started {
        Started(black_box(3))
    }
    #[inline]
    fn exit(&self, started: &Started, reply: &mut u64) {
        *reply += started.0;
    }
    #[inline]
    fn cancelled(&self, started: &Started) {
        black_box(started.0);
    }
}

/// Told everything, does nothing.
struct Idle;
impl Observer for Idle {
    #[inline(always)]
    fn begin(_: &'static ChainInfo) -> Self {
        Self
    }
}

chain! {
    struct Sync { log: Log }
    fn(request: Request) -> u64 { log => auth => gate => route => answer }
}
chain! {
    struct SyncAgain { log: Log }
    fn(request: Request) -> u64 { log => auth => gate => route => answer }
}
chain! {
    #[observe(Idle)]
    struct SyncIdle { log: Log }
    fn(request: Request) -> u64 { log => auth => gate => route => answer }
}
chain! {
    struct Async { log: Log }
    async fn(request: Request) -> u64 { log => auth_slowly => gate => route => answer_slowly }
}
chain! {
    struct AsyncAgain { log: Log }
    async fn(request: Request) -> u64 { log => auth_slowly => gate => route => answer_slowly }
}
chain! {
    #[observe(Idle)]
    struct AsyncIdle { log: Log }
    async fn(request: Request) -> u64 { log => auth_slowly => gate => route => answer_slowly }
}

// ---- the twins

/// Calls `cancelled` where the run ends without a reply.
struct Entered<'a> {
    log: &'a Log,
    started: Started,
    left: bool,
}
impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        if !self.left {
            self.log.cancelled(&self.started);
        }
    }
}

fn by_hand(log: &Log, request: Request) -> u64 {
    let mut entered = Entered { log, started: log.enter(), left: false };
    let mut reply = (|| {
        let mut user = auth(&request)?;
        gate(&user)?;
        let route = route(&request, &user);
        Ok(answer(&route, &mut user))
    })()
    .unwrap_or_else(|refused: Refused| refused.into_reply());
    log.exit(&entered.started, &mut reply);
    entered.left = true;
    reply
}

/// One state machine: no node is a future of its own.
async fn fused(log: &Log, request: Request) -> u64 {
    let mut entered = Entered { log, started: log.enter(), left: false };
    let mut reply = 'reply: {
        suspend(1).await;
        let Ok(mut user) = auth(&request) else { break 'reply Refused.into_reply() };
        if gate(&user).is_err() {
            break 'reply Refused.into_reply();
        }
        let route = route(&request, &user);
        suspend(1).await;
        answer(&route, &mut user)
    };
    log.exit(&entered.started, &mut reply);
    entered.left = true;
    reply
}

/// Small functions, awaited in a row.
async fn awaited(log: &Log, request: Request) -> u64 {
    async fn gate_slowly(user: &User) -> Result<(), Refused> {
        gate(user)
    }
    async fn route_slowly(request: &Request, user: &User) -> Route {
        route(request, user)
    }
    async fn inner(request: Request) -> Result<u64, Refused> {
        let mut user = auth_slowly(&request).await?;
        gate_slowly(&user).await?;
        let route = route_slowly(&request, &user).await;
        Ok(answer_slowly(&route, &mut user).await)
    }
    let mut entered = Entered { log, started: log.enter(), left: false };
    let mut reply = inner(request).await.unwrap_or_else(IntoReply::into_reply);
    log.exit(&entered.started, &mut reply);
    entered.left = true;
    reply
}

// ---- the measuring

macro_rules! measured {
    ($($name:ident: $what:literal, |$request:ident| $run:expr;)+) => {
        $(
            /// Callgrind counts while this is being called, by its name.
            #[inline(never)]
            fn $name(runs: u64) -> u64 {
                // Without something of its own, LLVM makes one function of two that are the same.
                black_box(stringify!($name));
                let mut sum = 0u64;
                for index in 0..runs {
                    let $request = Request(black_box(index));
                    sum = sum.wrapping_add(black_box($run));
                }
                sum
            }
        )+
        const MEASURED: &[(&str, &str, fn(u64) -> u64)] = &[$((stringify!($name), $what, $name)),+];
    };
}

measured! {
    measured_sync_by_hand: "fn, by hand", |request| by_hand(&Log, request);
    measured_sync_chain: "fn, chain", |request| Sync { log: Log }.run(request);
    measured_sync_again: "fn, chain, declared again", |request| SyncAgain { log: Log }.run(request);
    measured_sync_idle: "fn, chain, observer that does nothing", |request| SyncIdle { log: Log }.run(request);
    measured_async_fused: "async fn, by hand, fused", |request| block_on(fused(&Log, request));
    measured_async_awaited: "async fn, by hand, small ones awaited", |request| block_on(awaited(&Log, request));
    measured_async_chain: "async fn, chain", |request| block_on(Async { log: Log }.run(request));
    measured_async_again: "async fn, chain, declared again", |request| block_on(AsyncAgain { log: Log }.run(request));
    measured_async_idle: "async fn, chain, observer that does nothing", |request| block_on(AsyncIdle { log: Log }.run(request));
}

const FEW: u64 = 1_600;
const MANY: u64 = 3_200;

fn main() -> ExitCode {
    if let Some((name, runs)) = callgrind::asked() {
        let (_, _, run) = MEASURED.iter().find(|(other, ..)| *other == name).expect("a name of the table");
        black_box(run(runs));
        return ExitCode::SUCCESS;
    }
    if !callgrind::is_there() {
        return ExitCode::SUCCESS;
    }
    let mut table = Table::new("5 nodes, one with all hooks", "what runs", ["instructions"]);
    let mut counted = Vec::new();
    for (name, what, _) in MEASURED {
        let each = callgrind::per_run(name, Some(name), FEW, MANY);
        table.row(what, [each]);
        counted.push(each);
    }
    publish("instructions", &[table]);
    let of = |name| counted[MEASURED.iter().position(|(other, ..)| *other == name).expect("a name of the table")];
    for twin in ["measured_async_fused", "measured_async_awaited"] {
        println!("ratio: measured_async_chain / {twin} = {:.3}", of("measured_async_chain") / of(twin));
    }
    callgrind::verdict(&[
        ("a chain repeats".into(), of("measured_sync_chain") == of("measured_sync_again")),
        ("a chain that suspends repeats".into(), of("measured_async_chain") == of("measured_async_again")),
        ("as a function: no more than by hand".into(), of("measured_sync_chain") <= of("measured_sync_by_hand")),
    ])
}

//! The cost of being let in by an `Adaptive`, and of being turned away.
//!
//! `cargo bench -p chain-benches --bench admission` prints nanoseconds, instructions and allocations of one request,
//! and fails if one of these does not hold:
//!
//! - a request that is let in, waits or is turned away allocates nothing;
//! - turning away takes less than 2,000 instructions.
//!
//! The nanoseconds are those of the quickest of five rounds; they are shown, and not judged.
//!
//! A response with a field allocates the table of its fields. That is the http crate's allocation, and has a row of its
//! own.

use std::future::{Future, pending};
use std::hash::{Hash, Hasher};
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::process::ExitCode;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use chain_benches::allocations::{Asked, Counting};
use chain_benches::callgrind;
use chain_benches::poll::suspend;
use chain_benches::table::{Table, publish};
use chain_runtime::IntoReply;
use chain_runtime::around::Concurrency;
use chain_runtime::nodes::Key;
use chain_runtime::pressure::{
    Adaptive, Anyone, ByPriority, Elsewhere, Fair, Fixed, Level, LevelCell, Priority, Reason, TurnedAway,
};
use http::Response;

#[global_allocator]
static COUNTING: Counting = Counting;

const FEW: u64 = 1_000;
const MANY: u64 = 3_000;
const TIMED: u64 = 300_000;

struct User(u64);

impl Key for User {
    fn feed<H: Hasher>(&self, hasher: &mut H) {
        self.0.hash(hasher);
    }
}

fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn done<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = poll(future.as_mut()) {
            return output;
        }
    }
}

async fn work() -> u64 {
    black_box(1)
}

/// Runs `each` so often with a limit of one that is taken, while 128 requests of this user and priority wait.
fn crowded<Q, R>(
    limit: &Adaptive<Q, Fixed>,
    ask: impl Fn() -> Pin<Box<dyn Future<Output = ()>>>,
    runs: u64,
    each: impl Fn() -> R,
) -> u64 {
    let mut waiting: Vec<_> = (0..=128).map(|_| ask()).collect();
    waiting.iter_mut().for_each(|waits| assert!(poll(waits.as_mut()).is_pending()));
    assert_eq!(limit.status().waiting_in_all(), 128);
    counted(runs, each)
}

#[inline(never)]
fn counted<R>(runs: u64, each: impl Fn() -> R) -> u64 {
    for _ in 0..runs {
        black_box(each());
    }
    runs
}

fn leak<T>(it: T) -> &'static T {
    Box::leak(Box::new(it))
}

fn long() -> std::time::Duration {
    std::time::Duration::from_secs(1_000)
}

fn away(outcome: Result<u64, TurnedAway>, reason: Reason) -> TurnedAway {
    let away = outcome.expect_err("it is turned away");
    assert_eq!(away.reason, reason);
    away
}

type Case = (&'static str, &'static str, fn(u64) -> u64);

const LET_IN: [Case; 7] = [
    ("alone", "the block alone", |runs| counted(runs, || done(work()))),
    ("concurrency", "let in by `Concurrency`, shedding", |runs| {
        let limit = Concurrency::shed(8);
        counted(runs, || done(limit.around(pin!(work()))))
    }),
    ("adaptive", "let in by `Adaptive`", |runs| {
        let limit: Adaptive = Adaptive::default();
        counted(runs, || done(limit.around(pin!(work()))))
    }),
    ("priority", "let in by `Adaptive<ByPriority>`", |runs| {
        let limit: Adaptive<ByPriority> = Adaptive::default();
        counted(runs, || done(limit.around(&limit.enter(&Priority::Critical), pin!(work()))))
    }),
    ("fair", "let in by `Adaptive<Fair<User>>`", |runs| {
        let limit: Adaptive<Fair<User>> = Adaptive::default();
        counted(runs, || done(limit.around(&limit.enter(&User(black_box(7))), pin!(work()))))
    }),
    ("elsewhere", "let in by `Adaptive`, and suspended once elsewhere", |runs| {
        let (limit, elsewhere): (Adaptive, _) = (Adaptive::default(), Elsewhere::new());
        counted(runs, || done(limit.around(pin!(elsewhere.around(pin!(suspend(1)))))))
    }),
    ("handed", "waits, and is handed a permit", |runs| {
        let limit: Adaptive<Anyone, Fixed> = Adaptive::fixed(1);
        counted(runs, || {
            let mut first = pin!(async { limit.around(pin!(suspend(1))).await });
            assert!(poll(first.as_mut()).is_pending());
            let mut second = pin!(async { limit.around(pin!(work())).await });
            assert!(poll(second.as_mut()).is_pending() && poll(first.as_mut()).is_ready());
            done(second)
        })
    }),
];

const AWAY: [Case; 4] = [
    ("no_queue", "turned away where none may wait", |runs| {
        let limit: &Adaptive<ByPriority, Fixed> = leak(Adaptive::fixed(0).queue(0));
        let ask = || done(limit.around(&limit.enter(&Priority::Critical), pin!(work())));
        counted(runs, || away(ask(), Reason::Full))
    }),
    ("full", "turned away from a full queue", |runs| {
        let limit: &Adaptive<ByPriority, Fixed> = leak(Adaptive::fixed(1).queue(128).patience(long()));
        let waits = || -> Pin<Box<dyn Future<Output = ()>>> {
            Box::pin(async { _ = limit.around(&limit.enter(&Priority::Default), pin!(pending::<()>())).await })
        };
        let ask = || done(limit.around(&limit.enter(&Priority::Default), pin!(work())));
        crowded(limit, waits, runs, || away(ask(), Reason::Full))
    }),
    ("share", "turned away for its share, among 128 that wait", |runs| {
        let limit: &Adaptive<Fair<User>, Fixed> = leak(Adaptive::fixed(1).queue(128).patience(long()));
        let next = leak(std::cell::Cell::new(0_u64));
        // One user with half of the places, the others with one each.
        let waits = || -> Pin<Box<dyn Future<Output = ()>>> {
            next.set(next.get() + 1);
            let user = User(if next.get().is_multiple_of(2) { 0 } else { next.get() });
            Box::pin(async move { _ = limit.around(&limit.enter(&user), pin!(pending::<()>())).await })
        };
        let ask = || done(limit.around(&limit.enter(&User(0)), pin!(work())));
        crowded(limit, waits, runs, || away(ask(), Reason::Share))
    }),
    ("level", "turned away for the level", |runs| {
        let level = Arc::new(LevelCell::new(Level::Critical));
        let limit: &Adaptive<ByPriority, Fixed> = leak(Adaptive::fixed(8).under(level));
        let ask = || done(limit.around(&limit.enter(&Priority::Sheddable), pin!(work())));
        counted(runs, || away(ask(), Reason::Level))
    }),
];

const REPLY: Case = ("reply", "the same as a response, which has a field", |runs| {
    let limit: &Adaptive<Anyone, Fixed> = leak(Adaptive::fixed(0).queue(0));
    counted(runs, || -> Response<String> { away(done(limit.around(pin!(work()))), Reason::Full).into_reply() })
});

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let _entered = runtime.enter();
    let all = || LET_IN.into_iter().chain(AWAY).chain([REPLY]);
    if let Some((name, runs)) = callgrind::asked() {
        let (_, _, run) = all().find(|(other, ..)| *other == name).expect("a name of the table");
        black_box(run(runs));
        return ExitCode::SUCCESS;
    }
    let counts = callgrind::is_there();
    let mut table = Table::new("being let in and being turned away", "what", ["ns", "instructions", "allocations"]);
    let mut claims = Vec::new();
    for (name, what, run) in all() {
        run(FEW);
        let asked = |runs| {
            let before = Asked::so_far();
            run(runs);
            (Asked::so_far() - before).times as f64
        };
        let allocated = (asked(MANY) - asked(FEW)) / (MANY - FEW) as f64;
        // The difference of a few runs and many does not include what is made once.
        let timed = |runs| {
            let began = Instant::now();
            run(runs);
            began.elapsed().as_nanos() as f64
        };
        let least = |runs| (0..5).map(|_| timed(runs)).fold(f64::INFINITY, f64::min);
        let ns = (least(TIMED) - least(FEW)) / (TIMED - FEW) as f64;
        let instructions = if counts { callgrind::per_run(name, None, FEW, MANY) } else { 0.0 };
        table.row(what, [(ns * 10.0).round() / 10.0, instructions.round(), allocated]);
        if name != REPLY.0 {
            claims.push((format!("{what}: nothing is allocated"), allocated == 0.0));
        }
        if AWAY.iter().any(|(away, ..)| *away == name) {
            claims.push((format!("{what}: less than 2,000 instructions"), instructions < 2_000.0));
        }
    }
    publish("admission", &[table]);
    callgrind::verdict(&claims)
}

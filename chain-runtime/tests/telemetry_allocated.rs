//! Allocations are found in the node that made them, on all threads; and a warm meter allocates nothing itself.

#![cfg(feature = "telemetry")]

use std::alloc::System;
use std::hint::black_box;
use std::pin::Pin;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::thread;

use chain_runtime::observe::Way;
use chain_runtime::telemetry::{Allocated, Allocations, Counted, Counting, Meter, Tsc};
use chain_runtime::{chain, node};

#[global_allocator]
static ALLOCATOR: Counting<System> = Counting::new(System);

/// Asks for so many bytes, once; for 0 and 1, not at all.
fn takes(bytes: usize) {
    if bytes > 1 {
        drop(black_box(Vec::<u8>::with_capacity(bytes)));
    }
}

/// How much the nodes ask for.
#[derive(Clone, Copy)]
struct Asks([usize; 5]);

struct Hooks;
#[node]
impl Hooks {
    fn enter(&self, asks: &Asks) {
        takes(asks.0[0]);
    }
    fn exit(&self, asks: &Asks) {
        takes(asks.0[1]);
    }
}
#[node]
fn none() {}
struct Keeps(Asks);
struct Wraps;
#[node]
impl Wraps {
    fn enter(&self, asks: &Asks) -> Keeps {
        Keeps(*asks)
    }
    async fn around<B: Future>(&self, keeps: &Keeps, block: Pin<&mut B>) -> B::Output {
        takes(keeps.0.0[2]);
        let output = block.await;
        takes(keeps.0.0[2]);
        output
    }
}
/// Allocates, waits, goes on perhaps on another thread, and allocates.
#[node]
async fn waits(asks: &Asks) -> Result<u32, u32> {
    takes(asks.0[3]);
    let mut polled = false;
    std::future::poll_fn(|_| if std::mem::replace(&mut polled, true) { Poll::Ready(()) } else { Poll::Pending }).await;
    takes(asks.0[4]);
    takes(asks.0[4]);
    if asks.0[4] == 0 { Err(0) } else { Ok(1) }
}

chain! {
    #[observe(meter)]
    #[send]
    struct Asked { meter: Meter<Tsc, Counted>, hooks: Hooks, wraps: Wraps }
    async fn(asks: Asks) -> u32 { hooks => none => wraps { waits } }
}

fn asked() -> Asked {
    let meter = Meter::builder(Asked::CHAIN).allocations(Counted).expect("the allocator above").build();
    Asked { meter, hooks: Hooks, wraps: Wraps }
}

fn poll<F: Future>(run: Pin<&mut F>) -> Poll<F::Output> {
    run.poll(&mut Context::from_waker(Waker::noop()))
}

/// Known amounts in known nodes on 8 threads; half of the runs end on another thread than they began on.
#[test]
fn all_that_is_allocated_is_found_in_its_node() {
    const THREADS: usize = 8;
    const RUNS: usize = 200;
    let asked = asked();
    let asks = |thread: usize, run: usize| Asks([10 + thread, 20 + run, 0, 40 * (run % 2), 50 + thread]);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (asked, (gives, takes)) = (&asked, mpsc::channel());
            scope.spawn(move || {
                for run in 0..RUNS {
                    let mut future = Box::pin(asked.run(asks(thread, run)));
                    assert!(poll(future.as_mut()).is_pending());
                    if run % 2 == 0 {
                        assert!(poll(future.as_mut()).is_ready());
                    } else {
                        gives.send(future).expect("the other thread lives");
                    }
                }
            });
            scope.spawn(move || takes.iter().for_each(|mut future| assert!(poll(future.as_mut()).is_ready())));
        }
    });

    let all = || (0..THREADS).flat_map(|thread| (0..RUNS).map(move |run| asks(thread, run).0));
    let sum = |of: fn([usize; 5]) -> usize| all().map(of).sum::<usize>() as u64;
    let runs = (THREADS * RUNS) as u64;
    let snapshot = asked.meter.snapshot();
    assert_eq!((snapshot.ended, snapshot.is_counted), (runs, (true, true)));
    let found = |position: usize, way| snapshot.nodes[position].way(way).allocated;
    assert_eq!(found(0, Way::In), Allocated { bytes: sum(|asks| asks[0]), calls: runs });
    assert_eq!(found(0, Way::Out), Allocated { bytes: sum(|asks| asks[1]), calls: runs });
    assert_eq!((found(1, Way::In), found(1, Way::Out)), (Allocated::NOTHING, Allocated::NOTHING));
    assert_eq!((found(2, Way::In), found(2, Way::Out)), (Allocated::NOTHING, Allocated::NOTHING));
    assert_eq!(found(3, Way::In), Allocated { bytes: sum(|asks| asks[3] + 2 * asks[4]), calls: runs / 2 + 2 * runs });
    assert_eq!(snapshot.own_allocated, Allocated::NOTHING);
}

#[test]
fn a_node_around_a_block_has_its_own_allocations_alone() {
    let asked = asked();
    let mut run = Box::pin(asked.run(Asks([0, 0, 30, 40, 0])));
    while poll(run.as_mut()).is_pending() {}
    let snapshot = asked.meter.snapshot();
    let found = |position: usize, way| snapshot.nodes[position].way(way).allocated.bytes;
    assert_eq!((found(2, Way::In), found(2, Way::Out), found(3, Way::In)), (30, 30, 40));
}

/// Replies, breaks, cancellations, and runs kept because they fail or are slow.
#[test]
fn a_meter_that_is_warm_allocates_nothing() {
    let asked = asked();
    let runs = |count: usize| {
        for run in 0..count {
            // It breaks, replies, or is dropped.
            let mut future = std::pin::pin!(asked.run(Asks([0, 0, 0, 0, usize::from(run % 3 == 1)])));
            assert!(poll(future.as_mut()).is_pending());
            match run % 3 {
                0 => assert_eq!(poll(future.as_mut()), Poll::Ready(0)),
                1 => assert_eq!(poll(future.as_mut()), Poll::Ready(1)),
                _ => asked.meter.forget_kept(),
            }
        }
    };
    runs(30);
    let before = Counted.now();
    runs(3_000);
    assert_eq!(Counted.now() - before, Allocated::NOTHING);
    assert_eq!(asked.meter.snapshot().started, 3_030);
}

/// Runs its block twice.
struct Twice;
struct Begun;
#[node]
impl Twice {
    fn enter(&self) -> Begun {
        Begun
    }
    async fn around<B: Future>(&self, _: &Begun, block: Pin<&mut B>) -> B::Output {
        block.await
    }
    fn again(&self, attempt: u32, _: &u32) -> bool {
        attempt < 2
    }
}
#[node]
fn seven() -> u32 {
    takes(70);
    7
}

chain! {
    #[observe(meter)]
    struct Retried { meter: Meter<Tsc, Counted>, twice: Twice }
    async fn() -> u32 { twice { none => seven } }
}

#[test]
fn what_a_meter_takes_for_a_node_that_comes_once_more_is_not_the_nodes() {
    let meter = Meter::builder(Retried::CHAIN).allocations(Counted).expect("the allocator above").build();
    let retried = Retried { meter, twice: Twice };
    assert_eq!(poll(Box::pin(retried.run()).as_mut()), Poll::Ready(7));
    let snapshot = retried.meter.snapshot();
    let all = snapshot.nodes.iter().map(|node| (node.entered, node.allocated())).collect::<Vec<_>>();
    let of = |bytes, calls| Allocated { bytes, calls };
    assert_eq!(all, [(1, of(0, 0)), (2, of(0, 0)), (2, of(140, 2))]);
}

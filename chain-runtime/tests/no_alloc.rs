//! `#[no_alloc]`: in a debug build a node that allocates is named.
#![cfg(feature = "telemetry")]

use std::alloc::System;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use chain_runtime::telemetry::{Counting, Meter, NoAlloc};
use chain_runtime::{chain, node};

#[global_allocator]
static ALLOCATOR: Counting<System> = Counting::new(System);

#[derive(Clone, Copy, PartialEq)]
enum Allocates {
    Nowhere,
    OnTheWayIn,
    AfterAWait,
    OnTheWayOut,
    WhileOthersRun,
}
use Allocates::{AfterAWait, Nowhere, OnTheWayIn, OnTheWayOut, WhileOthersRun};

fn allocate() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(100)));
}

struct Sees;

#[node]
impl Sees {
    async fn enter(&self, allocates: &Allocates) {
        if *allocates == OnTheWayIn {
            allocate();
        }
        Once(false).await;
        if *allocates == AfterAWait {
            allocate();
        }
    }
    fn exit(&self, allocates: &Allocates) {
        if *allocates == OnTheWayOut {
            allocate();
        }
    }
}

/// Pending once.
struct Once(bool);

impl Future for Once {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) { Poll::Ready(()) } else { Poll::Pending }
    }
}

#[node]
fn other(allocates: &Allocates) -> u32 {
    if *allocates == WhileOthersRun {
        allocate();
    }
    1
}

chain! {
    struct OneNode { sees: Sees }
    async fn(allocates: Allocates) -> u32 { #[no_alloc] sees => other }
}

chain! {
    #[no_alloc]
    struct AllOfIt { sees: Sees }
    async fn(allocates: Allocates) -> u32 { sees => other }
}

/// What it panics with; between the polls the thread allocates.
fn blamed<F: Future<Output = u32>>(run: F) -> Option<String> {
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let mut run = pin!(run);
        while run.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
            allocate();
        }
    }));
    caught.err().map(|panic| *panic.downcast::<String>().expect("a message"))
}

#[test]
fn a_node_that_allocates_is_named() {
    assert!(NoAlloc::is_checked() == cfg!(debug_assertions));
    let one = |allocates| blamed(OneNode { sees: Sees }.run(allocates));
    let said = |when: &str| {
        cfg!(debug_assertions)
            .then(|| format!("`sees` allocated 100 bytes in 1 call on its way {when}, and is `#[no_alloc]`"))
    };
    assert_eq!(one(Nowhere), None, "what is allocated while it waits is not its own");
    assert_eq!(one(OnTheWayIn), said("in"));
    assert_eq!(one(AfterAWait), said("in"));
    assert_eq!(one(OnTheWayOut), said("out"));
    assert_eq!(one(WhileOthersRun), None, "the attribute is about one node");
}

#[test]
fn on_a_chain_it_is_about_each_node() {
    let all = |allocates| blamed(AllOfIt { sees: Sees }.run(allocates));
    assert_eq!(all(Nowhere), None);
    let said = cfg!(debug_assertions)
        .then(|| "`other` allocated 100 bytes in 1 call on its way in, and is `#[no_alloc]`".to_owned());
    assert_eq!(all(WhileOthersRun), said);
}

#[test]
fn the_description_says_so() {
    let flags = |nodes: &[chain_runtime::NodeInfo]| nodes.iter().map(|node| node.no_alloc).collect::<Vec<_>>();
    assert_eq!(flags(OneNode::NODES), [true, false]);
    assert_eq!(flags(AllOfIt::NODES), [true, true]);
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

chain! {
    #[observe(meter)]
    struct Measured { meter: Meter, sees: Sees, twice: Twice }
    async fn(allocates: Allocates) -> u32 { twice { #[no_alloc] sees => other } }
}

/// It makes its histograms where they are needed for the first time, in the middle of a stretch where the node comes once more; and what it
/// knows of a thread, where that goes on with the run.
#[test]
fn what_a_meter_allocates_is_not_blamed_on_a_node() {
    let measured = || Measured { meter: Meter::of(Measured::CHAIN), sees: Sees, twice: Twice };
    assert_eq!(blamed(measured().run(Nowhere)), None);
    assert_eq!(blamed(measured().run(OnTheWayOut)).is_some(), cfg!(debug_assertions));
}

chain! {
    #[observe(meter)]
    struct Inner { meter: Meter }
    fn(allocates: Allocates) -> u32 { other }
}

#[node]
fn runs_another(allocates: &Allocates, inner: &Inner) -> u32 {
    inner.run(*allocates)
}

chain! {
    struct Outer { inner: Inner }
    async fn(allocates: Allocates) -> u32 { #[no_alloc] runs_another }
}

#[test]
fn nor_is_what_the_meter_of_a_chain_in_a_node_allocates() {
    let outer = || Outer { inner: Inner { meter: Meter::of(Inner::CHAIN) } };
    assert_eq!(blamed(outer().run(Nowhere)), None);
    assert_eq!(blamed(outer().run(WhileOthersRun)).is_some(), cfg!(debug_assertions));
}

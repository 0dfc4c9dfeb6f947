//! Each lease is returned once, with the reported outcome, or with the one that follows from the end of the run.

use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use chain_runtime::upstream::{Lease, Member, NoUpstream, Pick, Registry, RoundRobin, Totals};
use chain_runtime::{chain, node};
use futures_util::FutureExt as _;
use proptest::prelude::*;

use crate::{registry, seats};

#[derive(Clone, Copy, Debug)]
enum Word {
    Ok,
    NotOk,
    Failed,
    TimedOut,
}

#[derive(Clone, Copy, Debug)]
enum End {
    Reply,
    Break,
    Cancel,
    Panic,
}

/// What is said while a request is out, and how its run ends.
#[derive(Clone, Debug)]
struct Request {
    words: Vec<Word>,
    end: End,
}

#[node]
async fn ask(request: &Request, lease: &Lease<usize>) -> Result<(), Broken> {
    for word in &request.words {
        match word {
            Word::Ok => lease.replied(true),
            Word::NotOk => lease.replied(false),
            Word::Failed => lease.failed(),
            Word::TimedOut => lease.timed_out(),
        }
    }
    match request.end {
        End::Reply => Ok(()),
        End::Break => Err(Broken),
        End::Cancel => pending().await,
        // Without the message that a panic prints.
        End::Panic => resume_unwind(Box::new(())),
    }
}

#[node]
fn answer(lease: &Lease<usize>) -> Result<usize, Broken> {
    assert_eq!(lease.seat().endpoint(), lease.endpoint());
    Ok(*lease.endpoint())
}

chain! {
    struct Gateway { pick: Pick<usize, RoundRobin> }
    async fn(request: Request) -> Result<usize, Broken> { pick => ask => answer }
}

#[derive(Debug, PartialEq)]
struct Broken;

impl From<NoUpstream> for Broken {
    fn from(_: NoUpstream) -> Self {
        Self
    }
}

/// Counts in a plain way what is to be counted.
fn expect(totals: &mut Totals, request: &Request) {
    let count = match (request.words.last(), request.end) {
        (Some(Word::Ok), _) | (None, End::Reply) => &mut totals.ok,
        (Some(Word::NotOk), _) => &mut totals.not_ok,
        (Some(Word::Failed), _) => &mut totals.failed,
        (Some(Word::TimedOut), _) => &mut totals.timed_out,
        (None, End::Break | End::Cancel) => &mut totals.cancelled,
        (None, End::Panic) => &mut totals.panicked,
    };
    *count += 1;
}

fn sum(registry: &Registry<usize>) -> Totals {
    let mut all = Totals::default();
    for totals in seats(registry).iter().map(|seat| seat.totals()) {
        all.ok += totals.ok;
        all.not_ok += totals.not_ok;
        all.failed += totals.failed;
        all.timed_out += totals.timed_out;
        all.cancelled += totals.cancelled;
        all.panicked += totals.panicked;
    }
    all
}

fn in_flight(registry: &Registry<usize>) -> usize {
    seats(registry).iter().map(|seat| seat.in_flight()).sum()
}

fn request() -> impl Strategy<Value = Request> {
    let word = prop_oneof![Just(Word::Ok), Just(Word::NotOk), Just(Word::Failed), Just(Word::TimedOut)];
    let end = prop_oneof![Just(End::Reply), Just(End::Break), Just(End::Cancel), Just(End::Panic)];
    (proptest::collection::vec(word, 0..3), end).prop_map(|(words, end)| Request { words, end })
}

proptest! {
    #[test]
    fn each_lease_is_returned_once_whatever_the_way_out(
        members in 1..5_usize,
        requests in proptest::collection::vec((request(), any::<prop::sample::Index>()), 0..30),
    ) {
        let registry = registry(members);
        let gateway = Gateway { pick: Pick::new(Arc::clone(&registry), RoundRobin::new()) };
        let mut expected = Totals::default();
        let mut hanging = Vec::new();
        for (request, which) in requests {
            expect(&mut expected, &request);
            let mut run = Box::pin(gateway.run(request));
            let ended = catch_unwind(AssertUnwindSafe(|| run.as_mut().now_or_never()));
            match ended {
                // It hangs, and is dropped while others are under way.
                Ok(None) => {
                    hanging.push(run);
                    prop_assert_eq!(in_flight(&registry), hanging.len());
                    if which.index(3) == 0 {
                        drop(hanging.swap_remove(which.index(hanging.len())));
                    }
                }
                _ => drop(run),
            }
            prop_assert_eq!(in_flight(&registry), hanging.len());
            prop_assert_eq!(sum(&registry).all() as usize + hanging.len(), expected.all() as usize);
        }
        drop(hanging);
        prop_assert_eq!(in_flight(&registry), 0);
        prop_assert_eq!(sum(&registry), expected);
    }
}

/// Abandons its block when it is late.
struct Limit(Duration);

#[node]
impl Limit {
    async fn around<B: Future>(&self, block: Pin<&mut B>) -> Result<B::Output, Broken> {
        tokio::time::timeout(self.0, block).await.map_err(|_| Broken)
    }
}

chain! {
    struct Limited { limit: Limit, pick: Pick<usize, RoundRobin> }
    async fn(request: Request) -> Result<usize, Broken> { limit { pick => ask => answer } }
}

const MS: Duration = Duration::from_millis(1);

#[tokio::test(start_paused = true)]
async fn what_a_deadline_abandons_has_timed_out_and_what_leaves_before_is_cancelled() {
    let registry = registry(1);
    let pick = Pick::new(Arc::clone(&registry), RoundRobin::new()).timeout(50 * MS);
    let limited = Limited { limit: Limit(50 * MS), pick };
    let hangs = Request { words: Vec::new(), end: End::Cancel };
    assert_eq!(limited.run(hangs.clone()).await, Err(Broken));
    assert!(tokio::time::timeout(20 * MS, limited.run(hangs)).await.is_err());
    let totals = sum(&registry);
    assert_eq!((totals.timed_out, totals.cancelled, totals.all()), (1, 1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_word_goes_for_a_deadline_as_well() {
    let registry = registry(1);
    let pick = Pick::new(Arc::clone(&registry), RoundRobin::new()).timeout(50 * MS);
    let limited = Limited { limit: Limit(50 * MS), pick };
    assert_eq!(limited.run(Request { words: vec![Word::NotOk], end: End::Cancel }).await, Err(Broken));
    assert_eq!(sum(&registry).not_ok, 1);
}

#[test]
fn where_nobody_is_ready_the_chain_breaks_and_goes_on_when_somebody_is() {
    let registry = Arc::new(Registry::new());
    let gateway = Gateway { pick: Pick::new(Arc::clone(&registry), RoundRobin::new()) };
    let ask = || gateway.run(Request { words: Vec::new(), end: End::Reply }).now_or_never().unwrap();
    assert_eq!(ask(), Err(Broken));
    let registration = registry.register(Member::new("a", 7), Duration::MAX).unwrap();
    assert_eq!(ask(), Ok(7));
    registry.drain(&registration).unwrap();
    assert_eq!(ask(), Err(Broken));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_still_read_keeps_a_member_from_being_drained() {
    let registry = registry(1);
    let pick = Pick::new(Arc::clone(&registry), RoundRobin::new());
    let registration = seats(&registry)[0].registration().clone();
    let lease = pick.lease().unwrap();
    registry.drain(&registration).unwrap();
    let body = lease.in_flight().clone();
    lease.replied(true);
    drop(lease);
    assert_eq!((body.seat().in_flight(), body.seat().totals().ok), (1, 1));
    assert!(registry.drained(&registration).now_or_never().is_none());
    drop(body);
    registry.drained(&registration).await;
}

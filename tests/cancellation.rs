//! Dropped at every poll: whatever a chain was doing, each node that was entered is left exactly once, every value is dropped,
//! and nothing leaks. (`tests/property/` does this to its whole family, too.)

use std::cell::Cell;

use chain::live::{Live, live};
use chain::poll::{drive, dropped_at_every_poll, suspend};
use chain_runtime::{chain, node};

/// How many nodes were entered, and left by either way.
#[derive(Default)]
struct Count {
    entered: Cell<u32>,
    exited: Cell<u32>,
    cancelled: Cell<u32>,
}

fn one_more(count: &Cell<u32>) {
    count.set(count.get() + 1);
}

struct Request(#[allow(dead_code, reason = "it is counted")] Live);
struct Body(#[allow(dead_code, reason = "it is counted")] Live);

/// What the node at `AT` holds of others.
struct Held<const AT: usize>(#[allow(dead_code, reason = "it is counted")] Live);

/// Suspends twice on each way, with locals alive meanwhile.
struct Step<const AT: usize>;

#[node]
impl<const AT: usize> Step<AT> {
    async fn enter(&self, count: &Count) -> Result<Held<AT>, ()> {
        let held = Held(Live::new());
        let _local = Live::new();
        suspend(2).await;
        one_more(&count.entered);
        Ok(held)
    }
    async fn exit(&self, _own: &mut Held<AT>, count: &Count) {
        let _local = Live::new();
        suspend(2).await;
        one_more(&count.exited);
    }
    fn cancelled(&self, _own: &Held<AT>, count: &Count) {
        one_more(&count.cancelled);
    }
}

/// Takes an input out of the scope and holds it while it waits.
#[node]
async fn take(body: Body) -> Taken {
    suspend(1).await;
    Taken(body)
}
struct Taken(#[allow(dead_code, reason = "it is counted")] Body);

#[node]
async fn refuse(_request: &Request) -> Result<(), ()> {
    suspend(1).await;
    Err(())
}

#[node]
async fn answer(_request: Request, _taken: &Taken) {
    suspend(1).await;
}

chain! {
    struct Replies { count: Count, n0: Step<0>, n1: Step<1>, n2: Step<2>, n3: Step<3> }
    async fn(request: Request, body: Body) -> () { n0 => n1 => take => n2 => n3 => answer }
}
chain! {
    struct CutShort { count: Count, n0: Step<0>, n1: Step<1>, n2: Step<2>, n3: Step<3> }
    async fn(request: Request, body: Body) -> () { n0 => take => n1 => refuse => n2 => n3 => answer }
}
chain! {
    struct Borrows { count: Count, n0: Step<0>, n1: Step<1>, n2: Step<2>, n3: Step<3> }
    async fn<'r>(request: &'r Request, body: &'r mut Body) -> () { n0 => n1 => n2 => refuse => n3 => wait }
}
#[node]
async fn wait(_body: &mut Body) {
    suspend(1).await;
}

macro_rules! dropped_at_every_poll {
    ($($test:ident: $name:ident($($input:expr),*) after $awaits:literal, of $entered:literal;)+) => {
        $(
            #[test]
            fn $test() {
                let dropped = dropped_at_every_poll(|polls| {
                    let chain = $name { count: Count::default(), n0: Step, n1: Step, n2: Step, n3: Step };
                    let driven = drive(chain.run($($input),*), polls);
                    let count = &chain.count;
                    let (entered, left) = (count.entered.get(), count.exited.get() + count.cancelled.get());
                    assert_eq!(entered, left, "after {polls} polls");
                    if driven.is_dropped() {
                        assert!(entered == 0 || count.cancelled.get() > 0, "after {polls} polls: the first is left last");
                    } else {
                        assert_eq!((entered, count.cancelled.get()), ($entered, 0), "a reply cancels nobody");
                    }
                    assert_eq!(live(), 0, "after {polls} polls");
                    driven
                });
                assert_eq!(dropped, $awaits + 1, "before the first poll, and at each await");
            }
        )+
    };
}

dropped_at_every_poll! {
    a_run_that_would_have_replied: Replies(Request(Live::new()), Body(Live::new())) after 18, of 4;
    a_run_that_would_have_been_cut_short: CutShort(Request(Live::new()), Body(Live::new())) after 10, of 2;
    a_run_that_borrows_its_inputs: Borrows(&Request(Live::new()), &mut Body(Live::new())) after 13, of 3;
}

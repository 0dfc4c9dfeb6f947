//! The nodes by themselves: a function is called, a node with state stands in a small chain.

use std::future::{Future as _, pending};
use std::pin::pin;
use std::task::{Context, Waker};

use chain_library::{Door, Full, Limit, Place, Refused, Store, Visitor, Visitors, known};
use chain_runtime::{chain, node};

struct Memory;

impl Store for Memory {
    fn find(&self, token: &str) -> Option<Visitor> {
        (token == "ada").then_some(Visitor { id: 1 })
    }
}

#[test]
fn a_function_is_tested_by_a_call() {
    assert_eq!(known("ada", &Visitors(Memory)), Ok(Visitor { id: 1 }));
    assert!(known("eve", &Visitors(Memory)).is_err());
}

#[node]
async fn stay(_: &Place<'_>) {
    pending().await
}

#[node]
fn nothing() {}

chain! {
    struct Staying { limit: Limit }
    async fn() -> Result<(), Full> { limit => stay => nothing }
}

#[test]
fn a_place_is_given_back_when_the_run_is_dropped() {
    let staying = Staying { limit: Limit::new(1) };
    {
        let mut run = pin!(staying.run());
        assert!(run.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert_eq!(staying.limit.inside(), 1);
        assert!(pollster::block_on(staying.run()).is_err(), "there is one place");
    }
    assert_eq!(staying.limit.inside(), 0);
}

#[test]
fn a_chain_that_is_a_node_is_run_by_itself() {
    let door = |most| Door { limit: Limit::new(most), visitors: Visitors(Memory) };
    assert_eq!(door(1).run("ada"), Ok(Visitor { id: 1 }));
    assert_eq!(door(1).run("eve"), Err(Refused::Stranger));
    assert_eq!(door(0).run("ada"), Err(Refused::Full));
}

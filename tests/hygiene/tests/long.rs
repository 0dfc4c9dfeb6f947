//! A chain of 200 nodes compiles at rustc's default limits, and runs on a small stack.

use links::{chain, node};

/// One node of many: each has a type of its own, so that each provides something else.
#[derive(Debug)]
struct Step<const N: usize>(usize);

#[node]
fn begin(start: &u8) -> Step<0> {
    Step(usize::from(*start))
}

#[node]
async fn next<const FROM: usize, const TO: usize>(step: &Step<FROM>) -> Step<TO> {
    if TO == 100 {
        tokio::task::yield_now().await;
    }
    Step(step.0 + 1)
}

#[node]
fn finish(step: &Step<199>) -> usize {
    step.0
}

include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/long/chain.rs"));

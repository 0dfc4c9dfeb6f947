//! A chain in edition 2021.
#![deny(warnings)]

use chain_runtime::{chain, node, Reset};

/// How often.
#[derive(Reset)]
pub struct Count(pub u32);

/// `gen` is a word of a later edition.
#[node]
pub fn gen(line: &str) -> Count {
    Count(line.len() as u32)
}

/// The reply.
#[node]
pub async fn double(count: &mut Count) -> u32 {
    count.0 *= 2;
    count.0
}

chain! {
    /// Doubles.
    pub struct Doubling;

    async fn(line: &str) -> u32 {
        gen => double
    }
}

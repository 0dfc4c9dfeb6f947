//! `Pool`, `Lease` and `#[derive(Reset)]`: memory that serves one request after another.
//!
//! A chain allocates nothing by itself. The memory that its nodes need can be in a value that is lent for one request,
//! is reset when it comes back, and keeps its allocations.

use chain_runtime::{Pool, Reset, chain, node};

/// The memory of one request. Each field is reset, or says what happens to it: none can be forgotten.
#[derive(Default, Reset)]
struct Scratch {
    line: String,
    numbers: Vec<u32>,
    #[reset(value = 3)]
    attempts_left: u8,
}

struct Input(&'static str);

#[node]
fn parse(input: &Input, scratch: &mut Scratch) {
    scratch.numbers.extend(input.0.split(',').filter_map(|number| number.trim().parse::<u32>().ok()));
}

#[node]
fn total(scratch: &mut Scratch) -> u32 {
    use std::fmt::Write as _;
    let total = scratch.numbers.iter().sum();
    let _ = write!(scratch.line, "{} numbers, {total} in all", scratch.numbers.len());
    total
}

chain! {
    struct Totals;

    fn<'r>(input: Input, scratch: &'r mut Scratch) -> u32 {
        parse => total
    }
}

fn main() {
    let pool = Pool::<Scratch>::default();
    for input in ["1, 2, 3", "40, 2", "7"] {
        let mut scratch = pool.get();
        assert!(scratch.line.is_empty() && scratch.numbers.is_empty(), "nothing of the last request is left");
        let room = scratch.numbers.capacity();
        let total = Totals.run(Input(input), &mut scratch);
        println!("{input:>8}: {total:>2} ({}; found room for {room} numbers)", scratch.line);
        // The lease ends here: the value is reset, exactly once, and goes back.
    }
    let stats = pool.stats();
    println!("{} hits, {} misses, {} idle", stats.hits, stats.misses, stats.idle);
}

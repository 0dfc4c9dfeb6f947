//! Seeing every node of a chain: how long it ran and waited, what it allocated, and what paused it.

use std::alloc::System;
use std::time::Duration;

use chain_runtime::telemetry::{Counted, Counting, Meter, Snapshot, Times, Tsc};
use chain_runtime::{chain, node};

/// Counts what the allocator is asked for, for each thread by itself.
#[global_allocator]
static ALLOCATOR: Counting<System> = Counting::new(System);

struct Order {
    item: &'static str,
    count: usize,
}

/// Allocates a kilobyte for each ordered item.
#[node]
fn picture(order: &Order) -> Vec<u8> {
    vec![0; order.count * 1024]
}

/// Waits, as for a database. The thread does other work meanwhile.
#[node]
async fn stock(_order: &Order) {
    tokio::time::sleep(Duration::from_millis(2)).await;
}

/// Blocks: from time to time, it keeps its thread from all other work. No log shows this.
#[node]
fn price(order: &Order) -> Result<u64, String> {
    if order.item == "anvil" {
        std::thread::sleep(Duration::from_millis(20));
    }
    if order.count == 0 { Err(format!("{} of {}?", order.count, order.item)) } else { Ok(order.count as u64 * 7) }
}

#[node]
fn receipt(order: &Order, price: &u64, picture: &Vec<u8>) -> String {
    format!("{} of {} for {price}, {} bytes", order.count, order.item, picture.len())
}

chain! {
    #[observe(meter)]
    struct Shop { meter: Meter<Tsc, Counted> }

    async fn(order: Order) -> String {
        picture => stock => price => receipt
    }
}

fn table(snapshot: &Snapshot) {
    let p99 = |times: &Times| times.quantile(0.99).map_or("-".to_owned(), |nanos| format!("{} µs", nanos / 1_000));
    println!("node     entered  broke  runs, p99  waits, p99    bytes  calls  paused by");
    for node in &snapshot.nodes {
        let (running, waiting, allocated) = (&node.way_in.running, &node.way_in.waiting, node.allocated());
        let pauses: Vec<_> = node.pauses.iter().map(|(cause, times, _)| format!("{cause}, {times} times")).collect();
        print!("{:<8} {:>7} {:>6} {:>10} ", node.info.name, node.entered, node.broke, p99(running));
        println!("{:>11} {:>8} {:>6}  {}", p99(waiting), allocated.bytes, allocated.calls, pauses.join("; "));
    }
}

#[tokio::main]
async fn main() {
    let meter = Meter::builder(Shop::CHAIN).allocations(Counted).expect("the allocator above").build();
    let shop = Shop { meter };
    for number in 0..50 {
        let item = if number % 25 == 24 { "anvil" } else { "nail" };
        shop.run(Order { item, count: number % 10 }).await;
    }
    table(&shop.meter.snapshot());
    for pause in shop.meter.kept().slowest.iter().flat_map(|run| &run.pauses) {
        let node = pause.whose.and_then(|whose| whose.position()).map_or("the chain", |at| Shop::CHAIN.nodes[at].name);
        println!("one of the slowest runs was {} in `{node}` for {:?}", pause.cause, pause.likely);
    }
}

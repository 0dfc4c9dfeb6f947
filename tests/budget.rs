//! The size of a run's future is a constant, and can be bounded. A future over the budget is a compile error
//! (`tests/ui`).

use chain::poll::{block_on, suspend};
use chain_runtime::{chain, node};

struct Request;
struct Digest(u8);

/// Holds so many bytes while it waits.
#[node]
async fn holds<const BYTES: usize>(_request: &Request) -> Digest {
    let mut buffer = [0u8; BYTES];
    suspend(1).await;
    buffer[0] = 7;
    Digest(buffer.iter().sum())
}
#[node]
async fn waits(_request: &Request) {
    suspend(1).await;
}
#[node]
fn answer(digest: &Digest) -> u8 {
    digest.0
}

chain! {
    #[budget(future = 1024)]
    struct Bounded;
    async fn(request: Request) -> u8 { holds::<512> => waits => answer }
}
chain! {
    #[budget(future = 4096)]
    struct Generic<const BYTES: usize>;
    async fn(request: Request) -> u8 { holds::<BYTES> => answer }
}
chain! {
    struct Small;
    async fn(request: Request) -> u8 { quick => answer }
}
#[node]
fn quick() -> Digest {
    Digest(1)
}

const SIZE: usize = Bounded::future_size();
const NODES: [usize; 3] = Bounded::node_sizes();
const _: () = assert!(SIZE >= 512 && SIZE <= 1024);

#[test]
fn the_size_is_that_of_what_run_returns() {
    assert_eq!(SIZE, size_of_val(&Bounded.run(Request)));
    assert_eq!(Small::future_size(), size_of_val(&Small.run(Request)));
    assert_eq!(Generic::<100>::future_size(), size_of_val(&Generic::<100>.run(Request)));
}

#[test]
fn each_nodes_part_is_its_own_future() {
    assert!(NODES[0] >= 512 && NODES[0] < 600, "{NODES:?}");
    assert!(NODES[1] > 0 && NODES[1] < 64, "{NODES:?}");
    assert_eq!(NODES[2], 0, "a plain function is not awaited");
    assert!(SIZE < NODES[0] + 128, "nodes run one after the other: {SIZE} bytes are not the sum");
}

#[test]
fn the_size_of_a_generic_chain_follows_its_parameters() {
    assert!(Generic::<2000>::future_size() >= Generic::<100>::future_size() + 1900);
}

#[test]
fn what_is_within_its_budget_runs() {
    assert_eq!(block_on(Bounded.run(Request)), 7);
    assert_eq!(block_on(Generic::<3000>.run(Request)), 7);
    assert_eq!(block_on(Small.run(Request)), 1);
}

use chain_runtime::{chain, node};

/// Observes nothing.
struct Counts;

#[node]
fn answer() -> u32 {
    42
}

chain! {
    #[observe(counts)]
    struct Answers {
        counts: Counts,
    }
    fn() -> u32 { answer }
}

fn main() {
    Answers { counts: Counts }.run();
}

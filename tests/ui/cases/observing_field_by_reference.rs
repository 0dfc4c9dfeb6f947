use chain_runtime::{chain, node};

#[node]
fn answer() -> u32 {
    42
}

chain! {
    #[observe(&meter)]
    struct Answers {
        meter: (),
    }
    fn() -> u32 { answer }
}

fn main() {
    Answers { meter: () }.run();
}

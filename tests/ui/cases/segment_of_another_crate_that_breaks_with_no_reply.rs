use chain_runtime::{chain, node};
use chain_ui::{Letters, Request};

#[node]
fn count(letters: &Letters) -> usize {
    letters.0
}

chain! {
    struct Gateway;

    async fn(request: Request) -> usize {
        ..chain_ui::front => count
    }
}

fn main() {}

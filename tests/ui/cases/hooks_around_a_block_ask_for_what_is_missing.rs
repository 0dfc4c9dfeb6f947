use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, User, proxy};

use std::pin::Pin;

struct Limit;

#[node]
impl Limit {
    fn enter(&self, user: &User) -> usize {
        user.0.len()
    }

    async fn around<B: Future>(&self, length: &mut usize, block: Pin<&mut B>) -> B::Output {
        *length += 1;
        block.await
    }
}

chain! {
    struct Gateway { limit: Limit }

    async fn(request: Request) -> Reply { limit { proxy } }
}

fn main() {}

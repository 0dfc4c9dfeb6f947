use std::future::Future;
use std::pin::Pin;

use chain_runtime::node;

struct Wrap;

#[node]
impl Wrap {
    async fn around<B: Future + Send>(&self, block: Pin<&mut B>) -> B::Output {
        block.await
    }
}

fn main() {}

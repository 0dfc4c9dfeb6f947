use std::pin::Pin;
use std::sync::Mutex;

use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, proxy};

struct Turns(Mutex<u64>);

#[node]
impl Turns {
    async fn around<B: Future>(&self, block: Pin<&mut B>) -> B::Output {
        let mut turns = self.0.lock().expect("no one panics with it");
        *turns += 1;
        block.await
    }
}

chain! {
    #[send]
    struct Gateway { turns: Turns }

    async fn(request: Request) -> Reply {
        turns { proxy }
    }
}

fn main() {}

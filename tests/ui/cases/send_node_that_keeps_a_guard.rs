use std::sync::Mutex;

use chain_runtime::{chain, node};
use chain_ui::{Reply, Request};

#[node]
async fn count(request: &Request, counter: &Mutex<u16>) -> Reply {
    let mut count = counter.lock().unwrap();
    std::future::ready(&request.path).await;
    *count += 1;
    Reply(*count)
}

chain! {
    #[send]
    pub struct Gateway { counter: Mutex<u16> }
    async fn(request: Request) -> Reply { count }
}

fn main() {}

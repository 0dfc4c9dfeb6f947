use std::cell::Cell;

use chain_runtime::{chain, node};
use chain_ui::Request;

pub struct Body(Cell<u16>);

pub struct Log;

#[node]
impl Log {
    async fn exit(&self, reply: &Body) {
        std::future::ready(()).await;
        println!("{}", reply.0.get());
    }
}

#[node]
fn serve(_request: &Request) -> Body {
    Body(Cell::new(200))
}

chain! {
    #[send]
    pub struct Gateway { log: Log }
    async fn(request: Request) -> Body { log => serve }
}

fn main() {}

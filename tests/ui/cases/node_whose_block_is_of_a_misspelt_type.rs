use chain_runtime::{chain, node};
use chain_ui::{Reply, Request};

struct Log;
#[node]
impl Lug {
    fn exit(&self, reply: &Reply) {
        println!("{}", reply.0);
    }
}

chain! {
    struct Gateway { log: Log }
    async fn(request: Request) -> Reply { log => chain_ui::auth => chain_ui::greet }
}

fn main() {}

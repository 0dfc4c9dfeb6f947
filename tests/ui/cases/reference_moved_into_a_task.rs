use chain_runtime::node;
use chain_ui::{Reply, Request};

#[node]
async fn proxy(request: &Request) -> Reply {
    chain_ui::spawn(async move { println!("{}", request.path) });
    Reply(200)
}

fn main() {}

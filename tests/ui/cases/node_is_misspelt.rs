use chain_runtime::{chain, node};
use chain_ui::{Reply, Request};

#[node]
fn rate_limit(_request: &Request) {}

#[node]
fn answer() -> Reply {
    Reply(200)
}

chain! {
    struct App;
    fn(request: Request) -> Reply { ratelimit => answer }
}

fn main() {}

use chain_runtime::{chain, node};
use chain_ui::{Reply, Request};

#[node]
async fn answer(request: &Request, names: &Vec<Name>) -> Reply {
    Reply(names.len() as u16)
}

chain! {
    struct Gateway { names: Vec<String> }

    async fn(request: Request) -> Reply { answer }
}

fn main() {}

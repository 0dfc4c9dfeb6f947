use chain_runtime::{chain, node};
use chain_ui::{Reply, Request};

mod nodes {
    use chain_ui::{Reply, Request};

    #[chain_runtime::node]
    pub fn answer(request: &Request) -> Reply {
        Reply(request.path.len() as u16)
    }
}

#[node]
fn log(request: &Request) {
    println!("{}", request.path);
}

chain! {
    struct Gateway;
    fn(request: Request) -> Reply { nodes::answer => log }
}

fn main() {}

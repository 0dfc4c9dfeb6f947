use chain_runtime::{chain, node};

struct Request;
struct Reply;

mod nodes {
    struct Log;

    #[chain_runtime::node]
    impl Log {
        fn enter(&self) {}
    }
}

#[node]
fn answer(_request: &Request) -> Reply {
    Reply
}

chain! {
    struct Gateway { log: nodes::Log }
    fn(request: Request) -> Reply { log => answer }
}

fn main() {}

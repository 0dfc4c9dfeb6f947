use chain_runtime::{chain, node};

struct Request;
struct Reply;

mod session {
    pub(super) struct Login;

    struct Session;

    #[chain_runtime::node]
    impl Login {
        fn enter(&self, _request: &super::Request) -> Session {
            Session
        }
    }
}

#[node]
fn answer(_request: &Request) -> Reply {
    Reply
}

chain! {
    struct Gateway { login: session::Login }
    fn(request: Request) -> Reply { login => answer }
}

fn main() {}

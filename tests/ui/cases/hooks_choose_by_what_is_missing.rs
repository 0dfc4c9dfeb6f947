use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, User, proxy};

struct Known;

#[node]
impl Known {
    fn enter(&self, user: &User) -> bool {
        user.0.is_empty()
    }
}

#[node]
fn unknown() -> Reply {
    Reply(404)
}

chain! {
    struct Gateway { known: Box<Known> }

    async fn(request: Request) -> Reply {
        if known { proxy } else { unknown }
    }
}

fn main() {}

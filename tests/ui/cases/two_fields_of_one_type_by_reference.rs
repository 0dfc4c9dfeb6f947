use chain_runtime::chain;
use chain_ui::{Reply, Request, User};

chain! {
    struct Gateway<'c> {
        owner: User,
        guest: &'c User,
    }

    async fn(request: Request) -> Reply {
        chain_ui::greet
    }
}

fn main() {}

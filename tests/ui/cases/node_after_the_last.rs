use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, User, auth, greet};

#[node(last)]
fn next(user: &User) -> Reply {
    Reply(user.0.len() as u16)
}

#[node]
fn log(request: &Request) {
    println!("{}", request.path);
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        auth => next => log => greet
    }
}

fn main() {}

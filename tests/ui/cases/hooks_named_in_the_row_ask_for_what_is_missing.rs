use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, User, proxy};

struct Greeting;

#[node(stateless)]
impl Greeting {
    fn enter(&self, user: &User) {
        println!("hello, {}", user.0);
    }
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply { Greeting => proxy }
}

fn main() {}

use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, Unauthorized, User, auth, greet};

chain! {
    #[node]
    struct Known;
    fn(user: &User, number: &u32) -> Result<bool, Unauthorized> { known }
}

#[node]
fn known(user: &User, number: &u32) -> Result<bool, Unauthorized> {
    if *number == 0 { Err(Unauthorized) } else { Ok(user.0.is_empty()) }
}

chain! {
    struct Gateway { known: Box<Known> }

    async fn(request: Request) -> Reply { auth => known => greet }
}

fn main() {}

use chain_ui::composed::*;

chain! {
    #[node]
    struct Auth { keys: Keys }
    async fn(request: &Request, number: &u32) -> Result<User, Unauthorized> { auth }
}

chain! {
    struct Gateway { known: Auth }
    async fn(request: Request) -> Reply { known => greet }
}

fn main() {}

use chain_ui::composed::*;

chain! {
    #[node]
    struct Auth { keys: Keys }
    async fn(request: &Request) -> Result<User, Unauthorized> { auth }
}

chain! {
    struct Gateway { known: Auth }
    fn(request: Request) -> Reply { known => greet }
}

fn main() {}

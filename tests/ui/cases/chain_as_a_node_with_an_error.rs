use chain_ui::composed::*;

chain! {
    #[node]
    struct Auth { keys: Keys }
    async fn(request: &Request) -> Result<User, Unauthorized> { auth -> auth }
}

chain! {
    struct Gateway { known: Auth }
    async fn(request: Request, keys: Keys) -> Reply { known => greet }
}

fn main() {}

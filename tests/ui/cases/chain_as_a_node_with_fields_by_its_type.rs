use chain_ui::composed::*;

chain! {
    #[node]
    struct Auth { keys: Keys }
    async fn(request: &Request) -> Result<User, Unauthorized> { auth }
}

chain! {
    struct Gateway;
    async fn(request: Request) -> Reply { Auth => greet }
}

fn main() {}

use chain_ui::composed::*;

chain! {
    struct Auth { keys: Keys }
    async fn(request: &Request) -> Result<User, Unauthorized> { auth }
}

chain! {
    struct Gateway { known: Auth }
    async fn(request: Request) -> Reply { known => last }
}

fn main() {}

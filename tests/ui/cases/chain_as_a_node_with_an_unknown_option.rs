use chain_ui::composed::*;

chain! {
    #[node(stateless)]
    struct Known;
    async fn(request: &Request) -> Result<User, Unauthorized> { auth }
}

fn main() {}

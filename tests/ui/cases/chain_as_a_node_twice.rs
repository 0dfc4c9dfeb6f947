use chain_ui::composed::*;

chain! {
    #[node]
    #[node(last)]
    struct Known;
    async fn(request: &Request) -> Result<User, Unauthorized> { auth }
}

fn main() {}

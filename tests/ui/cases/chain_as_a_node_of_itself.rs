use chain_ui::composed::*;

chain! {
    #[node]
    struct Known;
    async fn(request: &Request) -> Result<User, Unauthorized> { auth => Known }
}

fn main() {}

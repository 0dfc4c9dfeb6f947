use chain_ui::composed::*;

mod nodes {
    use super::*;

    #[node]
    async fn answer(_request: &Request) -> Reply {
        Reply(200)
    }
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        nodes::answer
    }
}

fn main() {}

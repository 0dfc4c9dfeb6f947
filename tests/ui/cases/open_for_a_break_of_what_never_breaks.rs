use chain_ui::composed::*;

#[derive(Debug)]
enum Turned {
    Full,
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        #[open(Turned::Full)] nothing => last
    }
}

fn main() {}

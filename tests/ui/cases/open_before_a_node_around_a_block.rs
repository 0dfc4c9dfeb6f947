use chain_ui::composed::*;

chain! {
    struct Gateway { pass: Pass }

    async fn(request: Request) -> Reply {
        #[open] pass { auth => check } => last
    }
}

fn main() {}

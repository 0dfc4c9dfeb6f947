use chain_ui::composed::*;

chain! {
    struct Gateway { ends: Ends }

    async fn(request: Request) -> Reply {
        { ends => nothing } => last
    }
}

fn main() {}

use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        { drop_it => nothing } => last
    }
}

fn main() {}

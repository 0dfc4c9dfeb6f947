use chain_ui::composed::*;

chain! {
    struct Gateway { pass: Pass }

    async fn(request: Request) -> Reply {
        pass => last
    }
}

fn main() {}

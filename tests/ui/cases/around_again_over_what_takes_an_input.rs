use chain_ui::composed::*;

chain! {
    struct Gateway { again: Again }

    async fn(request: Request) -> Reply {
        again { proxy }
    }
}

fn main() {}

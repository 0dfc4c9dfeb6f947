use chain_ui::composed::*;

chain! {
    segment front { check => nothing }
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply { ..front => last }
}

fn main() {}

use chain_ui::composed::*;

chain! {
    segment front { auth => ..front }
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply { ..front => greet }
}

fn main() {}

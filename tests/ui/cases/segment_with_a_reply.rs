use chain_ui::composed::*;

chain! {
    segment front(request: Request) -> Reply { auth => greet }
}

fn main() {}

use chain_ui::composed::*;

struct Limit;

chain! {
    struct Gateway {
        limit: Option<Limit>,
    }

    fn(request: Request) -> Reply { limit => last }
}

fn main() {}

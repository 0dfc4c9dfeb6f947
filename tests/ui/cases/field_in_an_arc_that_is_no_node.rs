use std::sync::Arc;

use chain_ui::composed::*;

struct Limit;

chain! {
    struct Gateway {
        limit: Arc<Limit>,
    }

    fn(request: Request) -> Reply { limit => last }
}

fn main() {}

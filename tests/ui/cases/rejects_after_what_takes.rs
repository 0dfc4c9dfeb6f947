use chain_ui::composed::*;
use chain_ui::tasks::{Few, read};

chain! {
    struct Gateway { few: Few }

    async fn(request: Request, keys: Keys) -> Reply {
        read => few { last }
    }
}

fn main() {}

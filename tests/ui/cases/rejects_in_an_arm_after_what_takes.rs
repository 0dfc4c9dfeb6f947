use chain_ui::composed::*;
use chain_ui::tasks::{Few, read};

chain! {
    struct Gateway { few: Few, more: Few }

    async fn(request: Request, keys: Keys) -> Reply {
        if is_local {
            #[when(is_local)] read => { few { last } }
        } else {
            more { read => last }
        }
    }
}

fn main() {}

use chain_ui::composed::*;

chain! {
    struct Gateway;

    fn(request: Request) -> Reply {
        #[timeout(1s)] nothing => last
    }
}

fn main() {}

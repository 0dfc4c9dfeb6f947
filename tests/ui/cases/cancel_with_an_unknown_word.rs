use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        #[cancel(abort)] owned
    }
}

fn main() {}

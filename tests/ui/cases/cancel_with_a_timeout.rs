use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        #[cancel(finish)] #[timeout(1s)] owned
    }
}

fn main() {}

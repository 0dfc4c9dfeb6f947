use chain_ui::composed::*;

chain! {
    struct Gateway { cancels: Cancels }

    async fn(request: Request) -> Reply {
        #[when(cancels)] audit => last
    }
}

fn main() {}

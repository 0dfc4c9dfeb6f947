use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        /// Who is it?
        audit => last
    }
}

fn main() {}

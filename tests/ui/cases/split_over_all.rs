use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        key => #[split(101)] audit => last
    }
}

fn main() {}

use chain_ui::composed::*;

chain! {
    struct Gateway { toggles: Toggles }

    async fn(request: Request) -> Reply {
        #[toggle] audit => #[toggle] audit => last
    }
}

fn main() {}

use chain_ui::composed::*;

chain! {
    struct Gateway { toggles: Toggles }

    async fn(request: Request) -> Reply {
        #[toggle(disabled)] audit => last
    }
}

fn main() {}

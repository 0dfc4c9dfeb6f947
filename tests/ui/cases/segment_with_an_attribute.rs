use chain_ui::composed::*;

chain! {
    struct Gateway { toggles: Toggles }

    async fn(request: Request) -> Reply {
        #[toggle] ..front => last
    }
}

fn main() {}

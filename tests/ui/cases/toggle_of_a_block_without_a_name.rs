use chain_ui::composed::*;

chain! {
    struct Gateway { toggles: Toggles }

    async fn(request: Request) -> Reply {
        #[toggle] { audit } => last
    }
}

fn main() {}

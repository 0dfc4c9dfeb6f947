use chain_ui::composed::*;

chain! {
    struct Gateway { shedding: Shedding }

    async fn(request: Request) -> Reply {
        if #[shed(high)] is_local { audit } => last
    }
}

fn main() {}

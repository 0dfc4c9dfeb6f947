use chain_ui::composed::*;

chain! {
    struct Gateway { toggles: chain_runtime::Toggles }

    async fn(request: Request) -> Reply {
        { auth } #[toggle("auth")] => proxy
    }
}

fn main() {}

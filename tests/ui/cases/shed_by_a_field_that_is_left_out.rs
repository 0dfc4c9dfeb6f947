use chain_ui::composed::*;

chain! {
    struct Gateway { #[cfg(any())] shedding: Shedding }

    async fn(request: Request) -> Reply {
        #[shed(high)] audit => last
    }
}

fn main() {}

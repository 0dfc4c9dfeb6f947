use chain_ui::composed::*;

chain! {
    segment front(shedding: Shedding) { #[shed(high)] audit }
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        ..front => last
    }
}

fn main() {}

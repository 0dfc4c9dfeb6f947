use chain_ui::composed::*;

#[node]
fn starts() {
    let works = [async {}];
    works.into_iter().map(tokio::spawn).for_each(drop);
}

chain! {
    #[deny(spawn)]
    struct Gateway;

    async fn(request: Request) -> Reply {
        starts => last
    }
}

fn main() {}

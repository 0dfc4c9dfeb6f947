use chain_runtime::tasks::Work;
use chain_ui::composed::*;

#[node]
async fn answer(work: &Work) -> Reply {
    let child = work.spawn("price", async { 7 }).await;
    Reply(child.await.unwrap_or(500))
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        answer
    }
}

fn main() {}

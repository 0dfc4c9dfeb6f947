use chain_ui::composed::*;

#[node]
async fn answer(request: &Request) -> Reply {
    let path = request.path.clone();
    tokio::spawn(async move { println!("{path}") });
    Reply(200)
}

chain! {
    #[deny(spawn)]
    struct Gateway;

    async fn(request: Request) -> Reply {
        answer
    }
}

fn main() {}

use chain_ui::composed::*;

struct Headers;

#[node]
impl Headers {
    fn exit(&self, response: Reply) -> Reply {
        Reply(response.0 + 1)
    }
}

chain! {
    struct Gateway {
        headers: Headers,
    }

    async fn(request: Request) -> Reply {
        headers => proxy
    }
}

fn main() {}

use chain_ui::composed::*;

struct Cache;

#[node]
impl Cache {
    fn enter(&self, request: &Request) -> Reply {
        Reply(request.path.len() as u16)
    }
}

chain! {
    struct Gateway {
        cache: Option<Cache>,
    }

    fn(request: Request) -> Reply { cache }
}

fn main() {}

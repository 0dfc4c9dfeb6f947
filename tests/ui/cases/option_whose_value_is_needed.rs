use chain_ui::composed::*;

struct Limit;

#[node]
impl Limit {
    fn enter(&self, request: &Request) -> u32 {
        request.path.len() as u32
    }
}

chain! {
    struct Gateway {
        limit: Option<Limit>,
    }

    fn(request: Request) -> Reply { limit => number }
}

fn main() {}

use chain_ui::composed::*;

struct Limit;

#[node]
impl Limit {
    fn enter(&self, request: &Request) -> u32 {
        request.path.len() as u32
    }
}

type Perhaps = Option<Limit>;

chain! {
    struct Gateway {
        limit: Perhaps,
    }

    fn(request: Request) -> Reply { limit => last }
}

fn main() {}

use chain_ui::composed::*;

struct Option<T>(T);

struct Limit;

#[node]
impl Limit {
    fn enter(&self) {}
}

chain! {
    struct Gateway {
        limit: Option<Limit>,
    }

    fn(request: Request) -> Reply { limit => last }
}

fn main() {}

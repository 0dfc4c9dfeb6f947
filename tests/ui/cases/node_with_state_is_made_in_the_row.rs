use chain_ui::composed::*;

struct Limit(u32);

#[node]
impl Limit {
    fn enter(&self) {}
}

impl Limit {
    fn per_second(count: u32) -> Self {
        Self(count)
    }
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        Limit::per_second(100) => proxy
    }
}

fn main() {}

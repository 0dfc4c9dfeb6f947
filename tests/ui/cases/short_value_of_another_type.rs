use chain_runtime::{Request, chain, node};

struct Limit;

#[node]
impl Limit {
    fn enter(&self, request: &Request) {
        println!("{}", request.uri);
    }
}

fn main() {
    let _chain = chain!(limit: Limit = 100);
}

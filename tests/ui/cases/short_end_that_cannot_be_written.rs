use chain_runtime::{Request, chain, node};

struct Page(String);

#[node]
fn page(request: &Request) -> Page {
    Page(request.uri.to_string())
}

fn main() {
    let _chain = chain!(page);
}

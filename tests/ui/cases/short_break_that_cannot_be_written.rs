use chain_runtime::{Request, chain, node};

struct Refused;

#[node]
fn gate(request: &Request) -> Result<(), Refused> {
    if request.uri.path() == "/" { Ok(()) } else { Err(Refused) }
}

fn main() {
    let _chain = chain!(gate);
}

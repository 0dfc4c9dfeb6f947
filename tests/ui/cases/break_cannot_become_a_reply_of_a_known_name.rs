use chain_runtime::{chain, node};

pub struct Response(u16);
pub struct Refused;

#[node]
fn auth(path: &str) -> Result<(), Refused> {
    if path.is_empty() { Err(Refused) } else { Ok(()) }
}

#[node]
fn answer() -> Response {
    Response(200)
}

chain! {
    struct Gateway;

    fn(path: &str) -> Response { auth => answer }
}

fn main() {}

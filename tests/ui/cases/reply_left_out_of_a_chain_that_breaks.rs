use chain_runtime::{chain, node};
use chain_ui::{Request, Unauthorized};

struct Answer(u16);

#[node]
fn check(_request: &Request) -> Result<(), Unauthorized> {
    Err(Unauthorized)
}

#[node]
fn answer() -> Answer {
    Answer(200)
}

chain! {
    struct App;
    fn(request: Request) { check => answer }
}

fn main() {}

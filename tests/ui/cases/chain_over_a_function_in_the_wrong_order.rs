use chain_runtime::{chain, node};
use chain_ui::composed::*;

struct Held<S>(S);

#[node]
fn last_of<F: Fn(&Request) -> bool>(held: &Held<F>, request: &Request) -> Reply {
    Reply(if held.0(request) { 200 } else { 404 })
}

chain! {
    pub struct Gateway<'c, F: Fn(&Request) -> bool, I: Iterator<Item = &'c str>, const LOUD: bool> {
        held: Held<F>,
        names: std::cell::RefCell<I>,
    }

    async fn(request: Request) -> Reply {
        check => auth => last_of::<F>
    }
}

fn main() {}

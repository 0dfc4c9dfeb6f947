use chain_runtime::node;
use chain_ui::Request;

#[node(stateless)]
fn log(request: &Request) {
    println!("{request:?}");
}

fn main() {}

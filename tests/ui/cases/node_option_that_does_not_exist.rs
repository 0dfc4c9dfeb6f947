use chain_runtime::node;
use chain_ui::Request;

#[node(name = "log")]
fn log(request: &Request) {
    println!("{request:?}");
}

fn main() {}

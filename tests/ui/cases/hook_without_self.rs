use chain_runtime::node;
use chain_ui::Request;

struct Log;

#[node]
impl Log {
    fn enter(request: &Request) {
        println!("{request:?}");
    }
}

fn main() {}

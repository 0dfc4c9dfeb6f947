use chain_runtime::node;
use chain_ui::Request;

struct Log;

impl Log {
    #[node]
    fn enter(&self, request: &Request) {
        println!("{request:?}");
    }
}

fn main() {}

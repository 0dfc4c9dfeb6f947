use chain_runtime::node;

struct Log;

#[node]
impl Log {
    fn new() -> Self {
        Self
    }
}

fn main() {}

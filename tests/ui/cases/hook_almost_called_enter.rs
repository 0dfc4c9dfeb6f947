use chain_runtime::node;

struct Log;

#[node]
impl Log {
    fn on_enter(&self) {}
}

fn main() {}

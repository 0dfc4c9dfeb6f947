use chain_runtime::node;

struct Log;

#[node]
impl Drop for Log {
    fn drop(&mut self) {}
}

fn main() {}

use chain_runtime::node;

struct Log;

#[node]
impl Log {
    fn exit(&self) -> u32 {
        1
    }
}

fn main() {}

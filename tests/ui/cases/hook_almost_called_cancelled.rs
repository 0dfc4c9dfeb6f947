use chain_runtime::node;

struct Log;

#[node]
impl Log {
    pub fn enter(&self) {}
    pub fn canceled(&self) {}
}

fn main() {}

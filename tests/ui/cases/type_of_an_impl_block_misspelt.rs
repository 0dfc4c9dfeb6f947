use chain_runtime::{chain, node};

struct AccessLog;

#[node]
impl AccesLog {
    fn enter(&self) {}
}

fn main() {}

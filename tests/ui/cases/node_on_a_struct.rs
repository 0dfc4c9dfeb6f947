use chain_runtime::node;

#[node]
struct Log;

fn main() {}

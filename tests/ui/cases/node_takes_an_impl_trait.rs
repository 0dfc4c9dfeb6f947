use chain_runtime::node;

#[node]
fn log(what: &impl std::fmt::Debug) {
    println!("{what:?}");
}

fn main() {}

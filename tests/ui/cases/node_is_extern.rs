use chain_runtime::node;

#[node]
extern "C" fn log(level: &u32) {
    println!("{level}");
}

fn main() {}

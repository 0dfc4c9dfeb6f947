use chain_runtime::chain;

fn main() {
    let _chain = chain!();
}

use chain_runtime::{chain, node};
use chain_ui::User;

#[node]
fn greet(user: &User) {
    println!("{user:?}");
}

fn main() {
    let _chain = chain!(greet);
}

use chain_runtime::node;
use chain_ui::User;

#[node]
fn transfer(from: &User, to: &mut User) {
    to.0.push_str(&from.0);
}

fn main() {}

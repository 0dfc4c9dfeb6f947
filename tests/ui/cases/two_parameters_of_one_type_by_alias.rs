use chain_runtime::{chain, node};
use chain_ui::{Reply, User};

type Friend = User;

#[node]
fn transfer(from: &User, to: &mut Friend) -> Reply {
    to.0.push_str(&from.0);
    Reply(200)
}

chain! {
    struct Gateway;

    fn(user: User) -> Reply {
        transfer
    }
}

fn main() {}

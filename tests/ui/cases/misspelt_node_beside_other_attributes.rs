use chain_runtime::{chain, node};
use chain_ui::{Reply, Request};

#[unsafe(no_mangle)]
#[cfg_attr(test, allow(unused))]
static NUMBER: u8 = 1;

#[node]
fn answer(_request: &Request) -> Reply {
    Reply(200)
}

chain! {
    struct Gateway;

    fn(request: Request) -> Reply {
        answr
    }
}

fn main() {
    println!("{}", Gateway::drawing());
}

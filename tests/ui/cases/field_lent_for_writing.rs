use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, proxy};

struct Counter(u32);

#[node]
fn count(counter: &mut Counter) {
    counter.0 += 1;
}

chain! {
    struct Gateway { counter: Counter }

    async fn(request: Request) -> Reply {
        count => proxy
    }
}

fn main() {}

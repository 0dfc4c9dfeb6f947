use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, proxy};

struct Counter(u32);
struct Count;

#[node]
impl Count {
    fn exit(&self, counter: &mut Counter) {
        counter.0 += 1;
    }
}

chain! {
    struct Gateway { counter: Counter, count: Count }

    async fn(request: Request) -> Reply {
        count => proxy
    }
}

fn main() {}

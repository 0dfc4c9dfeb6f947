use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, User, proxy};

struct Log<T>(T);

#[node]
impl<T: Clone> Log<T> {
    fn enter(&self, user: &User) -> Option<T> {
        user.0.is_empty().then(|| self.0.clone())
    }
}

chain! {
    struct Gateway<T: Clone> { log: Log<T> }

    async fn(request: Request) -> Reply { log => proxy }
}

fn main() {}

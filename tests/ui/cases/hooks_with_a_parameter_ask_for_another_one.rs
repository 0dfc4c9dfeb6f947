use chain_runtime::{chain, node};
use chain_ui::{Reply, Request, proxy};

struct Make<const N: usize>;

struct Window<const N: usize>([u8; N]);

#[node]
impl<const N: usize> Make<N> {
    fn enter(&self) -> Window<N> {
        Window([0; N])
    }
}

struct Look<const N: usize>;

#[node]
impl<const N: usize> Look<N> {
    fn enter(&self, window: &Window<N>) {
        println!("{}", window.0.len());
    }
}

chain! {
    struct Gateway { make: Make<3>, look: Look<4> }

    async fn(request: Request) -> Reply { make => look => proxy }
}

fn main() {}
